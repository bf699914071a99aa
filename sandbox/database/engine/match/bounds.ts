/** Index bounds: which keys of an index can hold documents that match a filter. */

import { regExp } from "../codec.ts";
import { type Collator, compareValues } from "../compare.ts";
import {
  BsonType,
  DateTime,
  type Document,
  Double,
  Long,
  ObjectId,
  Timestamp,
  typeOf,
  UNDEFINED,
  type Value,
} from "../value.ts";
import { isOperatorDocument } from "./filter.ts";

/** Keys from `low` to `high` in the order of values. */
export interface Interval {
  low: Value;
  lowInclusive: boolean;
  high: Value;
  highInclusive: boolean;
}

export interface BoundsOptions {
  /**
   * Whether a document can have several keys in the index (arrays). Then two conditions on one field may be met
   * by different elements, so their intervals aren't intersected. Default: true, which is always right.
   */
  multikey?: boolean;
  /** The collation of the query; intervals of strings are then left out, unless it is undefined. */
  collation?: Collator;
}

function point(value: Value): Interval {
  return { low: value, lowInclusive: true, high: value, highInclusive: true };
}

/** The first and last value of a type's bracket; undefined where ranges aren't used. */
function bracketOf(value: Value): Interval | undefined {
  const range = (low: Value, high: Value, highInclusive = true) => ({
    low,
    lowInclusive: true,
    high,
    highInclusive,
  });
  switch (typeOf(value)) {
    case BsonType.Int32:
    case BsonType.Double:
    case BsonType.Long:
    case BsonType.Decimal128:
      return range(new Double(-Infinity), new Double(Infinity));
    case BsonType.String:
      return range("", new Map(), false);
    case BsonType.ObjectId:
      return range(new ObjectId("000000000000000000000000"), new ObjectId("ffffffffffffffffffffffff"));
    case BsonType.Boolean:
      return range(false, true);
    case BsonType.Date:
      return range(new DateTime(-(2n ** 63n)), new DateTime(2n ** 63n - 1n));
    case BsonType.Timestamp:
      return range(new Timestamp(0n), new Timestamp(new Long(-1, -1, true)));
    default:
      return undefined;
  }
}

function pointsOf(value: Value): Interval[] | undefined {
  switch (typeOf(value)) {
    case BsonType.Null:
      return [point(UNDEFINED), point(null)];
    case BsonType.RegExp:
    case BsonType.MinKey:
    case BsonType.MaxKey:
    case BsonType.Undefined:
      return undefined;
    case BsonType.Array: {
      // An index holds the elements of an array; an array of arrays holds the inner arrays whole.
      const [first] = value as Value[];
      return first === undefined ? [point(UNDEFINED), point(value)] : [point(first), point(value)];
    }
    default:
      return [point(value)];
  }
}

function rangeOf(operator: string, value: Value): Interval[] | undefined {
  if (typeOf(value) === BsonType.Null) return pointsOf(value);
  const bracket = bracketOf(value);
  if (bracket === undefined || Number.isNaN((value as Double).value)) return undefined;
  switch (operator) {
    case "$gt":
      return [{ ...bracket, low: value, lowInclusive: false }];
    case "$gte":
      return [{ ...bracket, low: value }];
    case "$lt":
      return [{ ...bracket, high: value, highInclusive: false }];
    default:
      return [{ ...bracket, high: value, highInclusive: true }];
  }
}

