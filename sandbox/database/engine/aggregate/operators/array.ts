import { toNumber } from "../../arithmetic.ts";
import { compareValues } from "../../compare.ts";
import { describeValue } from "../../describe.ts";
import { ServerError } from "../../errors.ts";
import { isTruthy } from "../../match/leaf-operators.ts";
import { exactInteger } from "../../match/numbers.ts";
import { compileSort, sortDocuments } from "../../sort.ts";
import { type Document, Int32, isNumber, type Value } from "../../value.ts";
import {
  binary,
  type Cell,
  checkVariableName,
  compileExpression,
  compileOperands,
  type Expression,
  type ExpressionContext,
  isNullish,
  type OperatorCompiler,
  typeNameOf,
  unary,
  variadic,
  withVariables,
} from "../expression.ts";
import { compareOptional } from "./boolean.ts";

/** A value that must be an integer of 32 bits. */
export function integerOf(
  value: Value | undefined,
  notNumber: () => ServerError,
  notIntegral: (shown: string) => ServerError,
): number {
  if (!isNumber(value)) throw notNumber();
  const integer = exactInteger(value);
  if (integer === undefined || integer > 2147483647n || integer < -2147483648n)
    throw notIntegral(describeValue(value));
  return Number(integer);
}

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

/** Reads `{input, as, in|cond, …}` and makes the variable the body sees. */
function compileLoop(
  name: string,
  operand: Value,
  context: ExpressionContext,
  body: string,
  codes: { object: number; unknown: number; input: number; body: number },
  more: string[] = [],
) {
  if (!(operand instanceof Map))
    throw new ServerError(codes.object, `${name} only supports an object as its argument`);
  for (const field of operand.keys()) {
    if (!["input", "as", body, ...more].includes(field))
      throw new ServerError(codes.unknown, `Unrecognized parameter to ${name}: ${field}`);
  }
  const input = operand.get("input");
  const inside = operand.get(body);
  if (input === undefined) throw new ServerError(codes.input, `Missing 'input' parameter to ${name}`);
  if (inside === undefined) throw new ServerError(codes.body, `Missing '${body}' parameter to ${name}`);
  const variable = operand.get("as") ?? "this";
  if (typeof variable !== "string") throw new ServerError("TypeMismatch", `${name} 'as' must be a string`);
  if (operand.has("as")) checkVariableName(variable);
  const cell: Cell = { value: undefined };
  return {
    input: compileExpression(input, context),
    cell,
    body: compileExpression(inside, withVariables(context, [[variable, cell]])),
  };
}

function compileFilterOperator(operand: Value, context: ExpressionContext, name: string): Expression {
  const loop = compileLoop(
    name,
    operand,
    context,
    "cond",
    { object: 28646, unknown: 28647, input: 28648, body: 28650 },
    ["limit"],
  );
  const limitValue = (operand as Document).get("limit");
  const limit = limitValue === undefined ? undefined : compileExpression(limitValue, context);
  return (root) => {
    const array = loop.input(root);
    if (isNullish(array)) return null;
    if (!Array.isArray(array))
      throw new ServerError(28651, `input to $filter must be an array not ${typeNameOf(array)}`);
    const limitNow = limit?.(root);
    const most = isNullish(limitNow) ? Infinity : countOf(limitNow, "$filter");
    const result: Value[] = [];
    for (const element of array) {
      if (result.length >= most) break;
      loop.cell.value = element;
      if (isTruthy(loop.body(root))) result.push(element);
    }
    return result;
  };
}

function countOf(value: Value, name: string): number {
  const fail = () =>
    new ServerError(
      327391,
      `${name}: limit must be represented as a 32-bit integral value: ${describeValue(value)}`,
    );
  const count = integerOf(value, fail, fail);
  if (count <= 0) throw new ServerError(327392, `${name}: limit must be greater than 0`);
  return count;
}

function compileMap(operand: Value, context: ExpressionContext, name: string): Expression {
  const loop = compileLoop(name, operand, context, "in", {
    object: 16878,
    unknown: 16879,
    input: 16880,
    body: 16882,
  });
  return (root) => {
    const array = loop.input(root);
    if (isNullish(array)) return null;
    if (!Array.isArray(array))
      throw new ServerError(16883, `input to $map must be an array not ${typeNameOf(array)}`);
    return array.map((element) => {
      loop.cell.value = element;
      return loop.body(root) ?? null;
    });
  };
}

