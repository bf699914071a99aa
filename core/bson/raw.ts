/** Walking raw BSON without decoding it, so that bytes, field order and types stay exactly as the server sent them. */

export const BsonType = {
  double: 0x01,
  string: 0x02,
  object: 0x03,
  array: 0x04,
  binary: 0x05,
  undefined: 0x06,
  objectId: 0x07,
  boolean: 0x08,
  date: 0x09,
  null: 0x0a,
  regularExpression: 0x0b,
  dbPointer: 0x0c,
  code: 0x0d,
  symbol: 0x0e,
  codeWithScope: 0x0f,
  int32: 0x10,
  timestamp: 0x11,
  int64: 0x12,
  decimal128: 0x13,
  minKey: 0xff,
  maxKey: 0x7f,
} as const;

/** Bytes that are not BSON: what was expected, and at which offset. */
export class BsonError extends Error {
  constructor(expected: string, offset: number) {
    super(`bytes that are not BSON: expected ${expected} at offset ${offset}`);
    this.name = "BsonError";
  }
}

/** One field of a document: its type byte and where its value lies in `bytes`. */
export interface Element {
  readonly type: number;
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Offset of the type byte. */
  readonly start: number;
  /** Offset of the value's first byte, and of the byte after its last. */
  readonly valueStart: number;
  readonly valueEnd: number;
}

/** Little-endian int32 at an offset. */
export function int32At(bytes: Uint8Array, offset: number): number {
  if (offset + 4 > bytes.length) throw new BsonError("4 bytes of an int32", offset);
  return bytes[offset]! | (bytes[offset + 1]! << 8) | (bytes[offset + 2]! << 16) | (bytes[offset + 3]! << 24);
}

/** Length of the document that starts at `offset`, checked against the bytes there are. */
export function documentLength(bytes: Uint8Array, offset = 0): number {
  const length = int32At(bytes, offset);
  if (length < 5 || offset + length > bytes.length || bytes[offset + length - 1] !== 0) {
    throw new BsonError("a whole document", offset);
  }
  return length;
}

function endOfCString(bytes: Uint8Array, offset: number): number {
  const end = bytes.indexOf(0, offset);
  if (end < 0) throw new BsonError("the end of a C string", offset);
  return end;
}

/** Offset after the value of `type` that starts at `offset`. */
export function endOfValue(bytes: Uint8Array, type: number, offset: number): number {
  const end = offset + sizeOfValue(bytes, type, offset);
  if (end > bytes.length) throw new BsonError(`a whole value of type 0x${type.toString(16)}`, offset);
  return end;
}

function sizeOfValue(bytes: Uint8Array, type: number, offset: number): number {
  switch (type) {
    case BsonType.undefined:
    case BsonType.null:
    case BsonType.minKey:
    case BsonType.maxKey:
      return 0;
    case BsonType.boolean:
      return 1;
    case BsonType.int32:
      return 4;
    case BsonType.double:
    case BsonType.date:
    case BsonType.timestamp:
    case BsonType.int64:
      return 8;
    case BsonType.objectId:
      return 12;
    case BsonType.decimal128:
      return 16;
    case BsonType.string:
    case BsonType.code:
    case BsonType.symbol:
      return 4 + nonNegative(bytes, offset);
    case BsonType.binary:
      return 5 + nonNegative(bytes, offset);
    case BsonType.dbPointer:
      return 16 + nonNegative(bytes, offset);
    case BsonType.object:
    case BsonType.array:
    case BsonType.codeWithScope:
      return nonNegative(bytes, offset);
    case BsonType.regularExpression:
      return endOfCString(bytes, endOfCString(bytes, offset) + 1) + 1 - offset;
    default:
      throw new BsonError(`a known type, not 0x${type.toString(16)},`, offset);
  }
}

function nonNegative(bytes: Uint8Array, offset: number): number {
  const size = int32At(bytes, offset);
  if (size < 0) throw new BsonError("a length that is not negative", offset);
  return size;
}

const decoder = new TextDecoder();

