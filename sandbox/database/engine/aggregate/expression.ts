/** Aggregation expressions: parsed once into closures over the document at hand. */
import type { Collator } from "../compare.ts";
import { describeDocument } from "../describe.ts";
import { ServerError } from "../errors.ts";
import { BsonType, type Document, typeName, typeOf, type Value } from "../value.ts";

/** Gives the value for a document; undefined for a missing one. */
export type Expression = (root: Document) => Value | undefined;

/** A variable: set before what uses it is evaluated. */
export interface Cell {
  value: Value | undefined;
}

export interface ExpressionContext {
  collation?: Collator;
  /** variables in scope, without `$$` */
  variables: ReadonlyMap<string, Cell>;
  /** the value paths start at, when it isn't the root document */
  current?: Cell;
}

/** Compiles the operand of one operator. */
export type OperatorCompiler = (operand: Value, context: ExpressionContext, name: string) => Expression;

const registry = new Map<string, OperatorCompiler>();

/** Makes operators known to the parser. */
export function registerOperators(operators: Record<string, OperatorCompiler>): void {
  for (const [name, compiler] of Object.entries(operators)) registry.set(name, compiler);
}

/** Context for expressions outside of a pipeline: `let` variables and the built-in ones. */
export function makeContext(options: {
  collation?: Collator;
  let?: Document;
  now?: Value;
  clusterTime?: Value;
}): ExpressionContext {
  const variables = new Map<string, Cell>();
  if (options.now !== undefined) variables.set("NOW", { value: options.now });
  if (options.clusterTime !== undefined) variables.set("CLUSTER_TIME", { value: options.clusterTime });
  const context: ExpressionContext = { collation: options.collation, variables };
  // The values of a command's `let` are constant expressions; one may use those before it.
  for (const [name, value] of options.let ?? []) {
    checkVariableName(name);
    variables.set(name, { value: compileExpression(value, context)(new Map()) });
  }
  return context;
}

/** @throws ServerError FailedToParse for a name a user may not give a variable */
export function checkVariableName(name: string): void {
  if (name === "") throw new ServerError("FailedToParse", "empty variable names are not allowed");
  if (name === "CURRENT") return;
  const [first] = name;
  if (!/^[a-z\u0080-\uffff]/.test(first!)) {
    throw new ServerError(
      "FailedToParse",
      `'${name}' starts with an invalid character for a user variable name`,
    );
  }
  const bad = /[^A-Za-z0-9_\u0080-\uffff]/.exec(name);
  if (bad !== null) {
    throw new ServerError(
      "FailedToParse",
      `'${name}' contains an invalid character for a variable name: '${bad[0]}'`,
    );
  }
}

/** A context with further variables. */
export function withVariables(
  context: ExpressionContext,
  cells: Iterable<[string, Cell]>,
): ExpressionContext {
  const variables = new Map(context.variables);
  let { current } = context;
  for (const [name, cell] of cells) {
    if (name === "CURRENT") current = cell;
    else variables.set(name, cell);
  }
  return { ...context, variables, current };
}

/** A literal value, as the parser found it; operators use it to check constants early. */
const literals = new WeakMap<Expression, { value: Value }>();

export function literal(value: Value): Expression {
  const expression: Expression = () => value;
  literals.set(expression, { value });
  return expression;
}

/** The constant an expression stands for; undefined when it isn't one. */
export function constantOf(expression: Expression): Value | undefined {
  return literals.get(expression)?.value;
}

export function compileExpression(value: Value, context: ExpressionContext): Expression {
  if (typeof value === "string") return value.startsWith("$") ? compilePath(value, context) : literal(value);
  if (Array.isArray(value)) return compileArray(value, context);
  if (value instanceof Map) return compileDocument(value, context);
  return literal(value);
}

function compileArray(values: Value[], context: ExpressionContext): Expression {
  const elements = values.map((value) => compileExpression(value, context));
  if (elements.every((element) => literals.has(element))) return literal(values);
  return (root) => elements.map((element) => element(root) ?? null);
}