function compileReduce(operand: Value, context: ExpressionContext): Expression {
  if (!(operand instanceof Map))
    throw new ServerError(40075, `$reduce requires an object as an argument, found: ${typeNameOf(operand)}`);
  for (const field of operand.keys()) {
    if (!["input", "initialValue", "in"].includes(field))
      throw new ServerError(40076, `$reduce found an unknown argument: ${field}`);
  }
  const required = (field: string, code: number): Value => {
    const value = operand.get(field);
    if (value === undefined) throw new ServerError(code, `$reduce requires '${field}' to be specified`);
    return value;
  };
  const element: Cell = { value: undefined };
  const total: Cell = { value: undefined };
  const input = compileExpression(required("input", 40077), context);
  const initial = compileExpression(required("initialValue", 40078), context);
  const inner = withVariables(context, [
    ["this", element],
    ["value", total],
  ]);
  const body = compileExpression(required("in", 40079), inner);
  return (root) => {
    const array = input(root);
    if (isNullish(array)) return null;
    if (!Array.isArray(array))
      throw new ServerError(
        40080,
        `$reduce requires that 'input' be an array, found: ${describeValue(array)}`,
      );
    let value = initial(root);
    for (const current of array) {
      element.value = current;
      total.value = value;
      value = body(root);
    }
    return value;
  };
}

function compileZip(operand: Value, context: ExpressionContext): Expression {
  if (!(operand instanceof Map))
    throw new ServerError(34460, `$zip only supports an object as an argument, found ${typeNameOf(operand)}`);
  for (const field of operand.keys()) {
    if (!["inputs", "useLongestLength", "defaults"].includes(field))
      throw new ServerError(34464, `$zip found an unknown argument: ${field}`);
  }
  const inputsValue = operand.get("inputs");
  if (inputsValue === undefined) throw new ServerError(34465, "$zip requires at least one input array");
  if (!Array.isArray(inputsValue))
    throw new ServerError(34461, `inputs must be an array of expressions, found ${typeNameOf(inputsValue)}`);
  const longest = operand.get("useLongestLength") ?? false;
  if (typeof longest !== "boolean")
    throw new ServerError(34463, `useLongestLength must be a bool, found ${typeNameOf(longest)}`);
  const defaultsValue = operand.get("defaults");
  if (defaultsValue !== undefined && !longest)
    throw new ServerError(34466, "cannot specify defaults unless useLongestLength is true");
  const inputs = inputsValue.map((input) => compileExpression(input, context));
  if (inputs.length === 0) throw new ServerError(34465, "$zip requires at least one input array");
  if (defaultsValue !== undefined && !Array.isArray(defaultsValue))
    throw new ServerError(
      34462,
      `defaults must be an array of expressions, found ${typeNameOf(defaultsValue)}`,
    );
  const defaults = defaultsValue?.map((value) => compileExpression(value, context));
  if (defaults !== undefined && defaults.length !== inputs.length)
    throw new ServerError(34467, "defaults and inputs must have the same length");
  return (root) => {
    const arrays: Value[][] = [];
    for (const input of inputs) {
      const array = input(root);
      if (isNullish(array)) return null;
      if (!Array.isArray(array))
        throw new ServerError(34468, `$zip found a non-array expression in input: ${describeValue(array)}`);
      arrays.push(array);
    }
    const lengths = arrays.map((array) => array.length);
    const length = longest ? Math.max(...lengths) : Math.min(...lengths);
    return Array.from({ length }, (_, index) =>
      arrays.map((array, i) => array[index] ?? defaults?.[i]?.(root) ?? null),
    );
  };
}

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

/** The optional bounds of the `$indexOf…` operators. */
export function searchRange(
  name: string,
  start: Value | undefined,
  end: Value | undefined,
  length: number,
): [number, number] {
  const bound = (value: Value | undefined, which: string): number => {
    const fail = () =>
      new ServerError(
        40096,
        `${name} requires an integral ${which} index, found a value of type: ${typeNameOf(value)}, with value: ${value === undefined ? "missing" : describeValue(value)}`,
      );
    const index = integerOf(value, fail, fail);
    if (index < 0)
      throw new ServerError(40097, `${name} requires a nonnegative ${which} index, found: ${index}`);
    return index;
  };
  return [
    start === undefined ? 0 : bound(start, "starting"),
    end === undefined ? length : bound(end, "ending"),
  ];
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

/** The `n` of the …N operators and accumulators. */
export function checkCount(value: Value | undefined): number {
  const shown = value === undefined ? "missing" : describeValue(value);
  const count = integerOf(
    value,
    () => new ServerError(5787902, `Value for 'n' must be of integral type, but found ${shown}`),
    () => new ServerError(5787903, `Value for 'n' must be of integral type, but found ${shown}`),
  );
  if (count <= 0) throw new ServerError(5787908, `'n' must be greater than 0, found ${count}`);
  return count;
}

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
  $filter: compileFilterOperator,
  $map: compileMap,
  $reduce: compileReduce,
  $zip: compileZip,
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
