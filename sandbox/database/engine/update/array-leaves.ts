/** The operators on arrays. */
import { toNumber } from "../arithmetic.ts";
import { type Collator, compareValues } from "../compare.ts";
import { describeDocument, describeElement } from "../describe.ts";
import { ServerError } from "../errors.ts";
import { compileFilter, type FilterContext } from "../match/index.ts";
import { exactInteger, parseInteger } from "../match/numbers.ts";
import { compileSort } from "../sort.ts";
import { BsonType, type Document, isNumber, typeName, typeOf, type Value } from "../value.ts";
import type { Step } from "./log.ts";
import type { ApplyState, Leaf } from "./node.ts";

interface Context {
  collation?: Collator;
  filterContext: FilterContext;
}

interface PushClauses {
  values: Value[];
  slice?: number;
  position?: number;
  compare?: (a: Value, b: Value) => number;
}

function integerClause(clause: string, value: Value): number {
  const integer = isNumber(value) ? exactInteger(value) : undefined;
  if (integer !== undefined) return Number(integer);
  const wording =
    clause === "$slice" ? "be an integer value but was given type:" : "be an integer value, not of type:";
  throw new ServerError("BadValue", `The value for ${clause} must ${wording} ${typeName(value)}`);
}

function direction(value: Value): 1 | -1 {
  const number = isNumber(value) ? toNumber(value) : 0;
  if (number === 1 || number === -1) return number;
  throw new ServerError("BadValue", "The $sort element value must be either 1 or -1");
}

function sortClause(value: Value, collation?: Collator): (a: Value, b: Value) => number {
  if (isNumber(value)) {
    const sign = direction(value);
    return (a, b) => compareValues(a, b, collation) * sign;
  }
  if (!(value instanceof Map)) {
    throw new ServerError(
      "BadValue",
      "The $sort is invalid: use 1/-1 to sort the whole element, or {field:1/-1} to sort embedded fields",
    );
  }
  if (value.size === 0) {
    throw new ServerError("BadValue", "The $sort pattern is empty when it should be a set of fields.");
  }
  for (const [field, order] of value) {
    direction(order);
    if (field === "") throw new ServerError("BadValue", "The $sort field cannot be empty");
    if (field.split(".").includes("")) {
      throw new ServerError("BadValue", `The $sort field is a dotted field but has an empty part: ${field}`);
    }
  }
  const sorter = compileSort(value, collation);
  const documentOf = (element: Value): Document => (element instanceof Map ? element : new Map());
  return (a, b) => sorter.compare(documentOf(a), documentOf(b));
}

function parsePush(operand: Value, collation?: Collator): PushClauses {
  if (!(operand instanceof Map) || !operand.has("$each")) return { values: [operand] };
  const clauses: PushClauses = { values: [] };
  for (const [name, value] of operand) {
    switch (name) {
      case "$each":
        if (!Array.isArray(value)) {
          throw new ServerError(
            "BadValue",
            `The argument to $each in $push must be an array but it was of type: ${typeName(value)}`,
          );
        }
        clauses.values = value;
        break;
      case "$slice":
        clauses.slice = integerClause(name, value);
        break;
      case "$position":
        clauses.position = integerClause(name, value);
        break;
      case "$sort":
        clauses.compare = sortClause(value, collation);
        break;
      default:
        throw new ServerError("BadValue", `Unrecognized clause in $push: ${name}`);
    }
  }
  return clauses;
}

function push(array: Value[], { values, slice, position, compare }: PushClauses): Value[] {
  const result = [...array];
  const at =
    position === undefined ? result.length : position < 0 ? Math.max(0, result.length + position) : position;
  result.splice(Math.min(at, result.length), 0, ...values);
  if (compare !== undefined) result.sort(compare);
  if (slice === undefined) return result;
  return slice >= 0 ? result.slice(0, slice) : result.slice(Math.max(0, result.length + slice));
}

function sameElements(a: Value[], b: Value[]): boolean {
  return a.length === b.length && a.every((element, index) => element === b[index]);
}

function idBraces(state: ApplyState): string {
  const id = state.root.get("_id");
  return id === undefined ? "{no id}" : `{${describeElement("_id", id)}}`;
}

