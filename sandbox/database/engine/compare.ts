/** MongoDB's total order over all values. */
import { compareNumbers } from "./numeric.ts";
import {
  type Binary,
  type BSONRegExp,
  type BSONSymbol,
  BsonType,
  type Code,
  type DateTime,
  type DbPointer,
  type Document,
  type NumberValue,
  type ObjectId,
  type Timestamp,
  typeOf,
  type Value,
} from "./value.ts";

/** Compares two strings; the order of a collation. */
export interface Collator {
  compare(a: string, b: string): number;
}

/** Type brackets in their order (the server's `canonicalizeBSONType`). */
const brackets = new Int16Array(128);
for (const [type, bracket] of [
  [BsonType.Null, 5],
  [BsonType.Double, 10],
  [BsonType.Int32, 10],
  [BsonType.Long, 10],
  [BsonType.Decimal128, 10],
  [BsonType.String, 15],
  [BsonType.Symbol, 15],
  [BsonType.Object, 20],
  [BsonType.Array, 25],
  [BsonType.Binary, 30],
  [BsonType.ObjectId, 35],
  [BsonType.Boolean, 40],
  [BsonType.Date, 45],
  [BsonType.Timestamp, 47],
  [BsonType.RegExp, 50],
  [BsonType.DbPointer, 55],
  [BsonType.Code, 60],
  [BsonType.CodeWithScope, 65],
  [BsonType.MaxKey, 127],
] as const) {
  brackets[type] = bracket;
}

/** Rank of a type number in the order of types: MinKey -1, undefined 0, null 5, numbers 10, … MaxKey 127. */
export function bracketOf(type: number): number {
  return type < 0 ? -1 : brackets[type]!;
}

/** Order of the strings' UTF-8 bytes, which is that of code points. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    let left = a.charCodeAt(i);
    let right = b.charCodeAt(i);
    if (left === right) continue;
    // In UTF-16 surrogates (code points from 0x10000) sort below 0xE000..0xFFFF; in UTF-8 above.
    if (left >= 0xd800 && right >= 0xd800) {
      left = left >= 0xe000 ? left - 0x800 : left + 0x2000;
      right = right >= 0xe000 ? right - 0x800 : right + 0x2000;
    }
    return left < right ? -1 : 1;
  }
  return a.length < b.length ? -1 : 1;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return a[i]! < b[i]! ? -1 : 1;
  }
  return a.length - b.length;
}

function compareUnsigned(a: number, b: number): number {
  const left = a >>> 0;
  const right = b >>> 0;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Bytes of a binary value, without the spare capacity js-bson may keep. */
export function binaryBytes(value: Binary): Uint8Array {
  return value.buffer.length === value.position ? value.buffer : value.buffer.subarray(0, value.position);
}

/** Documents: field by field, first by type, then by name, then by value; the one that ends first is less. */
function compareDocuments(a: Document, b: Document, collation?: Collator): number {
  const right = b.entries();
  for (const [name, value] of a) {
    const next = right.next();
    if (next.done) return 1;
    const [otherName, otherValue] = next.value;
    const type = typeOf(value);
    const otherType = typeOf(otherValue);
    const byType = bracketOf(type) - bracketOf(otherType);
    if (byType !== 0) return byType;
    const byName = compareStrings(name, otherName);
    if (byName !== 0) return byName;
    const byValue = compareSameBracket(type, value, otherValue, collation);
    if (byValue !== 0) return byValue;
  }
  return right.next().done ? 0 : -1;
}

function compareArrays(a: Value[], b: Value[], collation?: Collator): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = compareValues(a[i]!, b[i]!, collation);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

function textOf(value: Value): string {
  return typeof value === "string" ? value : (value as BSONSymbol).value;
}

// Casts: both values are in the bracket of `type`, which implies their classes.
function compareSameBracket(type: number, a: Value, b: Value, collation?: Collator): number {
  switch (type) {
    case BsonType.Int32:
    case BsonType.Double:
    case BsonType.Long:
    case BsonType.Decimal128:
      return compareNumbers(a as NumberValue, b as NumberValue);
    case BsonType.String:
    case BsonType.Symbol:
      return collation === undefined
        ? compareStrings(textOf(a), textOf(b))
        : collation.compare(textOf(a), textOf(b));
    case BsonType.Object:
      return compareDocuments(a as Document, b as Document, collation);
    case BsonType.Array:
      return compareArrays(a as Value[], b as Value[], collation);
    case BsonType.ObjectId:
      return compareBytes((a as ObjectId).id, (b as ObjectId).id);
    case BsonType.Boolean:
      return a === b ? 0 : a === false ? -1 : 1;
    case BsonType.Date: {
      const left = (a as DateTime).milliseconds;
      const right = (b as DateTime).milliseconds;
      return left < right ? -1 : left > right ? 1 : 0;
    }
    default:
      return compareRare(type, a, b, collation);
  }
}

