/** Values as the server prints them in its messages. */
import { binaryBytes } from "./compare.ts";
import {
  type Binary,
  type BSONRegExp,
  type BSONSymbol,
  BsonType,
  type Code,
  type DateTime,
  type DbPointer,
  type Decimal128,
  type Document,
  type Double,
  type Int32,
  type Long,
  longToBigInt,
  type ObjectId,
  type Timestamp,
  typeOf,
  type Value,
} from "./value.ts";

function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n").replaceAll("\t", "\\t")}"`;
}

/** A double as the server prints it: always with a fraction or an exponent. */
function describeDouble(value: number): string {
  if (Number.isNaN(value)) return "nan.0";
  if (value === Infinity) return "inf.0";
  if (value === -Infinity) return "-inf.0";
  if (Number.isInteger(value) && Math.abs(value) < 1e16) return `${Object.is(value, -0) ? "-0" : value}.0`;
  return String(value);
}

/** One value in the server's notation: `{ a: 1 }`, `[ 1, "x" ]`, `ObjectId('…')`. */
export function describeValue(value: Value): string {
  const type = typeOf(value);
  switch (type) {
    case BsonType.String:
      return quoted(value as string);
    case BsonType.Boolean:
      return String(value);
    case BsonType.Null:
      return "null";
    case BsonType.Int32:
      return String((value as Int32).value);
    case BsonType.Double:
      return describeDouble((value as Double).value);
    case BsonType.Long:
      return longToBigInt(value as Long).toString();
    case BsonType.Decimal128:
      return (value as Decimal128).toString();
    case BsonType.Object:
      return describeDocument(value as Document);
    case BsonType.Array:
      return (value as Value[]).length === 0
        ? "[]"
        : `[ ${(value as Value[]).map(describeValue).join(", ")} ]`;
    default:
      return describeRare(type, value);
  }
}

function describeRare(type: number, value: Value): string {
  switch (type) {
    case BsonType.ObjectId:
      return `ObjectId('${(value as ObjectId).toHexString()}')`;
    case BsonType.Date:
      return `new Date(${(value as DateTime).milliseconds})`;
    case BsonType.Timestamp:
      return `Timestamp(${(value as Timestamp).high >>> 0}, ${(value as Timestamp).low >>> 0})`;
    case BsonType.RegExp:
      return `/${(value as BSONRegExp).pattern}/${(value as BSONRegExp).options}`;
    case BsonType.Binary:
      return `BinData(${(value as Binary).sub_type}, ${Buffer.from(binaryBytes(value as Binary))
        .toString("hex")
        .toUpperCase()})`;
    case BsonType.Undefined:
      return "undefined";
    case BsonType.MinKey:
      return "MinKey";
    case BsonType.MaxKey:
      return "MaxKey";
    case BsonType.DbPointer:
      return `DBRef('${(value as DbPointer).namespace}',${(value as DbPointer).id.toHexString()})`;
    case BsonType.Code:
      return (value as Code).code;
    case BsonType.Symbol:
      return quoted((value as BSONSymbol).value);
    default:
      return `CodeWScope( ${(value as Code).code}, ${describeDocument((value as Code).scope as unknown as Document)})`;
  }
}

export function describeDocument(document: Document): string {
  if (document.size === 0) return "{}";
  return `{ ${[...document].map(([name, value]) => describeElement(name, value)).join(", ")} }`;
}

/** `name: value` */
export function describeElement(name: string, value: Value): string {
  return `${name}: ${describeValue(value)}`;
}
