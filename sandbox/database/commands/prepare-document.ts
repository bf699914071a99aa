/** A client's document made ready to be stored: `_id` present and first, size and shape checked, key worked out. */
import { decode } from "../engine/codec.ts";
import { ServerError } from "../engine/errors.ts";
import { keyOf } from "../engine/keystring.ts";
import { checkDocumentSize, prependObjectId, rawValueLength, validate, withIdFirst } from "../engine/raw.ts";
import { ObjectId, type Value } from "../engine/value.ts";
import { type Clock, tsIncrement, tsSeconds } from "../storage/timestamp.ts";
import { documentKeyOf } from "../storage/write-unit.ts";

export interface Prepared {
  key: Uint8Array;
  document: Uint8Array;
}

const KEY_OF_OBJECT_ID = keyOf([new ObjectId("000000000000000000000000")]);
/** Where the twelve bytes stand in the key of an ObjectId; -1 if keys aren't built like that. */
const OBJECT_ID_AT = KEY_OF_OBJECT_ID.length === 13 ? 1 : -1;

/** The key of the `_id` at the front of a stored document. */
export function keyOfStored(document: Uint8Array): Uint8Array {
  if (document[4] === 7 && OBJECT_ID_AT === 1) {
    const key = new Uint8Array(13);
    key[0] = KEY_OF_OBJECT_ID[0]!;
    key.set(document.subarray(9, 21), 1);
    return key;
  }
  return keyOf([idOf(document)]);
}

/** The value of `_id`. */
export function idOf(document: Uint8Array): Value {
  return decode(documentKeyOf(document)).get("_id") as Value;
}

const FORBIDDEN_ID = new Map([
  [4, "array"],
  [6, "undefined"],
  [11, "regex"],
]);

interface Shape {
  idStart: number;
  /** A top-level name begins with `$`. */
  dollars: boolean;
  /** Positions of timestamps that are all zero: the server fills them in. */
  zeroTimestamps: number[];
}

function isZero(bytes: Uint8Array, at: number): boolean {
  for (let index = at; index < at + 8; index++) if (bytes[index] !== 0) return false;
  return true;
}

function shapeOf(bytes: Uint8Array): Shape {
  const shape: Shape = { idStart: -1, dollars: false, zeroTimestamps: [] };
  const end = bytes.length - 1;
  let at = 4;
  while (at < end) {
    const type = bytes[at]!;
    const nameEnd = bytes.indexOf(0, at + 1);
    const isId =
      nameEnd === at + 4 && bytes[at + 1] === 0x5f && bytes[at + 2] === 0x69 && bytes[at + 3] === 0x64;
    if (isId && shape.idStart < 0) {
      shape.idStart = at;
      const forbidden = FORBIDDEN_ID.get(type);
      if (forbidden)
        throw new ServerError("InvalidIdField", `The '_id' value cannot be of type ${forbidden}`);
      if (type === 3) checkIdDocument(bytes, nameEnd + 1);
    } else if (bytes[at + 1] === 0x24) shape.dollars = true;
    else if (type === 17 && isZero(bytes, nameEnd + 1)) shape.zeroTimestamps.push(nameEnd + 1);
    at = nameEnd + 1 + rawValueLength(bytes, type, nameEnd + 1);
  }
  return shape;
}

function checkIdDocument(bytes: Uint8Array, at: number): void {
  for (const name of decode(bytes, at).keys()) {
    if (name.startsWith("$")) {
      throw new ServerError(
        "DollarPrefixedFieldName",
        `_id fields may not contain '$'-prefixed fields: ${name} is not valid for storage.`,
      );
    }
  }
}

/**
 * Prepares a document for insert.
 * @throws ServerError InvalidBSON, BSONObjectTooLarge, InvalidIdField, DollarPrefixedFieldName
 */
export function prepareInsert(bytes: Uint8Array, clock: Clock): Prepared {
  validate(bytes);
  const shape = shapeOf(bytes);
  let document = bytes;
  if (shape.zeroTimestamps.length > 0) {
    document = new Uint8Array(bytes);
    const view = new DataView(document.buffer);
    for (const at of shape.zeroTimestamps) {
      const now = clock.next();
      view.setUint32(at, tsIncrement(now), true);
      view.setUint32(at + 4, tsSeconds(now), true);
    }
  }
  if (shape.idStart < 0) document = prependObjectId(document, new ObjectId().id);
  else if (shape.idStart !== 4) document = withIdFirst(document);
  checkDocumentSize(document);
  return { key: keyOfStored(document), document };
}

/**
 * A replacement taken as it is, without decoding: gives the bytes to store when nothing about it needs a closer look,
 * else undefined (then the general way decides and reports).
 * @param id element of the stored or wanted `_id`, as bytes
 */
export function prepareReplacement(bytes: Uint8Array, id: Uint8Array): Uint8Array | undefined {
  validate(bytes);
  const shape = shapeOf(bytes);
  if (shape.dollars || shape.zeroTimestamps.length > 0) return undefined;
  if (shape.idStart < 0) return withIdFirst(bytes, id);
  const own = bytes.subarray(shape.idStart, shape.idStart + id.length);
  if (Buffer.compare(own, id) !== 0) return undefined;
  return shape.idStart === 4 ? bytes : withIdFirst(bytes);
}