function compileDocument(document: Document, context: ExpressionContext): Expression {
  if (document.size === 0) return literal(document);
  const [first] = document.keys();
  if (first!.startsWith("$")) {
    if (document.size > 1) {
      throw new ServerError(
        15983,
        `an object representing an expression must have exactly one field: ${describeDocument(document)}`,
      );
    }
    return compileOperator(first!, document.get(first!)!, context);
  }
  return compileObject(document, context);
}

/** Compiles `{<operator>: operand}`. */
function compileOperator(name: string, operand: Value, context: ExpressionContext): Expression {
  const compiler = registry.get(name);
  if (compiler === undefined)
    throw new ServerError("InvalidPipelineOperator", `Unrecognized expression '${name}'`);
  return compiler(operand, context, name);
}

function compileObject(document: Document, context: ExpressionContext): Expression {
  const fields: [string, Expression][] = [];
  for (const [name, value] of document) {
    checkFieldName(name);
    fields.push([name, compileExpression(value, context)]);
  }
  if (fields.every(([, expression]) => literals.has(expression))) return literal(document);
  return (root) => {
    const result: Document = new Map();
    for (const [name, expression] of fields) {
      const value = expression(root);
      if (value !== undefined) result.set(name, value);
    }
    return result;
  };
}

/** @throws ServerError for a name that can't be a component of a field path */
function checkFieldName(name: string): void {
  if (name === "") throw new ServerError(15998, "FieldPath field names may not be empty strings.");
  if (name.startsWith("$")) {
    throw new ServerError(
      16410,
      "FieldPath field names may not start with '$'. Consider using $getField or $setField.",
    );
  }
  if (name.includes("\0")) throw new ServerError(16411, "FieldPath field names may not contain '\0'.");
  if (name.includes(".")) {
    throw new ServerError(
      16412,
      "FieldPath field names may not contain '.'. Consider using $getField or $setField.",
    );
  }
}

/** Splits a field path, checking each component. */
export function splitFieldPath(path: string): string[] {
  if (path === "") throw new ServerError(40352, "FieldPath cannot be constructed with empty string");
  if (path.endsWith(".")) throw new ServerError(40353, "FieldPath must not end with a '.'.");
  const parts = path.split(".");
  for (const part of parts) checkFieldName(part);
  return parts;
}

function compilePath(text: string, context: ExpressionContext): Expression {
  if (text === "$") throw new ServerError(16872, "'$' by itself is not a valid FieldPath");
  if (!text.startsWith("$$")) return compileFieldPath(splitFieldPath(text.slice(1)), context.current);
  const [name, ...rest] = text.slice(2).split(".");
  const path = rest.length === 0 ? [] : splitFieldPath(rest.join("."));
  return compileVariable(name!, path, context);
}

function compileFieldPath(path: string[], current: Cell | undefined): Expression {
  if (current !== undefined) return () => valueAtPath(current.value, path, 0);
  if (path.length === 1) {
    const [name] = path as [string];
    return (root) => root.get(name);
  }
  return (root) => valueAtPath(root, path, 0);
}

function compileVariable(name: string, path: string[], context: ExpressionContext): Expression {
  switch (name) {
    case "ROOT":
      return path.length === 0 ? (root) => root : (root) => valueAtPath(root, path, 0);
    case "CURRENT": {
      const { current } = context;
      if (current !== undefined) return () => valueAtPath(current.value, path, 0);
      return (root) => valueAtPath(root, path, 0);
    }
    case "REMOVE":
      return () => undefined;
    case "DESCEND":
    case "PRUNE":
    case "KEEP":
      return literal(name.toLowerCase());
  }
  const cell = context.variables.get(name);
  if (cell === undefined) {
    if (
      name === "NOW" ||
      name === "CLUSTER_TIME" ||
      name === "JS_SCOPE" ||
      name === "IS_MR" ||
      name === "USER_ROLES"
    ) {
      throw new ServerError(51144, `Builtin variable '$$${name}' is not available`);
    }
    if (name === "SEARCH_META") return () => undefined;
    if (name !== "" && /^[a-z]/.test(name)) checkVariableName(name);
    throw new ServerError(17276, `Use of undefined variable: ${name}`);
  }
  if (path.length === 0) return () => cell.value;
  return () => valueAtPath(cell.value, path, 0);
}

