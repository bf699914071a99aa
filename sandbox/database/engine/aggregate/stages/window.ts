/** `$setWindowFields`: accumulators and ranks over windows of sorted partitions. */
import { add, multiply, toNumber } from "../../arithmetic.ts";
import { compareValues } from "../../compare.ts";
import { describeElement } from "../../describe.ts";
import { ServerError } from "../../errors.ts";
import { keyOf } from "../../keystring.ts";
import { compileSort, type Sorter } from "../../sort.ts";
import {
  BsonType,
  DateTime,
  Decimal128,
  type Document,
  Double,
  Int32,
  isNumber,
  typeOf,
  type Value,
} from "../../value.ts";
import { compileAccumulator, isAccumulator } from "../accumulators.ts";
import {
  compileExpression,
  type Expression,
  type ExpressionContext,
  splitFieldPath,
  typeNameOf,
} from "../expression.ts";
import { subtract } from "../operators/arithmetic.ts";
import type { StageCompiler } from "../pipeline.ts";
import { withPath } from "./basic.ts";

/** Gives the value of one output field for each document of a sorted partition. */
type WindowFunction = (partition: Document[]) => (Value | undefined)[];

interface WindowContext {
  expressions: ExpressionContext;
  sorter: Sorter | undefined;
  /** the expression of the only sort field, for ranges */
  sortBy: Expression | undefined;
}

const unitMilliseconds: Record<string, number> = {
  week: 604_800_000,
  day: 86_400_000,
  hour: 3_600_000,
  minute: 60_000,
  second: 1000,
  millisecond: 1,
};

