/** Chooses how to read a collection: by `_id`, by an index, or from end to end. Results don't depend on the choice. */
import type { Collator } from "../engine/compare.ts";
import { ServerError } from "../engine/errors.ts";
import { keyOf } from "../engine/keystring.ts";
import { filterBounds, type Interval } from "../engine/match/index.ts";
import { type Document, Int32, isDocument, isNumber, type Value } from "../engine/value.ts";
import type { Collection } from "../storage/collection.ts";
import type { Index } from "../storage/index.ts";
import { exactNumberOf } from "../storage/numbers.ts";
import { impliesPartial } from "./partial.ts";

/** Keys from `low` (inclusive) up to `high` (exclusive); undefined is open. */
export interface KeyRange {
  low: Uint8Array | undefined;
  high: Uint8Array | undefined;
}

export interface Plan {
  /** Undefined: the collection in insertion order. "id": the key of `_id`. */
  index: Index | "id" | undefined;
  ranges: KeyRange[];
  backward: boolean;
  /** The order of reading is the order asked for. */
  sorted: boolean;
  /** The filter limits the keys read. */
  bounded: boolean;
}

export interface PlanRequest {
  filter: Document;
  sort?: Document | undefined;
  hint?: Value | undefined;
  collator?: Collator | undefined;
}

interface Candidate {
  index: Index | "id";
  fields: string[];
  directions: number[];
}

const MAX_RANGES = 10_000;

/** The least key above every key that begins with `prefix`; undefined when there is none. */
function successor(prefix: Uint8Array): Uint8Array | undefined {
  for (let end = prefix.length; end > 0; end--) {
    if (prefix[end - 1] === 255) continue;
    const next = prefix.slice(0, end);
    next[end - 1]!++;
    return next;
  }
  return undefined;
}

function join(prefix: Uint8Array, key: Uint8Array): Uint8Array {
  const joined = new Uint8Array(prefix.length + key.length);
  joined.set(prefix);
  joined.set(key, prefix.length);
  return joined;
}

function rangeOf(prefix: Uint8Array, interval: Interval, direction: number): KeyRange {
  const flipped = direction < 0;
  const from = flipped
    ? { value: interval.high, inclusive: interval.highInclusive }
    : { value: interval.low, inclusive: interval.lowInclusive };
  const to = flipped
    ? { value: interval.low, inclusive: interval.lowInclusive }
    : { value: interval.high, inclusive: interval.highInclusive };
  const low = join(prefix, keyOf([from.value], [direction]));
  const high = join(prefix, keyOf([to.value], [direction]));
  return { low: from.inclusive ? low : successor(low), high: to.inclusive ? successor(high) : high };
}

function isPoint(intervals: Interval[] | undefined): boolean {
  if (intervals?.length !== 1) return false;
  const [only] = intervals;
  if (!only!.lowInclusive || !only!.highInclusive) return false;
  return Buffer.compare(keyOf([only!.low]), keyOf([only!.high])) === 0;
}

interface Ranges {
  ranges: KeyRange[];
  /** Leading fields pinned to one value. */
  pinned: number;
  bounded: boolean;
}

function rangesFor(candidate: Candidate, request: PlanRequest): Ranges {
  const multikey = candidate.index === "id" ? false : candidate.index.multikey;
  const bounds = filterBounds(request.filter, candidate.fields, {
    multikey,
    ...(request.collator ? { collation: request.collator } : {}),
  });
  let prefix: Uint8Array = new Uint8Array(0);
  let pinned = 0;
  while (pinned < bounds.length && isPoint(bounds[pinned])) {
    prefix = join(prefix, keyOf([bounds[pinned]![0]!.low], [candidate.directions[pinned]!]));
    pinned++;
  }
  const next = bounds[pinned];
  if (next === undefined || next.length > MAX_RANGES) {
    if (pinned === 0) return { ranges: [{ low: undefined, high: undefined }], pinned, bounded: false };
    return { ranges: [{ low: prefix, high: successor(prefix) }], pinned, bounded: true };
  }
  const direction = candidate.directions[pinned]!;
  const ranges = next.map((interval) => rangeOf(prefix, interval, direction));
  if (direction < 0) ranges.reverse();
  return { ranges, pinned, bounded: true };
}