/** The value at a path as expressions see it: arrays on the way give the array of what their documents have. */
export function valueAtPath(
  value: Value | undefined,
  path: readonly string[],
  from: number,
): Value | undefined {
  let current = value;
  for (let i = from; i < path.length; i++) {
    if (current instanceof Map) current = current.get(path[i]!);
    else if (Array.isArray(current)) {
      const found: Value[] = [];
      for (const element of current) {
        if (!(element instanceof Map)) continue;
        const inner = valueAtPath(element, path, i);
        if (inner !== undefined) found.push(inner);
      }
      return found;
    } else return undefined;
  }
  return current;
}

/** Whether a value is null, undefined or missing. */
export function isNullish(value: Value | undefined): value is null | undefined {
  return (
    value === undefined ||
    value === null ||
    (typeof value === "object" && typeOf(value) === BsonType.Undefined)
  );
}

/** Name of a value's type, "missing" for none. */
export function typeNameOf(value: Value | undefined): string {
  return value === undefined ? "missing" : typeName(value);
}

/** The operands of an operator with a fixed or bounded number of them. */
export function compileOperands(
  name: string,
  operand: Value,
  context: ExpressionContext,
  least: number,
  most = least,
): Expression[] {
  const values = Array.isArray(operand) ? operand : [operand];
  if (values.length < least || values.length > most) {
    if (least === most) {
      throw new ServerError(
        16020,
        `Expression ${name} takes exactly ${least} arguments. ${values.length} were passed in.`,
      );
    }
    if (most === Infinity) {
      throw new ServerError(
        28668,
        `Expression ${name} takes at least ${least} arguments, but ${values.length} were passed in.`,
      );
    }
    throw new ServerError(
      28667,
      `Expression ${name} takes at least ${least} arguments, and at most ${most}, but ${values.length} were passed in.`,
    );
  }
  return values.map((value) => compileExpression(value, context));
}

/** An operator of one operand. */
export function unary(
  evaluate: (value: Value | undefined, name: string) => Value | undefined,
): OperatorCompiler {
  return (operand, context, name) => {
    const [argument] = compileOperands(name, operand, context, 1) as [Expression];
    return (root) => evaluate(argument(root), name);
  };
}

/** An operator of two operands. */
export function binary(
  evaluate: (
    a: Value | undefined,
    b: Value | undefined,
    name: string,
    context: ExpressionContext,
  ) => Value | undefined,
): OperatorCompiler {
  return (operand, context, name) => {
    const [left, right] = compileOperands(name, operand, context, 2) as [Expression, Expression];
    return (root) => evaluate(left(root), right(root), name, context);
  };
}

/** An operator of any number of operands. */
export function variadic(
  evaluate: (values: (Value | undefined)[], name: string, context: ExpressionContext) => Value | undefined,
  least = 0,
  most = Infinity,
): OperatorCompiler {
  return (operand, context, name) => {
    const operands = compileOperands(name, operand, context, least, most);
    return (root) =>
      evaluate(
        operands.map((expression) => expression(root)),
        name,
        context,
      );
  };
}

/** Reads the named arguments of an operator; unknown ones are refused with `unknownCode`. */
export function namedArguments(
  name: string,
  operand: Value,
  known: readonly string[],
  codes: { type: number; unknown: number },
): Document {
  if (!(operand instanceof Map)) {
    throw new ServerError(codes.type, `${name} only supports an object as its argument`);
  }
  for (const field of operand.keys()) {
    if (!known.includes(field))
      throw new ServerError(codes.unknown, `Unrecognized parameter to ${name}: ${field}`);
  }
  return operand;
}
