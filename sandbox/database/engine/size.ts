import {
  type Binary,
  type BSONRegExp,
  type BSONSymbol,
  BsonType,
  type Code,
  type DbPointer,
  type Document,
  typeOf,
  type Value,
} from "./value.ts";

function stringSize(text: string): number {
  return Buffer.byteLength(text) + 5;
}

function elementsSize(entries: Iterable<[string | number, Value]>): number {
  let size = 5;
  for (const [name, value] of entries) {
    size += 2 + (typeof name === "number" ? String(name).length : Buffer.byteLength(name)) + bsonSize(value);
  }
  return size;
}

/** Bytes a value takes in BSON (without type byte and name). */
export function bsonSize(value: Value): number {
  const type = typeOf(value);
  switch (type) {
    case BsonType.String:
      return stringSize(value as string);
    case BsonType.Object:
      return elementsSize(value as Document);
    case BsonType.Array:
      return elementsSize((value as Value[]).entries());
    case BsonType.Double:
    case BsonType.Date:
    case BsonType.Timestamp:
    case BsonType.Long:
      return 8;
    case BsonType.Int32:
      return 4;
    case BsonType.Boolean:
      return 1;
    case BsonType.ObjectId:
      return 12;
    case BsonType.Decimal128:
      return 16;
    default:
      return rareSize(type, value);
  }
}

function rareSize(type: number, value: Value): number {
  switch (type) {
    case BsonType.Binary:
      return 5 + (value as Binary).position;
    case BsonType.RegExp:
      return (
        Buffer.byteLength((value as BSONRegExp).pattern) +
        Buffer.byteLength((value as BSONRegExp).options) +
        2
      );
    case BsonType.Code:
      return stringSize((value as Code).code);
    case BsonType.Symbol:
      return stringSize((value as BSONSymbol).value);
    case BsonType.DbPointer:
      return stringSize((value as DbPointer).namespace) + 12;
    case BsonType.CodeWithScope:
      return 4 + stringSize((value as Code).code) + bsonSize((value as Code).scope as unknown as Document);
    default:
      return 0;
  }
}
