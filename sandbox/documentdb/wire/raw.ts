/**
 * Reading and editing BSON without decoding it: what the proxy doesn't have to understand passes as the bytes it was.
 */
import { Buffer } from "node:buffer";

/** One element of a document, as offsets into the buffer it was read from. */
export interface Field {
  readonly name: string;
  readonly type: number;
  /** Where the element begins (its type byte), where its value begins, and the offset behind it. */
  readonly start: number;
  readonly value: number;
  readonly end: number;
}

export const Type = {
  Double: 1,
  String: 2,
  Document: 3,
  Array: 4,
  ObjectId: 7,
  Boolean: 8,
  Null: 10,
  Int32: 16,
  Timestamp: 17,
  Int64: 18,
} as const;

const fixedSizes: Readonly<Record<number, number>> = {
  1: 8,
  6: 0,
  7: 12,
  8: 1,
  9: 8,
  10: 0,
  16: 4,
  17: 8,
  18: 8,
  19: 16,
  127: 0,
  255: 0,
};

/** The bytes are not BSON. The connection they came on can't be trusted further. */
export class MalformedDocument extends Error {}

function valueEnd(buffer: Buffer, type: number, at: number): number {
  const fixed = fixedSizes[type];
  if (fixed !== undefined) return at + fixed;
  switch (type) {
    case 2:
    case 13:
    case 14:
      return at + 4 + buffer.readInt32LE(at);
    case 3:
    case 4:
    case 15:
      return at + buffer.readInt32LE(at);
    case 5:
      return at + 5 + buffer.readInt32LE(at);
    case 11:
      return buffer.indexOf(0, buffer.indexOf(0, at) + 1) + 1;
    case 12:
      return at + 4 + buffer.readInt32LE(at) + 12;
  }
  throw new MalformedDocument(`expected a BSON type, got ${type} at offset ${at}`);
}

/** Names seen lately, by a hash of their bytes: making a string of each name would be most of the reading. */
const names: string[] = new Array(4096).fill("");
const CACHED_NAME_BYTES = 32;

function isName(name: string, buffer: Buffer, start: number, length: number): boolean {
  if (name.length !== length) return false;
  for (let index = 0; index < length; index++)
    if (name.charCodeAt(index) !== buffer[start + index]) return false;
  return true;
}

/** The name that begins at `start`; it ends before the next zero byte. */
function nameAt(buffer: Buffer, start: number): { name: string; end: number } {
  let hash = 0;
  let at = start;
  const limit = Math.min(start + CACHED_NAME_BYTES, buffer.length);
  for (; at < limit; at++) {
    const byte = buffer[at]!;
    if (byte === 0) break;
    if (byte > 127) return { name: "", end: -1 };
    hash = (hash * 31 + byte) | 0;
  }
  if (at === limit) return { name: "", end: -1 };
  const slot = hash & 4095;
  const known = names[slot]!;
  if (isName(known, buffer, start, at - start)) return { name: known, end: at };
  const name = buffer.toString("latin1", start, at);
  names[slot] = name;
  return { name, end: at };
}

function longNameAt(buffer: Buffer, start: number): { name: string; end: number } {
  const end = buffer.indexOf(0, start);
  if (end < 0) throw new MalformedDocument(`a name at ${start} has no end`);
  return { name: buffer.toString("utf8", start, end), end };
}

/** Where the document at `start` ends: the offset of its last byte. */
function lastByte(buffer: Buffer, start: number): number {
  const end = start + buffer.readInt32LE(start) - 1;
  if (end >= buffer.length)
    throw new MalformedDocument(`a document ends at ${end}, the buffer at ${buffer.length}`);
  return end;
}

/** The elements of the document that begins at `start`, in their order. Nested documents are not entered. */
export function readFields(buffer: Buffer, start = 0): Field[] {
  const end = lastByte(buffer, start);
  const fields: Field[] = [];
  let at = start + 4;
  while (at < end) {
    const short = nameAt(buffer, at + 1);
    const { name, end: nameEnd } = short.end < 0 ? longNameAt(buffer, at + 1) : short;
    const type = buffer[at]!;
    const value = nameEnd + 1;
    const next = valueEnd(buffer, type, value);
    if (next > end) throw new MalformedDocument(`an element at ${at} runs past its document`);
    fields.push({ name, type, start: at, value, end: next });
    at = next;
  }
  return fields;
}

/** The element of that name, undefined when the document has none. */
export function findField(buffer: Buffer, name: string, start = 0): Field | undefined {
  return readFields(buffer, start).find((field) => field.name === name);
}

export function isContainer(field: Field): boolean {
  return field.type === Type.Document || field.type === Type.Array;
}

/** Text of a string element; undefined for any other type. */
export function readString(buffer: Buffer, field: Field | undefined): string | undefined {
  return field?.type === Type.String ? buffer.toString("utf8", field.value + 4, field.end - 1) : undefined;
}

/** A number or truth value as JavaScript's; undefined for other types. Longs beyond 2^53 lose digits. */
export function readNumber(buffer: Buffer, field: Field | undefined): number | undefined {
  switch (field?.type) {
    case Type.Double:
      return buffer.readDoubleLE(field.value);
    case Type.Boolean:
      return buffer[field.value]!;
    case Type.Int32:
      return buffer.readInt32LE(field.value);
    case Type.Int64:
      return Number(buffer.readBigInt64LE(field.value));
  }
  return undefined;
}

/** BSON timestamp as one number that orders like it: the unsigned 64 bits. */
export function readTimestamp(buffer: Buffer, field: Field | undefined): bigint | undefined {
  return field?.type === Type.Timestamp ? buffer.readBigUInt64LE(field.value) : undefined;
}

/** The bytes of a nested document or array. */
export function readDocument(buffer: Buffer, field: Field): Buffer {
  return buffer.subarray(field.value, field.end);
}

/** Documents standing in an array element. The names of an array's elements are not looked at. */
export function readDocuments(buffer: Buffer, field: Field): Buffer[] {
  const end = lastByte(buffer, field.value);
  const documents: Buffer[] = [];
  let at = field.value + 4;
  while (at < end) {
    const value = buffer.indexOf(0, at + 1) + 1;
    if (buffer[at] !== Type.Document)
      throw new MalformedDocument(`expected a document in the array at ${at}`);
    const next = value + buffer.readInt32LE(value);
    if (next > end) throw new MalformedDocument(`an element at ${at} runs past its array`);
    documents.push(buffer.subarray(value, next));
    at = next;
  }
  return documents;
}

/** An element: type byte, name, value. */
export function element(type: number, name: string, value: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([type]), Buffer.from(name), Buffer.from([0]), value]);
}

/** A document out of whole elements. */
export function documentOf(elements: readonly Uint8Array[]): Buffer {
  let length = 5;
  for (const each of elements) length += each.length;
  const buffer = Buffer.allocUnsafe(length);
  buffer.writeInt32LE(length, 0);
  let at = 4;
  for (const each of elements) {
    buffer.set(each, at);
    at += each.length;
  }
  buffer[at] = 0;
  return buffer;
}

/** An array out of documents. */
export function arrayOf(documents: readonly Uint8Array[]): Buffer {
  return documentOf(documents.map((document, index) => element(Type.Document, String(index), document)));
}

/** The document without the fields named in `remove`, and with `append` (whole elements) at its end. */
export function editDocument(
  document: Buffer,
  remove: ReadonlySet<string>,
  append: readonly Uint8Array[] = [],
): Buffer {
  const kept = readFields(document)
    .filter((field) => !remove.has(field.name))
    .map((field) => document.subarray(field.start, field.end));
  return documentOf([...kept, ...append]);
}
