/** "Evaluating Matches" of the unified test format: does an actual value match the expected one, and if not, where. */
import { BSON, type Document } from "mongodb";
import type { Entities } from "./entities.ts";

export interface MatchOptions {
  readonly entities: Entities;
  /** Where the value lies, for the message. */
  readonly path: string;
  /** A root-level document may have more keys than expected. */
  readonly isRoot?: boolean;
}

const absent = undefined;

/** True for what BSON writes as an embedded document. */
export function isDocument(value: unknown): value is Document {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return !(
    "_bsontype" in value ||
    value instanceof Date ||
    value instanceof RegExp ||
    ArrayBuffer.isView(value)
  );
}

/** The driver keeps the order of some documents in a Map. */
function withoutMap(value: unknown): unknown {
  return value instanceof Map ? Object.fromEntries(value) : value;
}

function bsonTypeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") {
    if (!Number.isInteger(value)) return "double";
    return value === (value | 0) ? "int" : "long";
  }
  if (value instanceof Date) return "date";
  if (value instanceof RegExp) return "regex";
  if (ArrayBuffer.isView(value)) return "binData";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "bigint") return "long";
  if (typeof value !== "object") return typeof value;
  const names: Record<string, string> = {
    ObjectId: "objectId",
    Binary: "binData",
    Int32: "int",
    Long: "long",
    Double: "double",
    Decimal128: "decimal",
    Timestamp: "timestamp",
    MinKey: "minKey",
    MaxKey: "maxKey",
    BSONRegExp: "regex",
    Code: "javascript",
  };
  const type = (value as { _bsontype?: string })._bsontype;
  return type === undefined ? "object" : (names[type] ?? type);
}

function asNumber(value: unknown): number | undefined {
  if (typeof value === "number" || typeof value === "bigint") return Number(value);
  const type = (value as { _bsontype?: string } | null | undefined)?._bsontype;
  return type === "Long" || type === "Int32" || type === "Double" ? Number(value) : undefined;
}

/** How a value is written in a message. */
export function show(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  const text = BSON.EJSON.stringify({ value: withoutMap(value) }).slice('{"value":'.length, -1);
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}

function isSpecial(value: unknown): value is Document {
  return isDocument(value) && (Object.keys(value)[0] ?? "").startsWith("$$");
}

function special(expected: Document, actual: unknown, options: MatchOptions): string | undefined {
  const [name, argument] = Object.entries(expected)[0] as [string, unknown];
  const unlike = `${options.path}: expected ${show(expected)}, got ${show(actual)}`;
  switch (name) {
    case "$$exists":
      return (actual !== absent) === argument ? undefined : unlike;
    case "$$type":
      return actual !== absent && [argument].flat().includes(bsonTypeOf(actual)) ? undefined : unlike;
    case "$$unsetOrMatches":
      return actual === absent || actual === null ? undefined : difference(argument, actual, options);
    case "$$matchesEntity":
      return difference(options.entities.get(String(argument)), actual, options);
    case "$$sessionLsid":
      return difference(options.entities.lsid(String(argument)), actual, { ...options, isRoot: false });
    case "$$matchesHexBytes":
      return String(actual).toLowerCase() === String(argument).toLowerCase() ? undefined : unlike;
    case "$$lte":
      return (asNumber(actual) ?? Number.NaN) <= Number(argument) ? undefined : unlike;
    case "$$matchAsDocument":
      return difference(argument, BSON.EJSON.parse(String(actual)), { ...options, isRoot: false });
    case "$$matchAsRoot":
      return difference(argument, actual, { ...options, isRoot: true });
    default:
      throw new Error(`${options.path}: the operator ${name} isn't known to this runner`);
  }
}

function differenceOfDocuments(
  expected: Document,
  actual: Document,
  options: MatchOptions,
): string | undefined {
  for (const [key, value] of Object.entries(expected)) {
    const found = difference(value, actual[key], {
      ...options,
      path: `${options.path}.${key}`,
      isRoot: false,
    });
    if (found) return found;
  }
  if (options.isRoot) return undefined;
  const extra = Object.keys(actual).find((key) => actual[key] !== absent && !(key in expected));
  return extra && `${options.path}.${extra}: expected nothing, got ${show(actual[extra])}`;
}

/** @returns the first difference, saying where it is, what was expected and what was there; undefined for a match */
export function difference(expected: unknown, given: unknown, options: MatchOptions): string | undefined {
  if (isSpecial(expected)) return special(expected, withoutMap(given), options);
  const actual = withoutMap(given);
  const unlike = `${options.path}: expected ${show(expected)}, got ${show(actual)}`;
  if (isDocument(expected)) {
    return isDocument(actual) ? differenceOfDocuments(expected, actual, options) : unlike;
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return unlike;
    for (const [index, value] of expected.entries()) {
      const found = difference(value, actual[index], { ...options, path: `${options.path}[${index}]` });
      if (found) return found;
    }
    return undefined;
  }
  if (actual === absent) return unlike;
  const number = asNumber(expected);
  if (number !== undefined) return asNumber(actual) === number ? undefined : unlike;
  const same =
    BSON.EJSON.stringify([expected], { relaxed: false }) ===
    BSON.EJSON.stringify([actual], { relaxed: false });
  return same ? undefined : unlike;
}
