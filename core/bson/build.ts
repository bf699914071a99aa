/** Putting raw elements together to documents, so that a value never passes through a JavaScript object. */
import { BsonType, type Element } from "./raw.ts";

const encoder = new TextEncoder();

/** A field to write: its name, type byte and the value's bytes. */
export interface RawField {
  readonly name: string;
  readonly type: number;
  readonly value: Uint8Array;
}

/** A document of these fields in this order. */
export function documentOf(fields: readonly RawField[]): Uint8Array {
  const names = fields.map((field) => encoder.encode(field.name));
  let length = 5;
  for (const [index, field] of fields.entries()) length += 2 + names[index]!.length + field.value.length;
  const bytes = new Uint8Array(length);
  new DataView(bytes.buffer).setInt32(0, length, true);
  let offset = 4;
  for (const [index, field] of fields.entries()) {
    bytes[offset++] = field.type;
    bytes.set(names[index]!, offset);
    offset += names[index]!.length + 1;
    bytes.set(field.value, offset);
    offset += field.value.length;
  }
  return bytes;
}

/** `{<name>: <value of the element>}`: the same bytes under one name. */
export function wrap(element: Element, name = element.name): Uint8Array {
  return documentOf([
    { name, type: element.type, value: element.bytes.subarray(element.valueStart, element.valueEnd) },
  ]);
}

/** A string field. */
export function textField(name: string, value: string): RawField {
  const text = encoder.encode(value);
  const bytes = new Uint8Array(text.length + 5);
  new DataView(bytes.buffer).setInt32(0, text.length + 1, true);
  bytes.set(text, 4);
  return { name, type: BsonType.string, value: bytes };
}

/** A document's field, or null where there is none. */
export function documentField(name: string, document: Uint8Array | null | undefined): RawField {
  if (!document) return { name, type: BsonType.null, value: new Uint8Array() };
  return { name, type: BsonType.object, value: document };
}
