/** The operators on one field. */
import { add, multiply, numericRank, toBigInt } from "../arithmetic.ts";
import { type Collator, compareValues, identicalValues } from "../compare.ts";
import { describeDocument, describeElement, describeValue } from "../describe.ts";
import { ServerError } from "../errors.ts";
import type { FilterContext } from "../match/index.ts";
import {
  bigIntToLong,
  DateTime,
  type Document,
  Int32,
  isNumber,
  type NumberValue,
  type Timestamp,
  typeName,
  type Value,
} from "../value.ts";
import { addToSetLeaf, popLeaf, pullAllLeaf, pullLeaf, pushLeaf } from "./array-leaves.ts";
import type { Step } from "./log.ts";
import { type ApplyState, type Leaf, REMOVED } from "./node.ts";

export interface OperatorContext {
  collation?: Collator;
  filterContext: FilterContext;
  /** current time in milliseconds since 1970 */
  now: () => bigint;
  clusterTime: () => Timestamp;
}

/** Makes the leaf of one operator with its operand. */
export function makeLeaf(operator: string, path: string, operand: Value, context: OperatorContext): Leaf {
  switch (operator) {
    case "$set":
      return setLeaf(operand, false);
    case "$setOnInsert":
      return setLeaf(operand, true);
    case "$unset":
      return { kind: "leaf", operator, ignoresNonViable: true, update: () => REMOVED };
    case "$inc":
    case "$mul":
      return arithmeticLeaf(operator, path, operand);
    case "$min":
    case "$max":
      return extremeLeaf(operator, operand, context.collation);
    case "$currentDate":
      return currentDateLeaf(path, operand, context);
    case "$bit":
      return bitLeaf(path, operand);
    case "$push":
      return pushLeaf(operand, context);
    case "$addToSet":
      return addToSetLeaf(operand, context);
    case "$pull":
      return pullLeaf(operand, context);
    case "$pullAll":
      return pullAllLeaf(operand, context);
    default:
      return popLeaf(path, operand);
  }
}

function setLeaf(operand: Value, insertOnly: boolean): Leaf {
  return {
    kind: "leaf",
    operator: insertOnly ? "$setOnInsert" : "$set",
    insertOnly,
    setsDocument: operand instanceof Map,
    create: () => operand,
    update: (existing) => (identicalValues(existing, operand) ? existing : operand),
  };
}

/** `_id: 1` of the document, as messages name it. */
function idText(state: ApplyState): string {
  const id = state.root.get("_id");
  return id === undefined ? "no id" : describeElement("_id", id);
}

function arithmeticLeaf(operator: "$inc" | "$mul", path: string, operand: Value): Leaf {
  if (!isNumber(operand)) {
    const verb = operator === "$inc" ? "increment" : "multiply";
    throw new ServerError(
      "TypeMismatch",
      `Cannot ${verb} with non-numeric argument: {${describeElement(path, operand)}}`,
    );
  }
  const combine = operator === "$inc" ? add : multiply;
  return {
    kind: "leaf",
    operator,
    create: () => (operator === "$inc" ? operand : combine(operand, new Int32(0))),
    update: (existing, at, state) => {
      if (!isNumber(existing)) throw nonNumeric(operator, existing, at, state);
      const result = combine(operand, existing, "undefined");
      if (result === undefined) {
        throw new ServerError(
          "BadValue",
          `Failed to apply ${operator} operations to current value (${describeTyped(existing)}) for document {${idText(state)}}`,
        );
      }
      return identicalValues(result, existing) ? existing : result;
    },
  };
}

function nonNumeric(operator: string, existing: Value, path: Step[], state: ApplyState): ServerError {
  return new ServerError(
    "TypeMismatch",
    `Cannot apply ${operator} to a value of non-numeric type. {${idText(state)}} has the field '${path.at(-1)}' ` +
      `of non-numeric type ${typeName(existing)}`,
  );
}

function describeTyped(value: NumberValue): string {
  const names = {
    Int32: "NumberInt",
    Long: "NumberLong",
    Double: "NumberDouble",
    Decimal128: "NumberDecimal",
  };
  return `(${names[value._bsontype]})${describeValue(value)}`;
}