/** 1: the index gives the sort forwards, -1: backwards, 0: not at all. */
function sortDirection(candidate: Candidate, sort: Document | undefined, pinned: number): number {
  if (!sort || sort.size === 0) return 1;
  if (candidate.index !== "id" && candidate.index.multikey) return 0;
  let position = 0;
  let direction = 0;
  for (const [field, value] of sort) {
    if (!isNumber(value)) return 0;
    const wanted = Math.sign(exactNumberOf(value));
    const at = candidate.fields.indexOf(field);
    if (at >= 0 && at < pinned) continue;
    if (position < pinned) position = pinned;
    if (candidate.fields[position] !== field) {
      // `_id` is unique: what follows it in the sort changes nothing.
      return position > 0 && candidate.index === "id" ? direction : 0;
    }
    const step = wanted * Math.sign(candidate.directions[position]!);
    if (direction !== 0 && step !== direction) return 0;
    direction = step;
    position++;
  }
  return direction === 0 ? 1 : direction;
}

function planWith(candidate: Candidate, request: PlanRequest): Plan {
  const { ranges, pinned, bounded } = rangesFor(candidate, request);
  const collated = request.collator !== undefined && request.sort !== undefined && request.sort.size > 0;
  const direction = collated ? 0 : sortDirection(candidate, request.sort, pinned);
  const backward = direction < 0;
  return {
    index: candidate.index,
    ranges: backward ? [...ranges].reverse() : ranges,
    backward,
    sorted: direction !== 0,
    bounded,
  };
}

const ID: Candidate = { index: "id", fields: ["_id"], directions: [1] };

function candidateOf(index: Index): Candidate {
  return { index, fields: index.fields, directions: index.directions };
}

function scan(backward: boolean, request: PlanRequest): Plan {
  const unsorted = !request.sort || request.sort.size === 0;
  return {
    index: undefined,
    ranges: [{ low: undefined, high: undefined }],
    backward,
    sorted: unsorted,
    bounded: false,
  };
}

function badHint(): ServerError {
  return new ServerError(
    "BadValue",
    "error processing query: planner returned error :: caused by :: hint provided does not correspond to an existing index",
  );
}

function samePattern(a: Document, b: Document): boolean {
  const left = [...a];
  const right = [...b];
  return (
    left.length === right.length &&
    left.every(([name, value], index) => {
      const [otherName, other] = right[index]!;
      return (
        name === otherName &&
        (isNumber(value) && isNumber(other) ? exactNumberOf(value) === exactNumberOf(other) : value === other)
      );
    })
  );
}

/** The index a hint names; `undefined` for `$natural`. */
function hinted(collection: Collection, hint: Value, request: PlanRequest): Plan {
  if (isDocument(hint)) {
    const natural = hint.get("$natural");
    if (isNumber(natural)) return scan(exactNumberOf(natural) < 0, request);
    if (samePattern(hint, new Map([["_id", ONE]]))) return planWith(ID, request);
    const found = collection.indexes.find((index) => samePattern(index.pattern, hint));
    if (!found || found.hidden) throw badHint();
    return found.keyed ? planWith(candidateOf(found), request) : scan(false, request);
  }
  if (typeof hint !== "string") throw new ServerError("FailedToParse", "Hint must be a string or an object");
  if (hint === "_id_") return planWith(ID, request);
  const found = collection.indexes.find((index) => index.name === hint);
  if (!found || found.hidden) throw badHint();
  return found.keyed ? planWith(candidateOf(found), request) : scan(false, request);
}

const ONE = new Int32(1);

function usable(index: Index, request: PlanRequest): boolean {
  if (!index.keyed || index.hidden || index.spec.has("collation") || request.collator !== undefined)
    return false;
  // A sparse index may lack documents; it is only used when a hint asks for it.
  if (index.sparse) return false;
  const partial = index.spec.get("partialFilterExpression");
  return !isDocument(partial) || impliesPartial(request.filter, partial);
}

function score(plan: Plan, request: PlanRequest): number {
  const sorts = request.sort !== undefined && request.sort.size > 0 && plan.sorted;
  return (plan.bounded ? 2 : 0) + (sorts ? 1 : 0);
}

/**
 * Picks a plan.
 * @throws ServerError BadValue for a hint that names no index
 */
export function choosePlan(collection: Collection, request: PlanRequest): Plan {
  const { hint } = request;
  if (hint !== undefined && hint !== null && !(isDocument(hint) && hint.size === 0))
    return hinted(collection, hint, request);
  const natural = request.sort?.get("$natural");
  if (isNumber(natural)) return { ...scan(exactNumberOf(natural) < 0, request), sorted: true };
  let best = scan(false, request);
  let bestScore = 0;
  const candidates = [ID, ...collection.indexes.filter((index) => usable(index, request)).map(candidateOf)];
  for (const candidate of candidates) {
    const plan = planWith(candidate, request);
    const points = score(plan, request) * 2 + (candidate === ID && plan.bounded ? 1 : 0);
    if (points > bestScore && (plan.bounded || score(plan, request) > 0)) {
      best = plan;
      bestScore = points;
    }
  }
  if (best.index !== undefined && best.index !== "id") best.index.accesses++;
  return best;
}