function prefixOf(value: Value): Interval[] | undefined {
  const { pattern, options } = value as { pattern: string; options: string };
  const prefix = /^\^([A-Za-z0-9 _\-:/@,;]+)(.?)/.exec(pattern);
  if (prefix === null || options !== "" || pattern.includes("|")) return undefined;
  // A quantifier after the prefix takes its last character away.
  const text = /[*?{]/.test(prefix[2]!) ? prefix[1]!.slice(0, -1) : prefix[1]!;
  if (text === "") return undefined;
  const next = text.slice(0, -1) + String.fromCharCode(text.charCodeAt(text.length - 1) + 1);
  return [
    { low: text, lowInclusive: true, high: next, highInclusive: false },
    point(regExp(pattern, options)),
  ];
}

function sortIntervals(intervals: Interval[]): Interval[] {
  const sorted = [...intervals].sort(
    (a, b) => compareValues(a.low, b.low) || Number(b.lowInclusive) - Number(a.lowInclusive),
  );
  const merged: Interval[] = [];
  for (const interval of sorted) {
    const last = merged.at(-1);
    const order = last === undefined ? -1 : compareValues(last.high, interval.low);
    if (last === undefined || order < 0 || (order === 0 && !last.highInclusive && !interval.lowInclusive)) {
      merged.push({ ...interval });
      continue;
    }
    const end = compareValues(last.high, interval.high);
    if (end < 0 || (end === 0 && interval.highInclusive)) {
      last.high = interval.high;
      last.highInclusive = end === 0 ? last.highInclusive || interval.highInclusive : interval.highInclusive;
    }
  }
  return merged;
}

function intersect(left: Interval[], right: Interval[]): Interval[] {
  const result: Interval[] = [];
  for (const a of left) {
    for (const b of right) {
      const low = compareValues(a.low, b.low) || Number(b.lowInclusive) - Number(a.lowInclusive);
      const high = compareValues(a.high, b.high) || Number(a.highInclusive) - Number(b.highInclusive);
      const from = low >= 0 ? a : b;
      const to = high <= 0 ? a : b;
      const order = compareValues(from.low, to.high);
      if (order > 0 || (order === 0 && !(from.lowInclusive && to.highInclusive))) continue;
      result.push({
        low: from.low,
        lowInclusive: from.lowInclusive,
        high: to.high,
        highInclusive: to.highInclusive,
      });
    }
  }
  return sortIntervals(result);
}

function membersOf(operand: Value): Interval[] | undefined {
  if (!Array.isArray(operand)) return undefined;
  const all: Interval[] = [];
  for (const element of operand) {
    const points = typeOf(element) === BsonType.RegExp ? prefixOf(element) : pointsOf(element);
    if (points === undefined) return undefined;
    all.push(...points);
  }
  return sortIntervals(all);
}

function operatorBounds(operator: string, operand: Value, context: Document): Interval[] | undefined {
  switch (operator) {
    case "$eq":
      return pointsOf(operand);
    case "$gt":
    case "$gte":
    case "$lt":
    case "$lte":
      return rangeOf(operator, operand);
    case "$in":
      return membersOf(operand);
    case "$regex":
      if (context.has("$options")) return undefined;
      return prefixOf(typeof operand === "string" ? regExp(operand, "") : operand);
    case "$all":
      return Array.isArray(operand) && operand.length > 0 && !(operand[0] instanceof Map)
        ? membersOf([operand[0]!])
        : undefined;
    default:
      return undefined;
  }
}

class Collector {
  readonly found: (Interval[] | undefined)[];
  private readonly paths: string[];
  private readonly multikey: boolean;

  constructor(paths: string[], multikey: boolean) {
    this.paths = paths;
    this.multikey = multikey;
    this.found = paths.map(() => undefined);
  }

  private add(index: number, intervals: Interval[] | undefined, sameElement = false): void {
    if (intervals === undefined) return;
    const present = this.found[index];
    if (present === undefined) this.found[index] = intervals;
    else if (!this.multikey || sameElement) this.found[index] = intersect(present, intervals);
    else if (isNarrower(intervals, present)) this.found[index] = intervals;
  }

  collect(filter: Document): void {
    for (const [name, value] of filter) {
      if (name === "$and" && Array.isArray(value)) {
        for (const element of value) if (element instanceof Map) this.collect(element);
      }
      const index = this.paths.indexOf(name);
      if (index < 0) continue;
      if (isOperatorDocument(value)) this.collectOperators(index, value);
      else this.add(index, typeOf(value) === BsonType.RegExp ? prefixOf(value) : pointsOf(value));
    }
  }

  private collectOperators(index: number, operators: Document): void {
    for (const [operator, operand] of operators) {
      if (operator === "$elemMatch" && isOperatorDocument(operand, true)) {
        const inner = new Collector([this.paths[index]!], false);
        inner.collectOperators(0, operand);
        // Only what one element must fulfil by itself; null doesn't stand for a missing element.
        this.add(index, inner.found[0]);
      } else this.add(index, operatorBounds(operator, operand, operators));
    }
  }
}

/** Prefers points to ranges, and fewer intervals. */
function isNarrower(a: Interval[], b: Interval[]): boolean {
  const isPoints = (intervals: Interval[]) =>
    intervals.every(({ low, high }) => compareValues(low, high) === 0);
  if (isPoints(a) !== isPoints(b)) return isPoints(a);
  return isPoints(a) && a.length < b.length;
}

function mentionsText(intervals: Interval[]): boolean {
  return intervals.some(({ low, high }) =>
    [low, high].some((value) => typeof value === "string" || value instanceof Map || Array.isArray(value)),
  );
}

/**
 * For each field path of an index the intervals its keys must lie in for a document to match (sorted, disjoint),
 * or undefined when the filter says nothing about it. The intervals are a superset: the filter still has to be
 * applied. A multikey index gives bounds only for the first of several paths that begin with the same name.
 */
export function filterBounds(
  filter: Document,
  fieldPaths: string[],
  options: BoundsOptions = {},
): (Interval[] | undefined)[] {
  const multikey = options.multikey ?? true;
  const collector = new Collector(fieldPaths, multikey);
  collector.collect(filter);
  const seen = new Set<string>();
  return collector.found.map((intervals, index) => {
    const [first] = fieldPaths[index]!.split(".");
    const repeated = multikey && seen.has(first!);
    seen.add(first!);
    if (intervals === undefined || repeated) return undefined;
    return options.collation !== undefined && mentionsText(intervals) ? undefined : intervals;
  });
}