function extremeLeaf(operator: string, operand: Value, collation?: Collator): Leaf {
  const sign = operator === "$min" ? 1 : -1;
  return {
    kind: "leaf",
    operator,
    setsDocument: operand instanceof Map,
    create: () => operand,
    update: (existing) => (compareValues(operand, existing, collation) * sign < 0 ? operand : existing),
  };
}

function currentDateLeaf(path: string, operand: Value, context: OperatorContext): Leaf {
  const timestamp = isTimestampOperand(path, operand);
  const current = (): Value => (timestamp ? context.clusterTime() : new DateTime(context.now()));
  return { kind: "leaf", operator: "$currentDate", create: current, update: current };
}

function isTimestampOperand(path: string, operand: Value): boolean {
  if (typeof operand === "boolean") return false;
  if (!(operand instanceof Map)) {
    throw new ServerError(
      "BadValue",
      `${typeName(operand)} is not valid type for $currentDate. Please use a boolean ('true') or a $type expression ` +
        "({$type: 'timestamp/date'}).",
    );
  }
  for (const [name, value] of operand) {
    if (name !== "$type") throw new ServerError("BadValue", `Unrecognized $currentDate option: ${name}`);
    if (value === "date") return false;
    if (value === "timestamp") return true;
  }
  throw new ServerError(
    "BadValue",
    "The '$type' string field is required to be 'date' or 'timestamp': {$currentDate: {field : {$type: 'date'}}}" +
      (operand.size === 0 ? ` in ${path}` : ""),
  );
}

function bitLeaf(path: string, operand: Value): Leaf {
  const operations = bitOperations(path, operand);
  const applyAll = (start: NumberValue): NumberValue =>
    operations.reduce((value, operation) => operation(value), start);
  return {
    kind: "leaf",
    operator: "$bit",
    create: () => applyAll(new Int32(0)),
    update: (existing, at, state) => {
      if (!isNumber(existing) || numericRank(existing) > 1) {
        throw new ServerError(
          "BadValue",
          `Cannot apply $bit to a value of non-integral type.{${idText(state)}} has the field ${at.at(-1)} of non-integer type ${typeName(existing)}`,
        );
      }
      const result = applyAll(existing);
      return identicalValues(result, existing) ? existing : result;
    },
  };
}

type BitOperation = (value: NumberValue) => NumberValue;

function bitOperations(path: string, operand: Value): BitOperation[] {
  if (!(operand instanceof Map)) {
    throw new ServerError(
      "BadValue",
      `The $bit modifier is not compatible with a ${typeName(operand)}. You must pass in an embedded document: {$bit: {field: {and/or/xor: #}}`,
    );
  }
  const operations = [...operand].map(([name, value]) => bitOperation(operand, name, value));
  if (operations.length > 0) return operations;
  throw new ServerError(
    "BadValue",
    `You must pass in at least one bitwise operation. The format is: {$bit: {field: {and/or/xor: #}}, for ${path}`,
  );
}

function bitOperation(operand: Document, name: string, value: Value): BitOperation {
  if (name !== "and" && name !== "or" && name !== "xor") {
    throw new ServerError(
      "BadValue",
      `The $bit modifier only supports 'and', 'or', and 'xor', not '${name}' which is an unknown operator: {${describeElement(name, value)}}`,
    );
  }
  if (!isNumber(value) || numericRank(value) > 1) {
    throw new ServerError(
      "BadValue",
      `The $bit modifier field must be an Integer(32/64 bit); a '${typeName(value)}' is not supported here: ${describeDocument(operand)}`,
    );
  }
  const mask = toBigInt(value);
  return (current) => {
    const bits = toBigInt(current);
    const result = name === "and" ? bits & mask : name === "or" ? bits | mask : bits ^ mask;
    return numericRank(current) === 0 && numericRank(value) === 0
      ? new Int32(Number(result))
      : bigIntToLong(result);
  };
}
