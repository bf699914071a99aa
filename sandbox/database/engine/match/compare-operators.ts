import { bracketOf, type Collator, compareValues } from "../compare.ts";
import { ServerError } from "../errors.ts";
import { keyOf } from "../keystring.ts";
import { BsonType, isNumber, typeOf, type Value } from "../value.ts";
import type { ValueTest } from "./path.ts";
import { compileRegex } from "./regex.ts";

export type Comparison = "$eq" | "$lt" | "$lte" | "$gt" | "$gte";

function isNaNValue(value: Value): boolean {
  if (!isNumber(value)) return false;
  return value._bsontype === "Double"
    ? Number.isNaN(value.value)
    : value._bsontype === "Decimal128" && value.toString() === "NaN";
}

const accepts: Record<Comparison, (order: number) => boolean> = {
  $eq: (order) => order === 0,
  $lt: (order) => order < 0,
  $lte: (order) => order <= 0,
  $gt: (order) => order > 0,
  $gte: (order) => order >= 0,
};

/** A comparison with `operand`: only values of the same type bracket compare; null also means missing. */
export function compileComparison(operator: Comparison, operand: Value, collation?: Collator): ValueTest {
  const type = typeOf(operand);
  if (type === BsonType.Undefined) throw new ServerError("BadValue", "cannot compare to undefined");
  const allowsEqual = operator === "$eq" || operator === "$lte" || operator === "$gte";
  if (type === BsonType.Null) {
    return (value) => allowsEqual && (value === undefined || value === null || isUndefinedType(value));
  }
  if (type === BsonType.MinKey || type === BsonType.MaxKey) {
    const accept = accepts[operator];
    return (value) => {
      if (value === undefined || typeOf(value) !== type) return operator !== "$eq";
      return accept(0);
    };
  }
  if (isNaNValue(operand)) return (value) => allowsEqual && value !== undefined && isNaNValue(value);
  if (operator === "$eq") return compileEquality(operand, type, collation);
  const bracket = bracketOf(type);
  const accept = accepts[operator];
  const numeric = bracket === 10;
  return (value) => {
    if (value === undefined || bracketOf(typeOf(value)) !== bracket) return false;
    return accept(compareValues(value, operand, collation)) && !(numeric && isNaNValue(value));
  };
}

function isUndefinedType(value: Value): boolean {
  return typeOf(value) === BsonType.Undefined;
}

function compileEquality(operand: Value, type: number, collation?: Collator): ValueTest {
  if (type === BsonType.String && collation === undefined) {
    return (value) =>
      value === operand ||
      (typeof value === "object" && value !== null && compareValues(value, operand) === 0);
  }
  return (value) => value !== undefined && compareValues(value, operand, collation) === 0;
}

function isExpressionDocument(value: Value): boolean {
  if (!(value instanceof Map) || value.size === 0) return false;
  const [first] = value.keys();
  return first!.startsWith("$") && !(value.has("$ref") && value.has("$id"));
}

/** `$in`: equal to any of the operands, or matched by a regular expression among them. */
export function compileIn(operand: Value, collation?: Collator, operator = "$in"): ValueTest {
  if (!Array.isArray(operand)) throw new ServerError("BadValue", `${operator} needs an array`);
  const regexes: ValueTest[] = [];
  const equalities: Value[] = [];
  let hasNull = false;
  for (const element of operand) {
    if (isExpressionDocument(element)) throw new ServerError("BadValue", "cannot nest $ under $in");
    const type = typeOf(element);
    if (type === BsonType.Undefined)
      throw new ServerError("BadValue", "InMatchExpression equality cannot be undefined");
    if (type === BsonType.RegExp) regexes.push(compileRegex(element));
    else equalities.push(element);
    if (type === BsonType.Null) hasNull = true;
  }
  const equal = compileMembership(equalities, collation);
  const isMember: ValueTest = (value) =>
    value === undefined ? hasNull : equal(value) || (hasNull && isUndefinedType(value));
  if (regexes.length === 0) return isMember;
  return (value) => isMember(value) || regexes.some((regex) => regex(value));
}

function compileMembership(operands: Value[], collation?: Collator): (value: Value) => boolean {
  if (operands.length <= 4 || collation !== undefined) {
    return (value) => operands.some((operand) => compareValues(value, operand, collation) === 0);
  }
  // Equal values have equal keys, whatever their numeric type.
  const strings = new Set<string>();
  const keys = new Set<string>();
  for (const operand of operands) {
    if (typeof operand === "string") strings.add(operand);
    keys.add(Buffer.from(keyOf([operand])).toString("latin1"));
  }
  return (value) =>
    typeof value === "string"
      ? strings.has(value) || (strings.size < keys.size && keys.has(latin1Key(value)))
      : keys.has(latin1Key(value));
}

function latin1Key(value: Value): string {
  return Buffer.from(keyOf([value])).toString("latin1");
}