function compareRare(type: number, a: Value, b: Value, collation?: Collator): number {
  switch (type) {
    case BsonType.Timestamp:
      return (
        compareUnsigned((a as Timestamp).high, (b as Timestamp).high) ||
        compareUnsigned((a as Timestamp).low, (b as Timestamp).low)
      );
    case BsonType.Binary: {
      const left = a as Binary;
      const right = b as Binary;
      return (
        left.position - right.position ||
        left.sub_type - right.sub_type ||
        compareBytes(binaryBytes(left), binaryBytes(right))
      );
    }
    case BsonType.RegExp:
      return (
        compareStrings((a as BSONRegExp).pattern, (b as BSONRegExp).pattern) ||
        compareStrings((a as BSONRegExp).options, (b as BSONRegExp).options)
      );
    case BsonType.DbPointer: {
      const left = Buffer.from((a as DbPointer).namespace);
      const right = Buffer.from((b as DbPointer).namespace);
      return (
        left.length - right.length ||
        compareBytes(left, right) ||
        compareBytes((a as DbPointer).id.id, (b as DbPointer).id.id)
      );
    }
    case BsonType.Code:
      return compareStrings((a as Code).code, (b as Code).code);
    case BsonType.CodeWithScope:
      return (
        compareStrings((a as Code).code, (b as Code).code) ||
        compareDocuments(
          (a as Code).scope as unknown as Document,
          (b as Code).scope as unknown as Document,
          collation,
        )
      );
    default:
      return 0;
  }
}

/**
 * MongoDB's total order: types by bracket (MinKey, undefined, null, numbers, strings, documents, arrays, binary,
 * ObjectId, booleans, dates, timestamps, regular expressions, …, MaxKey), then by value. Numbers compare exactly
 * across their types, NaN below all. Gives < 0, 0 or > 0.
 */
export function compareValues(a: Value, b: Value, collation?: Collator): number {
  if (a === b) return 0;
  const type = typeOf(a);
  const otherType = typeOf(b);
  if (type !== otherType) {
    const byType = bracketOf(type) - bracketOf(otherType);
    if (byType !== 0) return byType;
  }
  return compareSameBracket(type, a, b, collation);
}

/** Equality under {@link compareValues}: 1 and NumberLong(1) are equal, -0 and 0 too. */
export function equalValues(a: Value, b: Value, collation?: Collator): boolean {
  return compareValues(a, b, collation) === 0;
}

/** Same type and same bytes in BSON, as the server decides whether an update is a no-op: 1 and 1.0 differ. */
export function identicalValues(a: Value, b: Value): boolean {
  if (a === b) return true;
  const type = typeOf(a);
  if (type !== typeOf(b)) return false;
  switch (type) {
    case BsonType.Object:
      return identicalDocuments(a as Document, b as Document);
    case BsonType.Array: {
      const left = a as Value[];
      const right = b as Value[];
      return left.length === right.length && left.every((value, i) => identicalValues(value, right[i]!));
    }
    case BsonType.Double:
      return Object.is((a as { value: number }).value, (b as { value: number }).value);
    case BsonType.Decimal128:
      return compareBytes((a as { bytes: Uint8Array }).bytes, (b as { bytes: Uint8Array }).bytes) === 0;
    case BsonType.CodeWithScope:
      return (
        (a as Code).code === (b as Code).code &&
        identicalDocuments((a as Code).scope as unknown as Document, (b as Code).scope as unknown as Document)
      );
    default:
      return compareSameBracket(type, a, b) === 0;
  }
}

function identicalDocuments(a: Document, b: Document): boolean {
  if (a.size !== b.size) return false;
  const right = b.entries();
  for (const [name, value] of a) {
    const [otherName, otherValue] = right.next().value!;
    if (name !== otherName || !identicalValues(value, otherValue)) return false;
  }
  return true;
}
