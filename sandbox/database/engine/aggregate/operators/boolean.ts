import { type Collator, compareValues } from "../../compare.ts";
import { ServerError } from "../../errors.ts";
import { isTruthy } from "../../match/leaf-operators.ts";
import { BsonType, type Document, Int32, isNumber, typeOf, type Value } from "../../value.ts";
import {
  binary,
  type Cell,
  checkVariableName,
  compileExpression,
  compileOperands,
  type Expression,
  isNullish,
  literal,
  type OperatorCompiler,
  unary,
  withVariables,
} from "../expression.ts";

/** Order of two values in an expression; a missing one is below all. */
export function compareOptional(a: Value | undefined, b: Value | undefined, collation?: Collator): number {
  if (a === undefined || b === undefined) {
    // Missing compares like the type undefined, and both below null.
    const rank = (value: Value | undefined) =>
      value === undefined
        ? 0
        : typeOf(value) === BsonType.MinKey
          ? -1
          : typeOf(value) === BsonType.Undefined
            ? 0
            : 1;
    return rank(a) - rank(b);
  }
  return compareValues(a, b, collation);
}

const comparison = (accept: (order: number) => boolean): OperatorCompiler =>
  binary((a, b, _, { collation }) => accept(compareOptional(a, b, collation)));

function compileCond(operand: Value, context: Parameters<OperatorCompiler>[1], name: string): Expression {
  let parts: Expression[];
  if (operand instanceof Map) {
    for (const field of operand.keys()) {
      if (!["if", "then", "else"].includes(field))
        throw new ServerError(17083, `Unrecognized parameter to $cond: ${field}`);
    }
    parts = (["if", "then", "else"] as const).map((field, index) => {
      const value = operand.get(field);
      if (value === undefined) throw new ServerError(17080 + index, `Missing '${field}' parameter to $cond`);
      return compileExpression(value, context);
    });
  } else parts = compileOperands(name, operand, context, 3);
  const [condition, then, otherwise] = parts as [Expression, Expression, Expression];
  return (root) => (isTruthy(condition(root)) ? then(root) : otherwise(root));
}

function compileSwitch(operand: Value, context: Parameters<OperatorCompiler>[1]): Expression {
  if (!(operand instanceof Map))
    throw new ServerError(40060, `$switch requires an object as an argument, found: ${typeof operand}`);
  let branches: [Expression, Expression][] = [];
  let otherwise: Expression | undefined;
  for (const [field, value] of operand) {
    if (field === "default") otherwise = compileExpression(value, context);
    else if (field === "branches") {
      if (!Array.isArray(value)) throw new ServerError(40061, "$switch expected an array for 'branches'");
      branches = value.map((branch) => compileBranch(branch, context));
    } else throw new ServerError(40067, `$switch found an unknown argument: ${field}`);
  }
  if (branches.length === 0) throw new ServerError(40068, "$switch requires at least one branch.");
  return (root) => {
    for (const [condition, then] of branches) if (isTruthy(condition(root))) return then(root);
    if (otherwise !== undefined) return otherwise(root);
    throw new ServerError(
      40066,
      "$switch could not find a matching branch for an input, and no default was specified.",
    );
  };
}

function compileBranch(branch: Value, context: Parameters<OperatorCompiler>[1]): [Expression, Expression] {
  if (!(branch instanceof Map)) throw new ServerError(40062, "$switch expected each branch to be an object");
  for (const field of branch.keys()) {
    if (field !== "case" && field !== "then")
      throw new ServerError(40063, `$switch found an unknown argument to a branch: ${field}`);
  }
  const when = branch.get("case");
  const then = branch.get("then");
  if (when === undefined)
    throw new ServerError(40064, "$switch requires each branch have a 'case' expression");
  if (then === undefined)
    throw new ServerError(40065, "$switch requires each branch have a 'then' expression.");
  return [compileExpression(when, context), compileExpression(then, context)];
}

function compileLet(operand: Value, context: Parameters<OperatorCompiler>[1]): Expression {
  if (!(operand instanceof Map)) throw new ServerError(16874, "$let only supports an object as its argument");
  for (const field of operand.keys()) {
    if (field !== "vars" && field !== "in")
      throw new ServerError(16875, `Unrecognized parameter to $let: ${field}`);
  }
  const vars = operand.get("vars");
  const body = operand.get("in");
  if (vars === undefined) throw new ServerError(16876, "Missing 'vars' parameter to $let");
  if (body === undefined) throw new ServerError(16877, "Missing 'in' parameter to $let");
  if (!(vars instanceof Map))
    throw new ServerError("TypeMismatch", "invalid parameter: expected an object (vars)");
  const cells: [string, Cell][] = [];
  const values: Expression[] = [];
  for (const [name, value] of vars as Document) {
    checkVariableName(name);
    values.push(compileExpression(value, context));
    cells.push([name, { value: undefined }]);
  }
  const inner = compileExpression(body, withVariables(context, cells));
  return (root) => {
    const computed = values.map((value) => value(root));
    cells.forEach(([, cell], index) => {
      cell.value = computed[index];
    });
    return inner(root);
  };
}

export const booleanOperators: Record<string, OperatorCompiler> = {
  $and: (operand, context, name) => {
    const operands = compileOperands(name, operand, context, 0, Infinity);
    return (root) => operands.every((expression) => isTruthy(expression(root)));
  },
  $or: (operand, context, name) => {
    const operands = compileOperands(name, operand, context, 0, Infinity);
    return (root) => operands.some((expression) => isTruthy(expression(root)));
  },
  $not: unary((value) => !isTruthy(value)),
  $cmp: binary((a, b, _, { collation }) => new Int32(Math.sign(compareOptional(a, b, collation)))),
  $eq: comparison((order) => order === 0),
  $ne: comparison((order) => order !== 0),
  $gt: comparison((order) => order > 0),
  $gte: comparison((order) => order >= 0),
  $lt: comparison((order) => order < 0),
  $lte: comparison((order) => order <= 0),
  $cond: compileCond,
  $ifNull: (operand, context, name) => {
    if (!Array.isArray(operand) || operand.length < 2) {
      const count = Array.isArray(operand) ? operand.length : 1;
      throw new ServerError(1257300, `$ifNull needs at least two arguments, had: ${count}`);
    }
    const operands = compileOperands(name, operand, context, 2, Infinity);
    return (root) => {
      for (let i = 0; i < operands.length - 1; i++) {
        const value = operands[i]!(root);
        if (!isNullish(value)) return value;
      }
      return operands.at(-1)!(root);
    };
  },
  $switch: compileSwitch,
  $let: compileLet,
  $literal: (operand) => literal(operand),
  $const: (operand) => literal(operand),
  $expr: (operand, context) => compileExpression(operand, context),
  $isNumber: unary((value) => isNumber(value)),
};