/** The fields of a document in their order. */
export function* elementsOf(bytes: Uint8Array, offset = 0): Generator<Element> {
  const end = offset + documentLength(bytes, offset) - 1;
  let start = offset + 4;
  while (start < end) {
    const type = bytes[start]!;
    const nameEnd = endOfCString(bytes, start + 1);
    const valueEnd = endOfValue(bytes, type, nameEnd + 1);
    if (valueEnd > end) throw new BsonError("a value inside its document", nameEnd + 1);
    const name = decoder.decode(bytes.subarray(start + 1, nameEnd));
    yield { type, name, bytes, start, valueStart: nameEnd + 1, valueEnd };
    start = valueEnd;
  }
}

/** The first field with that name (ASCII), or `undefined`. Decodes nothing on the way. */
export function findElement(bytes: Uint8Array, name: string, offset = 0): Element | undefined {
  const end = offset + documentLength(bytes, offset) - 1;
  let start = offset + 4;
  while (start < end) {
    const type = bytes[start]!;
    const nameEnd = endOfCString(bytes, start + 1);
    const valueEnd = endOfValue(bytes, type, nameEnd + 1);
    if (valueEnd > end) throw new BsonError("a value inside its document", nameEnd + 1);
    if (nameEnd - start - 1 === name.length && isNamed(bytes, start + 1, name)) {
      return { type, name, bytes, start, valueStart: nameEnd + 1, valueEnd };
    }
    start = valueEnd;
  }
  return undefined;
}

function isNamed(bytes: Uint8Array, offset: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    if (bytes[offset + i] !== name.charCodeAt(i)) return false;
  }
  return true;
}

/** The bytes of an element's value, not copied. */
export function valueBytes(element: Element): Uint8Array {
  return element.bytes.subarray(element.valueStart, element.valueEnd);
}

/** The document or array an element holds, not copied; `undefined` when it holds something else. */
export function documentIn(element: Element | undefined): Uint8Array | undefined {
  if (element?.type !== BsonType.object && element?.type !== BsonType.array) return undefined;
  return valueBytes(element);
}

/** Text of a string or symbol; `undefined` for every other type. */
export function textIn(element: Element | undefined): string | undefined {
  if (element?.type !== BsonType.string && element?.type !== BsonType.symbol) return undefined;
  return decoder.decode(element.bytes.subarray(element.valueStart + 4, element.valueEnd - 1));
}

/** An int32, int64 or double as a JavaScript number (an int64 beyond 2^53 loses digits); `undefined` for the rest. */
export function numberIn(element: Element | undefined): number | undefined {
  if (!element) return undefined;
  const view = new DataView(element.bytes.buffer, element.bytes.byteOffset + element.valueStart);
  if (element.type === BsonType.int32) return view.getInt32(0, true);
  if (element.type === BsonType.double) return view.getFloat64(0, true);
  if (element.type === BsonType.int64) return Number(view.getBigInt64(0, true));
  return undefined;
}

/** Seconds and increment of a timestamp; `undefined` for other types. */
export function timestampIn(element: Element | undefined): { t: number; i: number } | undefined {
  if (element?.type !== BsonType.timestamp) return undefined;
  return {
    t: int32At(element.bytes, element.valueStart + 4) >>> 0,
    i: int32At(element.bytes, element.valueStart) >>> 0,
  };
}

/** Concatenated documents, one after the other, not copied. */
export function* documentsOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; ) {
    const length = documentLength(bytes, offset);
    yield bytes.subarray(offset, offset + length);
    offset += length;
  }
}

/** The documents in a BSON array that starts at `offset`, not copied; its index names are passed over unread. */
export function documentsInArray(bytes: Uint8Array, offset: number): Uint8Array[] {
  const documents: Uint8Array[] = [];
  const end = offset + documentLength(bytes, offset) - 1;
  let at = offset + 4;
  while (at < end) {
    if (bytes[at] !== BsonType.object) throw new BsonError("a document in the array", at);
    const start = endOfCString(bytes, at + 1) + 1;
    const length = documentLength(bytes, start);
    documents.push(bytes.subarray(start, start + length));
    at = start + length;
  }
  return documents;
}
