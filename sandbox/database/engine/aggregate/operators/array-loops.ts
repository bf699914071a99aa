import { describeValue } from "../../describe.ts";
import { ServerError } from "../../errors.ts";
import { isTruthy } from "../../match/leaf-operators.ts";
import type { Document, Value } from "../../value.ts";
import {
  type Cell,
  checkVariableName,
  compileExpression,
  type Expression,
  type ExpressionContext,
  isNullish,
  type OperatorCompiler,
  typeNameOf,
  withVariables,
} from "../expression.ts";
import { integerOf } from "./array-operands.ts";

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

export const arrayLoopOperators: Record<string, OperatorCompiler> = {
  $filter: compileFilterOperator,
  $map: compileMap,
  $reduce: compileReduce,
  $zip: compileZip,
};
