/** Work on BSON bytes without decoding them. */
import { ServerError } from "./errors.ts";

/** Largest document a client may store, and the most the server itself makes around one (oplog entries, events). */
/** Largest document a client may store. */
export const maxDocumentBytes = 16_777_216;
export const maxInternalDocumentBytes = maxDocumentBytes + 16 * 1024;
const maxDepth = 200;

export interface RawField {
  /** BSON type byte */
  type: number;
  /** first byte of the element (its type byte) */
  elementStart: number;
  /** first byte of the value */
  start: number;
  /** first byte after the value */
  end: number;
}

function int32(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** Length in bytes of the value of `type` at `at`; -1 for an unknown type. */
export function rawValueLength(bytes: Uint8Array, type: number, at: number): number {
  switch (type) {
    case 0x01:
    case 0x09:
    case 0x11:
    case 0x12:
      return 8;
    case 0x02:
    case 0x0d:
    case 0x0e:
      return int32(bytes, at) + 4;
    case 0x03:
    case 0x04:
    case 0x0f:
      return int32(bytes, at);
    case 0x05:
      return int32(bytes, at) + 5;
    case 0x06:
    case 0x0a:
    case 0x7f:
    case 0xff:
      return 0;
    case 0x07:
      return 12;
    case 0x08:
      return 1;
    case 0x0b:
      return bytes.indexOf(0, bytes.indexOf(0, at) + 1) + 1 - at;
    case 0x0c:
      return int32(bytes, at) + 16;
    case 0x10:
      return 4;
    case 0x13:
      return 16;
    default:
      return -1;
  }
}

/** The elements of a valid document, without decoding; `name` is given as its byte range. */
export function* rawElements(bytes: Uint8Array, offset = 0): Generator<RawField & { nameEnd: number }> {
  let at = offset + 4;
  while (bytes[at] !== 0 && at < bytes.length) {
    const elementStart = at;
    const type = bytes[at]!;
    const nameEnd = bytes.indexOf(0, at + 1);
    const start = nameEnd + 1;
    const length = rawValueLength(bytes, type, start);
    if (length < 0 || nameEnd < 0) throw new ServerError("InvalidBSON", `unrecognized BSON type ${type}`);
    at = start + length;
    yield { type, elementStart, start, end: at, nameEnd };
  }
}

/** Finds a top-level field of the document at `offset` without decoding; undefined when there is none. */
export function rawField(bytes: Uint8Array, name: string, offset = 0): RawField | undefined {
  const wanted = Buffer.from(name, "utf8");
  let at = offset + 4;
  while (at < bytes.length && bytes[at] !== 0) {
    const type = bytes[at]!;
    const elementStart = at;
    let cursor = at + 1;
    let i = 0;
    while (i < wanted.length && bytes[cursor] === wanted[i]) {
      i++;
      cursor++;
    }
    const found = i === wanted.length && bytes[cursor] === 0;
    while (bytes[cursor] !== 0 && cursor < bytes.length) cursor++;
    const start = cursor + 1;
    const length = rawValueLength(bytes, type, start);
    if (length < 0) throw new ServerError("InvalidBSON", `unrecognized BSON type ${type}`);
    at = start + length;
    if (found) return { type, elementStart, start, end: at };
  }
  return undefined;
}

/**
 * Gives the document with `element` (a complete element: type byte, name, value) as its first field. A field
 * `_id` it had elsewhere is taken out, so the same function adds an `_id` and moves it to the front.
 */
export function withIdFirst(bytes: Uint8Array, element?: Uint8Array): Uint8Array {
  const present = rawField(bytes, "_id");
  if (element === undefined && present === undefined)
    throw new ServerError("BadValue", "document has no _id");
  if (element === undefined && present!.elementStart === 4) return bytes;
  const first = element ?? bytes.subarray(present!.elementStart, present!.end);
  const before = present === undefined ? bytes.subarray(4) : bytes.subarray(4, present.elementStart);
  const after = present === undefined ? new Uint8Array(0) : bytes.subarray(present.end);
  const result = new Uint8Array(4 + first.length + before.length + after.length);
  result.set(first, 4);
  result.set(before, 4 + first.length);
  result.set(after, 4 + first.length + before.length);
  new DataView(result.buffer).setInt32(0, result.length, true);
  return result;
}

/** Adds `_id: ObjectId(id)` in front; the document must not have an `_id`. */
export function prependObjectId(bytes: Uint8Array, id: Uint8Array): Uint8Array {
  const element = new Uint8Array(17);
  element.set([0x07, 0x5f, 0x69, 0x64, 0x00]);
  element.set(id, 5);
  return withIdFirst(bytes, element);
}

/** @throws ServerError BSONObjectTooLarge when the document is larger than a client may store */
export function checkDocumentSize(bytes: Uint8Array): void {
  if (bytes.length <= maxDocumentBytes) return;
  throw new ServerError(
    "BSONObjectTooLarge",
    `BSONObj size: ${bytes.length} (0x${bytes.length.toString(16).toUpperCase()}) is invalid. ` +
      `Size must be between 0 and ${maxInternalDocumentBytes}(16MB)`,
  );
}

/**
 * Checks the structure of untrusted bytes: every length, terminator and type, and the nesting depth.
 * @returns the length of the document at `offset`
 * @throws ServerError InvalidBSON
 */
export function validate(bytes: Uint8Array, offset = 0, limit = bytes.length): number {
  return validateDocument(bytes, offset, limit, 1) - offset;
}

function fail(message: string): never {
  throw new ServerError("InvalidBSON", message);
}

function validateDocument(bytes: Uint8Array, offset: number, limit: number, depth: number): number {
  if (depth > maxDepth) fail(`BSONObj exceeds maximum nested object depth: ${maxDepth}`);
  if (limit - offset < 5) fail(`BSON data has to be at least 5 bytes`);
  const length = int32(bytes, offset);
  const end = offset + length;
  if (length < 5 || end > limit) fail(`incorrect BSON length ${length}`);
  if (bytes[end - 1] !== 0) fail("BSON object not terminated with EOO");
  let at = offset + 4;
  while (at < end - 1) {
    const type = bytes[at]!;
    if (type === 0) fail("unexpected end of BSON object");
    const nameEnd = bytes.indexOf(0, at + 1);
    if (nameEnd < 0 || nameEnd >= end - 1) fail("field name is not terminated");
    at = validateValue(bytes, type, nameEnd + 1, end - 1, depth);
  }
  if (at !== end - 1) fail("BSON length does not match its contents");
  return end;
}

function validateString(bytes: Uint8Array, at: number, limit: number): number {
  if (limit - at < 5) fail("string is cut off");
  const length = int32(bytes, at);
  const end = at + 4 + length;
  if (length < 1 || end > limit || bytes[end - 1] !== 0) fail("invalid string length or terminator");
  return end;
}

function validateValue(bytes: Uint8Array, type: number, at: number, limit: number, depth: number): number {
  switch (type) {
    case 0x03:
    case 0x04:
      return validateDocument(bytes, at, limit, depth + 1);
    case 0x02:
    case 0x0d:
    case 0x0e:
      return validateString(bytes, at, limit);
    case 0x0b: {
      const pattern = bytes.indexOf(0, at);
      const options = pattern < 0 ? -1 : bytes.indexOf(0, pattern + 1);
      if (options < 0 || options >= limit) fail("regular expression is not terminated");
      return options + 1;
    }
    case 0x0f: {
      const scope = validateString(bytes, at + 4, limit);
      const end = validateDocument(bytes, scope, limit, depth + 1);
      if (int32(bytes, at) !== end - at) fail("length of code with scope does not match its contents");
      return end;
    }
    case 0x0c: {
      const end = validateString(bytes, at, limit) + 12;
      if (end > limit) fail("value is cut off");
      return end;
    }
    default:
      return validateFixed(bytes, type, at, limit);
  }
}

function validateFixed(bytes: Uint8Array, type: number, at: number, limit: number): number {
  if (type === 0x05 && (limit - at < 5 || int32(bytes, at) < 0)) fail("invalid binary length");
  const length = rawValueLength(bytes, type, at);
  if (length < 0) fail(`unrecognized BSON type ${type}`);
  if (at + length > limit) fail("value is cut off");
  if (type === 0x08 && bytes[at]! > 1) fail("invalid boolean value");
  return at + length;
}
