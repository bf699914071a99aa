import { describeValue } from "../../describe.ts";
import { ServerError } from "../../errors.ts";
import { bsonSize } from "../../size.ts";
import { type Binary, BsonType, type Document, Int32, typeOf, type Value } from "../../value.ts";
import {
  compileExpression,
  constantOf,
  type Expression,
  type ExpressionContext,
  isNullish,
  type OperatorCompiler,
  typeNameOf,
  unary,
  variadic,
} from "../expression.ts";

function toPairs(value: Value | undefined): Value | null {
  if (isNullish(value)) return null;
  if (!(value instanceof Map))
    throw new ServerError(40390, `$objectToArray requires a document input, found: ${typeNameOf(value)}`);
  return [...value].map(
    ([k, v]): Document =>
      new Map<string, Value>([
        ["k", k],
        ["v", v],
      ]),
  );
}

function fromPairs(value: Value | undefined): Value | null {
  if (isNullish(value)) return null;
  if (!Array.isArray(value))
    throw new ServerError(40386, `$arrayToObject requires an array input, found: ${typeNameOf(value)}`);
  const result: Document = new Map();
  for (const pair of value) {
    const [name, field] = readPair(pair);
    if (name.includes("\0")) throw new ServerError(4940400, "Key field cannot contain an embedded null byte");
    result.set(name, field);
  }
  return result;
}

function readPair(pair: Value): [string, Value] {
  if (Array.isArray(pair)) {
    if (pair.length !== 2)
      throw new ServerError(
        40397,
        `$arrayToObject requires an array of size 2 arrays,found array of size: ${pair.length}`,
      );
    if (typeof pair[0] !== "string") {
      throw new ServerError(
        40395,
        `$arrayToObject requires an array of key-value pairs, where the key must be of type string. Found key type: ${typeNameOf(pair[0])}`,
      );
    }
    return [pair[0], pair[1]!];
  }
  if (!(pair instanceof Map))
    throw new ServerError(40398, `Unrecognised input type format for $arrayToObject: ${typeNameOf(pair)}`);
  if (pair.size !== 2)
    throw new ServerError(
      40392,
      `$arrayToObject requires an object keys of 'k' and 'v'. Found incorrect number of keys:${pair.size}`,
    );
  const [name, field] = [pair.get("k"), pair.get("v")];
  if (name === undefined || field === undefined)
    throw new ServerError(
      40393,
      "$arrayToObject requires an object with keys 'k' and 'v'. Missing either or both keys from: ",
    );
  if (typeof name !== "string") {
    throw new ServerError(
      40394,
      `$arrayToObject requires an object with keys 'k' and 'v', where the value of 'k' must be of type string. Found type: ${typeNameOf(name)}`,
    );
  }
  return [name, field];
}

function merge(values: (Value | undefined)[]): Value {
  const result: Document = new Map();
  const sources = values.length === 1 && Array.isArray(values[0]) ? values[0] : values;
  for (const value of sources) {
    if (isNullish(value)) continue;
    if (!(value instanceof Map))
      throw new ServerError(
        40400,
        `$mergeObjects requires object inputs, but input ${describeValue(value)} is of type ${typeNameOf(value)}`,
      );
    for (const [name, field] of value) result.set(name, field);
  }
  return result;
}

/** The `field` argument of `$getField` and `$setField`: it must be a constant string. */
function fieldName(value: Value, context: ExpressionContext, name: string): string {
  const constant = constantOf(compileExpression(value, context));
  if (typeof constant !== "string") {
    throw constant === undefined
      ? new ServerError(4161106, `${name} requires 'field' to evaluate to a constant`)
      : new ServerError(
          4161107,
          `${name} requires 'field' to evaluate to a constant of type String, but got ${typeNameOf(constant)}`,
        );
  }
  return constant;
}

