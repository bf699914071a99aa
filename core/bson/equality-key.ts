/**
 * A document's identity as the server sees it: two `_id`s are one key exactly when a unique index on `_id` (with the
 * simple collation) would refuse the second. Numbers are equal across types, strings and symbols by their bytes,
 * documents field by field in order, everything else by type and bytes (invariants.md 18).
 */
import { Buffer } from "node:buffer";
import { numberKey } from "./number-key.ts";
import { BsonType, elementsOf, findElement, valueBytes } from "./raw.ts";

/** Canonical key of a value; equal values give equal text, different ones different text. */
export function equalityKey(value: { readonly type: number; readonly bytes: Uint8Array }): string {
  const { type, bytes } = value;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return keyOf(type, buffer, 0, bytes.length);
}

/** The same of a document's `_id`; `undefined` when it has none. */
export function documentKey(document: Uint8Array): string | undefined {
  const id = findElement(document, "_id");
  return id && equalityKey({ type: id.type, bytes: valueBytes(id) });
}

function keyOf(type: number, buffer: Buffer, start: number, end: number): string {
  switch (type) {
    case BsonType.objectId:
      return `o${buffer.toString("latin1", start, end)}`;
    case BsonType.string:
    case BsonType.symbol:
      return `s${buffer.toString("latin1", start + 4, end - 1)}`;
    case BsonType.int32:
      return `n${buffer.readInt32LE(start)}`;
    case BsonType.int64:
    case BsonType.double:
    case BsonType.decimal128:
      return `n${numberKey(type, new DataView(buffer.buffer, buffer.byteOffset), start)}`;
    case BsonType.object:
      return `{${fieldKeys(buffer, start, true)}`;
    case BsonType.array:
      return `[${fieldKeys(buffer, start, false)}`;
    case BsonType.codeWithScope:
      return codeWithScopeKey(buffer, start);
    default:
      return `${String.fromCharCode(type)}${buffer.toString("latin1", start, end)}`;
  }
}

/** Each part with its length in front: parts of different lengths can't run into each other. */
function fieldKeys(buffer: Buffer, start: number, named: boolean): string {
  let key = "";
  for (const element of elementsOf(buffer, start)) {
    // An array's field names are its positions, whatever bytes stand there.
    if (named) {
      const name = buffer.toString("latin1", element.start + 1, element.valueStart - 1);
      key += `${name.length}:${name}`;
    }
    const value = keyOf(element.type, buffer, element.valueStart, element.valueEnd);
    key += `${value.length}:${value}`;
  }
  return key;
}

function codeWithScopeKey(buffer: Buffer, start: number): string {
  const codeEnd = start + 8 + buffer.readInt32LE(start + 4);
  const code = buffer.toString("latin1", start + 8, codeEnd - 1);
  return `w${code.length}:${code}${fieldKeys(buffer, codeEnd, true)}`;
}
