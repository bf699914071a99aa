/** Putting raw elements together to documents, so that a value never passes through a JavaScript object. */
import type { Element } from "./raw.ts";

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

export const rawTrue = Uint8Array.of(1);

/** The bytes of an int32 value. */
export function int32Value(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
}
