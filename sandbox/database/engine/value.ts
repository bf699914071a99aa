/**
 * The values a document is made of. Documents are `Map`s, so that the order of fields also holds for names that
 * look like integers ("0") or are special to JavaScript ("__proto__"). Numbers keep their BSON type.
 */
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from "bson";

export {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
};

/** UTC datetime (0x09): signed 64 bit milliseconds since 1970, a wider range than JavaScript's `Date`. */
export class DateTime {
  readonly milliseconds: bigint;
  constructor(milliseconds: bigint | number) {
    this.milliseconds = typeof milliseconds === "bigint" ? milliseconds : BigInt(milliseconds);
  }
  get _bsontype(): "DateTime" {
    return "DateTime";
  }
  /** The instant as a JavaScript number of milliseconds; exact within ±2^53. */
  valueOf(): number {
    return Number(this.milliseconds);
  }
  toDate(): Date {
    return new Date(Number(this.milliseconds));
  }
  static now(): DateTime {
    return new DateTime(BigInt(Date.now()));
  }
}

/** The deprecated type `undefined` (0x06). There is one instance: {@link UNDEFINED}. */
export class Undefined {
  get _bsontype(): "Undefined" {
    return "Undefined";
  }
}
export const UNDEFINED = new Undefined();

/** The deprecated type DBPointer (0x0C). */
export class DbPointer {
  readonly namespace: string;
  readonly id: ObjectId;
  constructor(namespace: string, id: ObjectId) {
    this.namespace = namespace;
    this.id = id;
  }
  get _bsontype(): "DbPointer" {
    return "DbPointer";
  }
}

export type Document = Map<string, Value>;
export type NumberValue = Int32 | Long | Double | Decimal128;
export type Value =
  | string
  | boolean
  | null
  | NumberValue
  | ObjectId
  | Binary
  | Timestamp
  | BSONRegExp
  | Code
  | BSONSymbol
  | DbPointer
  | MinKey
  | MaxKey
  | DateTime
  | Undefined
  | Document
  | Value[];

/** BSON type numbers as on the wire; MinKey is 255 there, -1 here as in `$type`. */
export const BsonType = {
  Double: 1,
  String: 2,
  Object: 3,
  Array: 4,
  Binary: 5,
  Undefined: 6,
  ObjectId: 7,
  Boolean: 8,
  Date: 9,
  Null: 10,
  RegExp: 11,
  DbPointer: 12,
  Code: 13,
  Symbol: 14,
  CodeWithScope: 15,
  Int32: 16,
  Timestamp: 17,
  Long: 18,
  Decimal128: 19,
  MinKey: -1,
  MaxKey: 127,
} as const;

/** Gives the BSON type number of a value. */
export function typeOf(value: Value): number {
  switch (typeof value) {
    case "string":
      return BsonType.String;
    case "boolean":
      return BsonType.Boolean;
  }
  if (value === null) return BsonType.Null;
  if (value instanceof Map) return BsonType.Object;
  if (Array.isArray(value)) return BsonType.Array;
  switch (value._bsontype) {
    case "Int32":
      return BsonType.Int32;
    case "Double":
      return BsonType.Double;
    case "ObjectId":
      return BsonType.ObjectId;
    case "Long":
      return BsonType.Long;
    case "DateTime":
      return BsonType.Date;
    case "Binary":
      return BsonType.Binary;
    case "Decimal128":
      return BsonType.Decimal128;
    case "Timestamp":
      return BsonType.Timestamp;
    case "BSONRegExp":
      return BsonType.RegExp;
    case "Code":
      return value.scope === null || value.scope === undefined ? BsonType.Code : BsonType.CodeWithScope;
    case "BSONSymbol":
      return BsonType.Symbol;
    case "DbPointer":
      return BsonType.DbPointer;
    case "MinKey":
      return BsonType.MinKey;
    case "MaxKey":
      return BsonType.MaxKey;
    case "Undefined":
      return BsonType.Undefined;
  }
  throw new TypeError(`expected a BSON value, got ${String(value)}`);
}

const typeNames = new Map<number, string>([
  [1, "double"],
  [2, "string"],
  [3, "object"],
  [4, "array"],
  [5, "binData"],
  [6, "undefined"],
  [7, "objectId"],
  [8, "bool"],
  [9, "date"],
  [10, "null"],
  [11, "regex"],
  [12, "dbPointer"],
  [13, "javascript"],
  [14, "symbol"],
  [15, "javascriptWithScope"],
  [16, "int"],
  [17, "timestamp"],
  [18, "long"],
  [19, "decimal"],
  [-1, "minKey"],
  [127, "maxKey"],
]);

/** Name of a value's type as in `$type` and in the server's messages ("binData", "objectId", …). */
export function typeName(value: Value): string {
  return typeNames.get(typeOf(value))!;
}

/** The type number for a name of {@link typeName}; undefined when there is no such type. */
export function typeNumberOf(name: string): number | undefined {
  for (const [number, known] of typeNames) if (known === name) return number;
  return undefined;
}

export function isDocument(value: Value | undefined): value is Document {
  return value instanceof Map;
}

export function isNumber(value: Value | undefined): value is NumberValue {
  if (typeof value !== "object" || value === null || value instanceof Map || Array.isArray(value))
    return false;
  const type = value._bsontype;
  return type === "Int32" || type === "Double" || type === "Long" || type === "Decimal128";
}

/** Exact value of a Long (js-bson's own conversion goes through a string). */
export function longToBigInt(value: { high: number; low: number }): bigint {
  return (BigInt(value.high) << 32n) | BigInt(value.low >>> 0);
}

/** Long of the low 64 bits. */
export function bigIntToLong(value: bigint): Long {
  return new Long(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
}
