/** Series of documents: partitions, and values between known ones. */
import { add, multiply, toNumber } from "../../arithmetic.ts";
import { compareValues } from "../../compare.ts";
import { ServerError } from "../../errors.ts";
import { keyOf } from "../../keystring.ts";
import {
  BsonType,
  DateTime,
  Decimal128,
  type Document,
  Double,
  type Int32,
  isNumber,
  typeOf,
  type Value,
} from "../../value.ts";
import type { Expression } from "../expression.ts";
import { subtract } from "../operators/arithmetic.ts";

/** Straight line between the known values on both sides, by the sort field. */
export function interpolate(values: (Value | undefined)[], positions: Value[]): Value[] {
  const isMissing = (value: Value | undefined) =>
    value === undefined || value === null || typeOf(value) === BsonType.Undefined;
  const result: Value[] = values.map((value) => value ?? null);
  let before = -1;
  for (let index = 0; index < values.length; index++) {
    if (isMissing(values[index])) continue;
    for (let gap = before + 1; gap < index && before >= 0; gap++) {
      result[gap] = between(
        values[before]!,
        values[index]!,
        positions[before]!,
        positions[index]!,
        positions[gap]!,
      );
    }
    before = index;
  }
  return result;
}

function between(low: Value, high: Value, from: Value, to: Value, at: Value): Value {
  if (!isNumber(low) || !isNumber(high))
    throw new ServerError(605001, "Value to be filled must be numeric or nullish");
  const place = (value: Value) => (value instanceof DateTime ? value.valueOf() : toNumber(value as Int32));
  const share = (place(at) - place(from)) / (place(to) - place(from));
  if (low instanceof Decimal128 || high instanceof Decimal128)
    return add(low, multiply(subtract(high, low), new Double(share))!)!;
  return new Double(toNumber(low) + (toNumber(high) - toNumber(low)) * share);
}

/** Carries the last known value on. */
export function carryForward(values: (Value | undefined)[]): Value[] {
  let last: Value = null;
  return values.map((value) => {
    if (value !== undefined && value !== null) last = value;
    return last;
  });
}

/** Splits documents into partitions, in the order of the partitions' values. */
export function partitionsOf(documents: Iterable<Document>, by: Expression | undefined): Document[][] {
  if (by === undefined) return [[...documents]];
  const partitions = new Map<string, { value: Value; documents: Document[] }>();
  for (const document of documents) {
    const value = by(document) ?? null;
    const key = Buffer.from(keyOf([value])).toString("latin1");
    const present = partitions.get(key);
    if (present === undefined) partitions.set(key, { value, documents: [document] });
    else present.documents.push(document);
  }
  return [...partitions.values()]
    .sort((a, b) => compareValues(a.value, b.value))
    .map((partition) => partition.documents);
}
