/** Windows of `$setWindowFields`: which documents around one count. */
import { toNumber } from "../../arithmetic.ts";
import { describeElement } from "../../describe.ts";
import { ServerError } from "../../errors.ts";
import type { Sorter } from "../../sort.ts";
import { DateTime, type Document, type Int32, isNumber, type Value } from "../../value.ts";
import { type Expression, type ExpressionContext, typeNameOf } from "../expression.ts";

/** Gives the value of one output field for each document of a sorted partition. */
export type WindowFunction = (partition: Document[]) => (Value | undefined)[];

export interface WindowContext {
  expressions: ExpressionContext;
  sorter: Sorter | undefined;
  /** the expression of the only sort field, for ranges */
  sortBy: Expression | undefined;
}

export const unitMilliseconds: Record<string, number> = {
  week: 604_800_000,
  day: 86_400_000,
  hour: 3_600_000,
  minute: 60_000,
  second: 1000,
  millisecond: 1,
};

export function fail(message: string): ServerError {
  return new ServerError("FailedToParse", message);
}

/** Positions [from, to] of the window of a document. */
type Frame = (partition: Document[], index: number) => [number, number];

function documentsFrame(bounds: Value[]): Frame {
  const offset = (bound: Value, index: number, length: number): number => {
    if (bound === "unbounded") return Number.NaN;
    if (bound === "current") return index;
    if (!isNumber(bound)) throw fail("Numeric document-based bounds must be an integer");
    return Math.max(-1, Math.min(length, index + toNumber(bound)));
  };
  return (partition, index) => {
    const from = offset(bounds[0]!, index, partition.length);
    const to = offset(bounds[1]!, index, partition.length);
    return [
      Number.isNaN(from) ? 0 : Math.max(0, from),
      Number.isNaN(to) ? partition.length - 1 : Math.min(partition.length - 1, to),
    ];
  };
}

function rangeFrame(bounds: Value[], unit: Value | undefined, { sortBy }: WindowContext): Frame {
  if (sortBy === undefined)
    throw new ServerError(5339902, "Range-based bounds require sortBy a single field");
  const scale = unit === undefined ? undefined : unitMilliseconds[String(unit)];
  const valueAt = (document: Document): number => {
    const value = sortBy(document);
    if (value instanceof DateTime && scale !== undefined) return value.valueOf();
    if (isNumber(value) && scale === undefined) return toNumber(value);
    throw new ServerError(
      5429414,
      `Expected the sortBy field to be a ${scale === undefined ? "number" : "Date"}, but it was ${typeNameOf(value)}`,
    );
  };
  const limit = (bound: Value, at: number, unbounded: number): number => {
    if (bound === "unbounded") return unbounded;
    return bound === "current" ? at : at + toNumber(bound as Int32) * (scale ?? 1);
  };
  return (partition, index) => {
    const at = valueAt(partition[index]!);
    const low = limit(bounds[0]!, at, -Infinity);
    const high = limit(bounds[1]!, at, Infinity);
    let from = index;
    let to = index;
    while (from > 0 && valueAt(partition[from - 1]!) >= low) from--;
    while (from < partition.length && valueAt(partition[from]!) < low) from++;
    while (to + 1 < partition.length && valueAt(partition[to + 1]!) <= high) to++;
    while (to >= 0 && valueAt(partition[to]!) > high) to--;
    return [from, to];
  };
}

export function frameOf(window: Value | undefined, context: WindowContext): Frame {
  if (window === undefined) return (partition) => [0, partition.length - 1];
  if (!(window instanceof Map)) throw fail("'window' field must be an object");
  const documents = window.get("documents");
  const range = window.get("range");
  if (documents !== undefined && range !== undefined)
    throw fail("Window bounds can specify either 'documents' or 'unit', not both.");
  const bounds = documents ?? range ?? ["unbounded", "unbounded"];
  if (!Array.isArray(bounds) || bounds.length !== 2)
    throw fail(
      `Window bounds must be a 2-element array: ${describeElement(documents === undefined ? "range" : "documents", bounds)}`,
    );
  if (range !== undefined) return rangeFrame(bounds, window.get("unit"), context);
  if (context.sorter === undefined && bounds.some((bound) => bound !== "unbounded"))
    throw new ServerError(5339901, "Document-based bounds require a sortBy");
  return documentsFrame(bounds);
}
