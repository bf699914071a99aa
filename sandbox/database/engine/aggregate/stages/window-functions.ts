/** Functions of `$setWindowFields`. */
import { toNumber } from "../../arithmetic.ts";
import { ServerError } from "../../errors.ts";
import { DateTime, type Document, Double, Int32, isNumber, type Value } from "../../value.ts";
import { compileAccumulator, isAccumulator } from "../accumulators.ts";
import { compileExpression, type Expression } from "../expression.ts";
import { carryForward, interpolate } from "./series.ts";
import { fail, frameOf, unitMilliseconds, type WindowContext, type WindowFunction } from "./window-frame.ts";

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

/** Compiles one output field's function. */
export function compileFunction(specification: Value, context: WindowContext): WindowFunction {
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
