/** Operators on arrays. */
import { toNumber } from "../../arithmetic.ts";
import { compareValues } from "../../compare.ts";
import { describeValue } from "../../describe.ts";
import { ServerError } from "../../errors.ts";
import { compileSort, sortDocuments } from "../../sort.ts";
import { type Document, Int32, isNumber, type Value } from "../../value.ts";
import {
  binary,
  compileExpression,
  compileOperands,
  type Expression,
  type ExpressionContext,
  isNullish,
  type OperatorCompiler,
  typeNameOf,
  unary,
  variadic,
} from "../expression.ts";
import { checkCount, integerOf, searchRange } from "./array-operands.ts";
import { compareOptional } from "./boolean.ts";

function elementAt(array: Value | undefined, index: Value | undefined): Value | null | undefined {
  if (isNullish(array) || isNullish(index)) return null;
  if (!Array.isArray(array))
    throw new ServerError(
      28689,
      `$arrayElemAt's first argument must be an array, but is ${typeNameOf(array)}`,
    );
  const position = integerOf(
    index,
    () =>
      new ServerError(
        28690,
        `$arrayElemAt's second argument must be a numeric value, but is ${typeNameOf(index)}`,
      ),
    (shown) =>
      new ServerError(
        28691,
        `$arrayElemAt's second argument must be representable as a 32-bit integer: ${shown}`,
      ),
  );
  return array.at(position);
}

const edge = (index: 0 | -1): OperatorCompiler =>
  unary((array, name) => {
    if (isNullish(array)) return null;
    if (!Array.isArray(array))
      throw new ServerError(28689, `${name}'s argument must be an array, but is ${typeNameOf(array)}`);
    return array.at(index);
  });

function range(values: (Value | undefined)[]): Value[] {
  const [start, end, step] = values.map((value, index) => {
    const ordinal = ["starting", "ending", "step"][index]!;
    return integerOf(
      value,
      () =>
        new ServerError(
          [34443, 34445, 34447][index]!,
          `$range requires a numeric ${ordinal} value, found value of type: ${typeNameOf(value)}`,
        ),
      (shown) =>
        new ServerError(
          [34444, 34446, 34448][index]!,
          `$range requires a ${ordinal} value that can be represented as a 32-bit integer, found value: ${shown}`,
        ),
    );
  }) as [number, number, number | undefined];
  const by = step ?? 1;
  if (by === 0) throw new ServerError(34449, "$range requires a non-zero step value");
  const result: Value[] = [];
  for (let i = start; by > 0 ? i < end : i > end; i += by) result.push(new Int32(i));
  return result;
}

function slice(values: (Value | undefined)[]): Value | null {
  const [array, second, third] = values;
  if (isNullish(array) || values.slice(1).some(isNullish)) return null;
  if (!Array.isArray(array))
    throw new ServerError(
      28724,
      `First argument to $slice must be an array, but is of type: ${typeNameOf(array)}`,
    );
  const integer = (value: Value | undefined, ordinal: string, codes: [number, number]): number =>
    integerOf(
      value,
      () =>
        new ServerError(
          codes[0],
          `${ordinal} argument to $slice must be a numeric value, but is of type: ${typeNameOf(value)}`,
        ),
      (shown) =>
        new ServerError(
          codes[1],
          `${ordinal} argument to $slice can't be represented as a 32-bit integer: ${shown}`,
        ),
    );
  const position = integer(second, "Second", [28725, 28726]);
  if (values.length === 2) return position >= 0 ? array.slice(0, position) : array.slice(position);
  const count = integer(third, "Third", [28727, 28728]);
  if (count <= 0) throw new ServerError(28729, `Third argument to $slice must be positive: ${count}`);
  const from = position >= 0 ? position : Math.max(0, array.length + position);
  return array.slice(from, from + count);
}

function indexOfArray(values: (Value | undefined)[], name: string): Value | null {
  const [array, wanted, start, end] = values;
  if (isNullish(array)) return null;
  if (!Array.isArray(array))
    throw new ServerError(
      40090,
      `$indexOfArray requires an array as a first argument, found: ${typeNameOf(array)}`,
    );
  const [from, to] = searchRange(name, start, end, array.length);
  for (let i = from; i < Math.min(to, array.length); i++)
    if (compareOptional(array[i], wanted) === 0) return new Int32(i);
  return new Int32(-1);
}