function fail(message: string): ServerError {
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

function frameOf(window: Value | undefined, context: WindowContext): Frame {
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

function overWindow(
  name: string,
  operand: Value,
  window: Value | undefined,
  context: WindowContext,
): WindowFunction {
  const accumulator = compileAccumulator(name, operand, context.expressions);
  const frame = frameOf(window, context);
  return (partition) =>
    partition.map((_, index) => {
      const collected = accumulator.create();
      const [from, to] = frame(partition, index);
      for (let i = from; i <= to; i++) collected.add(accumulator.argument(partition[i]!), partition[i]!);
      return collected.result();
    });
}

function ranks(name: string, { sorter }: WindowContext): WindowFunction {
  if (sorter === undefined)
    throw new ServerError(
      5371602,
      `${name} must be specified with a top level sortBy expression with exactly one element`,
    );
  return (partition) => {
    let rank = 0;
    let dense = 0;
    return partition.map((document, index) => {
      if (index === 0 || sorter.compare(partition[index - 1]!, document) !== 0) {
        rank = index + 1;
        dense++;
      }
      return new Int32(name === "$rank" ? rank : name === "$denseRank" ? dense : index + 1);
    });
  };
}

function shifted(operand: Value, { expressions, sorter }: WindowContext): WindowFunction {
  if (!(operand instanceof Map)) throw fail("Argument to $shift must be an object");
  if (sorter === undefined) throw fail("'$shift' requires a sortBy");
  const by = operand.get("by");
  if (!isNumber(by)) throw fail("'$shift:by' field must be an integer, but found by: ");
  const output = compileExpression(operand.get("output") ?? null, expressions);
  const otherwise = compileExpression(operand.get("default") ?? null, expressions);
  return (partition) =>
    partition.map((document, index) => {
      const other = partition[index + toNumber(by)];
      return other === undefined ? otherwise(document) : (output(other) ?? null);
    });
}

/** Values of the sort field as numbers, dates in the unit asked for. */
function numericSort(context: WindowContext, unit: Value | undefined): (document: Document) => number {
  const { sortBy } = context;
  if (sortBy === undefined) throw fail("requires a sortBy with one field");
  const scale = unit === undefined ? 1 : unitMilliseconds[String(unit)];
  if (scale === undefined) throw fail(`unit must be 'week' or smaller`);
  return (document) => {
    const value = sortBy(document);
    return value instanceof DateTime
      ? value.valueOf() / scale
      : isNumber(value)
        ? toNumber(value)
        : Number.NaN;
  };
}

function derivative(
  name: string,
  operand: Value,
  window: Value | undefined,
  context: WindowContext,
): WindowFunction {
  if (!(operand instanceof Map)) throw fail(`Argument to ${name} must be an object`);
  const position = numericSort(context, operand.get("unit"));
  const input = compileExpression(operand.get("input") ?? null, context.expressions);
  const frame = frameOf(window, context);
  const number = (document: Document): number => {
    const value = input(document);
    return isNumber(value) ? toNumber(value) : Number.NaN;
  };
  return (partition) =>
    partition.map((_, index) => {
      const [from, to] = frame(partition, index);
      if (name === "$integral") {
        let area = 0;
        for (let i = from + 1; i <= to; i++) {
          const [left, right] = [partition[i - 1]!, partition[i]!];
          area += ((number(left) + number(right)) / 2) * (position(right) - position(left));
        }
        return new Double(area);
      }
      if (to <= from) return null;
      const [first, last] = [partition[from]!, partition[to]!];
      return new Double((number(last) - number(first)) / (position(last) - position(first)));
    });
}

function exponentialAverage(operand: Value, { expressions }: WindowContext): WindowFunction {
  if (!(operand instanceof Map)) throw fail("$expMovingAvg must have exactly one of N or alpha");
  const [n, alpha] = [operand.get("N"), operand.get("alpha")];
  if ((n === undefined) === (alpha === undefined))
    throw fail(
      "$expMovingAvg sub object must have exactly two fields: An 'input' field, and either an 'N' field or an 'alpha' field",
    );
  const factor = isNumber(alpha) ? toNumber(alpha) : 2 / (toNumber(n as Int32) + 1);
  const input = compileExpression(operand.get("input") ?? null, expressions);
  return (partition) => {
    let average: number | undefined;
    return partition.map((document) => {
      const value = input(document);
      if (!isNumber(value)) return average === undefined ? null : new Double(average);
      average = average === undefined ? toNumber(value) : toNumber(value) * factor + average * (1 - factor);
      return new Double(average);
    });
  };
}

function covariance(
  name: string,
  operand: Value,
  window: Value | undefined,
  context: WindowContext,
): WindowFunction {
  if (!Array.isArray(operand) || operand.length !== 2)
    throw fail(`${name} requires an array of two expressions`);
  const [left, right] = operand.map((value) => compileExpression(value, context.expressions)) as [
    Expression,
    Expression,
  ];
  const frame = frameOf(window, context);
  return (partition) =>
    partition.map((_, index) => {
      const [from, to] = frame(partition, index);
      const pairs = partition
        .slice(from, to + 1)
        .map((document) => [left(document), right(document)] as const)
        .filter(([a, b]) => isNumber(a) && isNumber(b))
        .map(([a, b]) => [toNumber(a as Int32), toNumber(b as Int32)] as const);
      const divisor = pairs.length - (name === "$covarianceSamp" ? 1 : 0);
      if (divisor <= 0) return null;
      const meanOf = (side: 0 | 1) => pairs.reduce((sum, pair) => sum + pair[side], 0) / pairs.length;
      const [meanLeft, meanRight] = [meanOf(0), meanOf(1)];
      return new Double(pairs.reduce((sum, [a, b]) => sum + (a - meanLeft) * (b - meanRight), 0) / divisor);
    });
}

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

function fillFunction(name: string, operand: Value, { expressions, sortBy }: WindowContext): WindowFunction {
  const input = compileExpression(operand, expressions);
  if (name === "$locf") return (partition) => carryForward(partition.map((document) => input(document)));
  if (sortBy === undefined)
    throw new ServerError(
      605001,
      "$linearFill must be specified with a top level sortBy expression with exactly one element",
    );
  return (partition) =>
    interpolate(
      partition.map((document) => input(document)),
      partition.map((document) => sortBy(document) ?? null),
    );
}

function compileFunction(specification: Value, context: WindowContext): WindowFunction {
  if (!(specification instanceof Map))
    throw fail("The field must be an object that specifies a window function");
  const window = specification.get("window");
  const [operator, another] = [...specification.keys()].filter((name) => name.startsWith("$"));
  if (operator === undefined || another !== undefined) throw fail("Expected a $-prefixed window function");
  const operand = specification.get(operator)!;
  switch (operator) {
    case "$rank":
    case "$denseRank":
    case "$documentNumber":
      return ranks(operator, context);
    case "$shift":
      return shifted(operand, context);
    case "$derivative":
    case "$integral":
      return derivative(operator, operand, window, context);
    case "$expMovingAvg":
      return exponentialAverage(operand, context);
    case "$covariancePop":
    case "$covarianceSamp":
      return covariance(operator, operand, window, context);
    case "$locf":
    case "$linearFill":
      return fillFunction(operator, operand, context);
  }
  if (!isAccumulator(operator)) throw fail(`Unrecognized window function, ${operator}`);
  return overWindow(operator, operand, window, context);
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

const setWindowFields: StageCompiler = (specification, { expressions, collation }) => {
  if (!(specification instanceof Map))
    throw fail("the $setWindowFields stage specification must be an object");
  for (const field of specification.keys()) {
    if (!["partitionBy", "sortBy", "output"].includes(field))
      throw new ServerError(40415, `BSON field '$setWindowFields.${field}' is an unknown field.`);
  }
  const [partitionBy, sortBy, output] = ["partitionBy", "sortBy", "output"].map((field) =>
    specification.get(field),
  );
  if (!(output instanceof Map))
    throw new ServerError(40414, "BSON field '$setWindowFields.output' is missing but a required field");
  const sorter = sortBy instanceof Map && sortBy.size > 0 ? compileSort(sortBy, collation) : undefined;
  const [only, more] = sorter?.parts ?? [];
  const sortExpression =
    only !== undefined && more === undefined ? compileExpression(`$${only.field}`, expressions) : undefined;
  const context: WindowContext = { expressions, sorter, sortBy: sortExpression };
  const fields = [...output].map(([name, value]) => ({
    path: splitFieldPath(name),
    evaluate: compileFunction(value, context),
  }));
  const by = partitionBy === undefined ? undefined : compileExpression(partitionBy, expressions);
  return function* run(input) {
    for (const partition of partitionsOf(input, by)) {
      if (sorter !== undefined) partition.sort((a, b) => sorter.compare(a, b));
      const columns = fields.map(({ evaluate }) => evaluate(partition));
      for (const [index, document] of partition.entries()) {
        let result = document;
        fields.forEach(({ path }, column) => {
          result = withPath(result, path, columns[column]![index]);
        });
        yield result;
      }
    }
  };
};

export const windowStages: Record<string, StageCompiler> = { $setWindowFields: setWindowFields };