export function pushLeaf(operand: Value, { collation }: Context): Leaf {
  const clauses = parsePush(operand, collation);
  const appendsOnly =
    clauses.slice === undefined && clauses.compare === undefined && clauses.position === undefined;
  return {
    kind: "leaf",
    operator: "$push",
    create: () => push([], clauses),
    update: (existing, path, state) => {
      if (!Array.isArray(existing)) {
        throw new ServerError(
          "BadValue",
          `The field '${path.join(".")}' must be an array but is of type ${typeName(existing)} in document ${idBraces(state)}`,
        );
      }
      const result = push(existing, clauses);
      if (sameElements(existing, result)) return existing;
      if (appendsOnly && existing.length > 0) logAppended(existing.length, clauses.values, path, state);
      return result;
    },
    logsItself: appendsOnly ? (existing) => Array.isArray(existing) && existing.length > 0 : undefined,
  };
}

/** Elements added at the end are recorded one by one, not as the whole array. */
function logAppended(from: number, values: Value[], path: Step[], state: ApplyState): void {
  values.forEach((value, index) => {
    state.log?.set([...path, from + index], value);
  });
}

function addToSetValues(operand: Value): Value[] {
  if (!(operand instanceof Map) || operand.size === 0) return [operand];
  const [first] = operand.keys();
  if (first !== "$each") return [operand];
  const each = operand.get("$each")!;
  if (!Array.isArray(each)) {
    throw new ServerError(
      "TypeMismatch",
      `The argument to $each in $addToSet must be an array but it was of type ${typeName(each)}`,
    );
  }
  if (operand.size > 1) {
    throw new ServerError(
      "BadValue",
      `Found unexpected fields after $each in $addToSet: ${describeDocument(operand)}`,
    );
  }
  return each;
}

function withNew(array: Value[], values: Value[], collation?: Collator): Value[] {
  const result = [...array];
  for (const value of values) {
    if (!result.some((element) => compareValues(element, value, collation) === 0)) result.push(value);
  }
  return result;
}

export function addToSetLeaf(operand: Value, { collation }: Context): Leaf {
  const values = addToSetValues(operand);
  return {
    kind: "leaf",
    operator: "$addToSet",
    create: () => withNew([], values, collation),
    update: (existing, path) => {
      if (!Array.isArray(existing)) {
        throw new ServerError(
          "BadValue",
          `Cannot apply $addToSet to non-array field. Field named '${path.at(-1)}' has non-array type ${typeName(existing)}`,
        );
      }
      const result = withNew(existing, values, collation);
      return result.length === existing.length ? existing : result;
    },
  };
}

const wrapped = "element";

function pullMatcher(operand: Value, { collation, filterContext }: Context): (element: Value) => boolean {
  if (operand instanceof Map) {
    const [first] = operand.keys();
    const isOperator =
      first?.startsWith("$") && !["$and", "$or", "$nor", "$expr", "$ref", "$id", "$db"].includes(first);
    if (!isOperator) {
      const matches = compileFilter(operand, { ...filterContext, collation });
      return (element) => element instanceof Map && matches(element);
    }
  }
  if (operand instanceof Map || typeOf(operand) === BsonType.RegExp) {
    const matches = compileFilter(new Map([[wrapped, operand]]), { ...filterContext, collation });
    return (element) => matches(new Map([[wrapped, element]]));
  }
  return (element) => compareValues(element, operand, collation) === 0;
}

function cullingLeaf(operator: string, matches: (element: Value) => boolean): Leaf {
  return {
    kind: "leaf",
    operator,
    update: (existing) => {
      if (!Array.isArray(existing))
        throw new ServerError("BadValue", "Cannot apply $pull to a non-array value");
      const result = existing.filter((element) => !matches(element));
      return result.length === existing.length ? existing : result;
    },
  };
}

export function pullLeaf(operand: Value, context: Context): Leaf {
  return cullingLeaf("$pull", pullMatcher(operand, context));
}

export function pullAllLeaf(operand: Value, { collation }: Context): Leaf {
  if (!Array.isArray(operand)) {
    throw new ServerError(
      "BadValue",
      `$pullAll requires an array argument but was given a ${typeName(operand)}`,
    );
  }
  return cullingLeaf("$pullAll", (element) =>
    operand.some((value) => compareValues(value, element, collation) === 0),
  );
}

export function popLeaf(path: string, operand: Value): Leaf {
  const end = parseInteger(path, operand);
  if (end !== 1n && end !== -1n)
    throw new ServerError("FailedToParse", `$pop expects 1 or -1, found: ${end}`);
  return {
    kind: "leaf",
    operator: "$pop",
    update: (existing, at) => {
      if (!Array.isArray(existing)) {
        throw new ServerError(
          "TypeMismatch",
          `Path '${at.join(".")}' contains an element of non-array type '${typeName(existing)}'`,
        );
      }
      if (existing.length === 0) return existing;
      return end === 1n ? existing.slice(0, -1) : existing.slice(1);
    },
  };
}