/** `$firstN`, `$lastN`, `$maxN`, `$minN` on an array. */
const takeN =
  (pick: (array: Value[], n: number, context: ExpressionContext) => Value[]): OperatorCompiler =>
  (operand, context, name) => {
    if (!(operand instanceof Map))
      throw new ServerError(5787801, `${name} expects an object, found ${typeNameOf(operand)}`);
    const [nValue, inputValue] = [operand.get("n"), operand.get("input")];
    if (nValue === undefined) throw new ServerError(5787906, "Missing value for 'n'");
    if (inputValue === undefined) throw new ServerError(5787907, "Missing value for 'input'");
    const n = compileExpression(nValue, context);
    const input = compileExpression(inputValue, context);
    return (root) => {
      const array = input(root);
      if (!Array.isArray(array))
        throw new ServerError(
          5788200,
          `Input must be an array, found: ${array === undefined ? "missing" : describeValue(array)}`,
        );
      return pick(array, checkCount(n(root)), context);
    };
  };

function compileSortArray(operand: Value, context: ExpressionContext): Expression {
  if (!(operand instanceof Map))
    throw new ServerError(
      2942500,
      `$sortArray requires an object as an argument, found: ${typeNameOf(operand)}`,
    );
  const [inputValue, sortBy] = [operand.get("input"), operand.get("sortBy")];
  for (const field of operand.keys()) {
    if (field !== "input" && field !== "sortBy")
      throw new ServerError(2942501, `$sortArray found an unknown argument: ${field}`);
  }
  if (inputValue === undefined) throw new ServerError(2942502, "$sortArray requires 'input' to be specified");
  if (sortBy === undefined) throw new ServerError(2942503, "$sortArray requires 'sortBy' to be specified");
  const input = compileExpression(inputValue, context);
  const sort = arraySorter(sortBy, context);
  return (root) => {
    const array = input(root);
    if (isNullish(array)) return null;
    if (!Array.isArray(array))
      throw new ServerError(
        2942504,
        `The input argument to $sortArray must be an array, but was of type: ${typeNameOf(array)}`,
      );
    return sort(array);
  };
}

function arraySorter(sortBy: Value, { collation }: ExpressionContext): (array: Value[]) => Value[] {
  if (sortBy instanceof Map) {
    const sorter = compileSort(sortBy, collation);
    return (array) => {
      const wrapped = array.map((element): Document => (element instanceof Map ? element : new Map()));
      const original = new Map(wrapped.map((document, index) => [document, array[index]!]));
      return sortDocuments(wrapped, sorter).map((document) => original.get(document)!);
    };
  }
  const direction = isNumber(sortBy) ? toNumber(sortBy) : 0;
  if (direction !== 1 && direction !== -1)
    throw new ServerError(2942505, "$sort key ordering must be 1 (for ascending) or -1 (for descending)");
  return (array) => [...array].sort((a, b) => compareValues(a, b, collation) * direction);
}

export const arrayOperators: Record<string, OperatorCompiler> = {
  $arrayElemAt: binary(elementAt),
  $first: edge(0),
  $last: edge(-1),
  $range: variadic(range, 2, 3),
  $slice: variadic(slice, 2, 3),
  $indexOfArray: variadic(indexOfArray, 2, 4),
  $sortArray: compileSortArray,
  $firstN: takeN((array, n) => array.slice(0, n)),
  $lastN: takeN((array, n) => array.slice(-n)),
  $minN: takeN((array, n, { collation }) =>
    array
      .filter((value) => !isNullish(value))
      .sort((a, b) => compareValues(a, b, collation))
      .slice(0, n),
  ),
  $maxN: takeN((array, n, { collation }) =>
    array
      .filter((value) => !isNullish(value))
      .sort((a, b) => compareValues(b, a, collation))
      .slice(0, n),
  ),
  $isArray: unary((value) => Array.isArray(value)),
  $size: unary((value) => {
    if (!Array.isArray(value))
      throw new ServerError(
        17124,
        `The argument to $size must be an array, but was of type: ${typeNameOf(value)}`,
      );
    return new Int32(value.length);
  }),
  $reverseArray: unary((value) => {
    if (isNullish(value)) return null;
    if (!Array.isArray(value))
      throw new ServerError(
        34435,
        `The argument to $reverseArray must be an array, but was of type: ${typeNameOf(value)}`,
      );
    return [...value].reverse();
  }),
  $in: binary((value, array, _, { collation }) => {
    if (!Array.isArray(array))
      throw new ServerError(40081, `$in requires an array as a second argument, found: ${typeNameOf(array)}`);
    return array.some((element) => compareOptional(element, value, collation) === 0);
  }),
  $concatArrays: (operand, context, name) => {
    const operands = compileOperands(name, operand, context, 0, Infinity);
    return (root) => {
      const result: Value[] = [];
      for (const expression of operands) {
        const value = expression(root);
        if (isNullish(value)) return null;
        if (!Array.isArray(value))
          throw new ServerError(28664, `$concatArrays only supports arrays, not ${typeNameOf(value)}`);
        result.push(...value);
      }
      return result;
    };
  },
};