function compileGetField(operand: Value, context: ExpressionContext, name: string): Expression {
  const isSpecification = operand instanceof Map && (operand.has("field") || operand.has("input"));
  const specification: Document = isSpecification ? operand : new Map([["field", operand]]);
  for (const key of specification.keys()) {
    if (key !== "field" && key !== "input")
      throw new ServerError(3041701, `${name} found an unknown argument: ${key}`);
  }
  const field = specification.get("field");
  if (field === undefined) throw new ServerError(3041702, `${name} requires 'field' to be specified`);
  if (isSpecification && !specification.has("input"))
    throw new ServerError(3041703, `${name} requires 'input' to be specified`);
  const wanted = fieldNameForGet(field, context, name);
  const input = compileExpression(specification.get("input") ?? "$$CURRENT", context);
  return (root) => {
    const document = input(root);
    if (isNullish(document)) return document === undefined ? undefined : null;
    return document instanceof Map ? document.get(wanted) : undefined;
  };
}

function fieldNameForGet(value: Value, context: ExpressionContext, name: string): string {
  const constant = constantOf(compileExpression(value, context));
  if (typeof constant === "string") return constant;
  throw constant === undefined
    ? new ServerError(5654600, `${name} requires 'field' to evaluate to a constant`)
    : new ServerError(
        5654602,
        `${name} requires 'field' to evaluate to type String, but got ${typeNameOf(constant)}`,
      );
}

function compileSetField(operand: Value, context: ExpressionContext, name: string): Expression {
  if (!(operand instanceof Map))
    throw new ServerError(4161100, `${name} only supports an object as its argument`);
  const known = name === "$setField" ? ["field", "input", "value"] : ["field", "input"];
  for (const key of operand.keys()) {
    if (!known.includes(key)) throw new ServerError(4161101, `${name} found an unknown argument: ${key}`);
  }
  known.forEach((key, index) => {
    if (!operand.has(key))
      throw new ServerError([4161102, 4161109, 4161103][index]!, `${name} requires '${key}' to be specified`);
  });
  const field = fieldName(operand.get("field")!, context, name);
  const input = compileExpression(operand.get("input")!, context);
  const value = name === "$setField" ? compileExpression(operand.get("value")!, context) : () => undefined;
  return (root) => {
    const document = input(root);
    if (isNullish(document)) return null;
    if (!(document instanceof Map))
      throw new ServerError(4161105, `${name} requires 'input' to evaluate to type Object`);
    const result: Document = new Map(document);
    const made = value(root);
    if (made === undefined) result.delete(field);
    else result.set(field, made);
    return result;
  };
}

const metaNeeds: Record<string, string> = {
  textScore: "text score",
  searchScore: "$search score",
  searchHighlights: "$search highlights",
  geoNearDistance: "$geoNear distance",
  geoNearPoint: "$geoNear point",
  randVal: "rand val",
  indexKey: "index key",
  recordId: "record ID",
  sortKey: "sort key",
};

export const objectOperators: Record<string, OperatorCompiler> = {
  $objectToArray: unary(toPairs),
  $arrayToObject: unary(fromPairs),
  $mergeObjects: variadic(merge),
  $getField: compileGetField,
  $setField: compileSetField,
  $unsetField: compileSetField,
  $bsonSize: unary((value) => {
    if (isNullish(value)) return null;
    if (!(value instanceof Map))
      throw new ServerError(31393, `$bsonSize requires a document input, found: ${typeNameOf(value)}`);
    return new Int32(bsonSize(value));
  }),
  $binarySize: unary((value) => {
    if (isNullish(value)) return null;
    if (typeof value === "string") return new Int32(Buffer.byteLength(value));
    if (typeOf(value) !== BsonType.Binary)
      throw new ServerError(
        51276,
        `$binarySize requires a string or BinData argument, found: ${typeNameOf(value)}`,
      );
    const { position, sub_type } = value as Binary;
    return new Int32(sub_type === 2 ? position - 4 : position);
  }),
  $meta: (operand) => {
    if (typeof operand !== "string" || metaNeeds[operand] === undefined) {
      throw new ServerError(
        17308,
        `Unsupported argument to $meta: ${typeof operand === "string" ? operand : describeValue(operand)}`,
      );
    }
    if (operand === "indexKey" || operand === "recordId") return () => undefined;
    throw new ServerError(40218, `query requires ${metaNeeds[operand]} metadata, but it is not available`);
  },
  $function: () => {
    throw new ServerError(31264, "$function not supported without a JavaScript engine");
  },
};
