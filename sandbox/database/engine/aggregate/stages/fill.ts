/** `$fill` and `$densify`: values and documents that are missing in a series. */
import { toNumber } from "../../arithmetic.ts";
import { compareValues } from "../../compare.ts";
import { ServerError } from "../../errors.ts";
import { compileSort } from "../../sort.ts";
import { DateTime, type Document, Double, Int32, isNumber, Long, type Value } from "../../value.ts";
import {
  compileExpression,
  type Expression,
  type ExpressionContext,
  isNullish,
  splitFieldPath,
  valueAtPath,
} from "../expression.ts";
import { shiftDate } from "../operators/date-arithmetic.ts";
import type { StageCompiler } from "../pipeline.ts";
import { withPath } from "./basic.ts";
import { carryForward, interpolate, partitionsOf } from "./series.ts";

function partitionExpression(specification: Document, context: ExpressionContext): Expression | undefined {
  const by = specification.get("partitionBy");
  const fields = specification.get("partitionByFields");
  if (by !== undefined && fields !== undefined)
    throw new ServerError(
      6050204,
      "Maximum one of 'partitionBy' and 'partitionByFields can be specified in '$fill'",
    );
  if (by !== undefined) return compileExpression(by, context);
  return Array.isArray(fields) && fields.length > 0 ? fieldsExpression(fields) : undefined;
}

function fieldsExpression(fields: Value[]): Expression {
  const paths = fields.map((field) => splitFieldPath(String(field)));
  return (document) => paths.map((path) => valueAtPath(document, path, 0) ?? null);
}

const fill: StageCompiler = (specification, { expressions, collation }) => {
  if (!(specification instanceof Map))
    throw new ServerError("FailedToParse", "The $fill stage specification must be an object");
  const output = specification.get("output");
  if (!(output instanceof Map))
    throw new ServerError(40414, "BSON field '$fill.output' is missing but a required field");
  const sortBy = specification.get("sortBy");
  const sorter = sortBy instanceof Map ? compileSort(sortBy, collation) : undefined;
  const by = partitionExpression(specification, expressions);
  const fields = [...output].map(([name, how]) => {
    if (!(how instanceof Map))
      throw new ServerError("FailedToParse", `$fill output field '${name}' must be an object`);
    const method = how.get("method");
    const value = how.get("value");
    if ((method === undefined) === (value === undefined))
      throw new ServerError(6050202, "Each 'output' field in '$fill' must have either 'value' or 'method'");
    if (method !== undefined && method !== "linear" && method !== "locf")
      throw new ServerError(6050202, "Method must be either locf or linear");
    if (method !== undefined && sorter === undefined)
      throw new ServerError(605001, "'sortBy' must be specified with 'method'");
    return {
      path: splitFieldPath(name),
      method,
      value: value === undefined ? undefined : compileExpression(value, expressions),
    };
  });
  const sortPath = sorter === undefined ? undefined : splitFieldPath(sorter.parts[0]!.field);
  return function* run(input) {
    for (const partition of partitionsOf(input, by)) {
      if (sorter !== undefined) partition.sort((a, b) => sorter.compare(a, b));
      const columns = fields.map(({ path, method, value }): Value[] => {
        const present = partition.map((document) => valueAtPath(document, path, 0));
        if (method === "locf") return carryForward(present);
        if (method === "linear")
          return interpolate(
            present,
            partition.map((document) => valueAtPath(document, sortPath!, 0) ?? null),
          );
        return present.map((current, index) =>
          isNullish(current) ? (value!(partition[index]!) ?? null) : current,
        );
      });
      for (const [index, document] of partition.entries()) {
        yield fields.reduce(
          (result, { path }, column) => withPath(result, path, columns[column]![index]),
          document,
        );
      }
    }
  };
};

interface Densify {
  path: string[];
  by: Expression | undefined;
  partitionFields: string[][];
  step: (value: Value) => Value;
  bounds: "full" | "partition" | [Value, Value];
}

function densifyOptions(specification: Value): Densify {
  if (!(specification instanceof Map))
    throw new ServerError(5733401, "The $densify stage specification must be an object");
  const [field, range, partition] = ["field", "range", "partitionByFields"].map((name) =>
    specification.get(name),
  );
  if (typeof field !== "string")
    throw new ServerError(40414, "BSON field '$densify.field' is missing but a required field");
  if (!(range instanceof Map))
    throw new ServerError(40414, "BSON field '$densify.range' is missing but a required field");
  const step = range.get("step");
  const unit = range.get("unit");
  const bounds = range.get("bounds");
  if (!isNumber(step) || toNumber(step) <= 0)
    throw new ServerError(
      5733401,
      "The step parameter in a range statement must be a strictly positive numeric value",
    );
  if (bounds !== "full" && bounds !== "partition" && !(Array.isArray(bounds) && bounds.length === 2)) {
    throw new ServerError(5946802, "Bounds string must either be 'full' or 'partition'");
  }
  const partitionFields = (Array.isArray(partition) ? partition : []).map((name) =>
    splitFieldPath(String(name)),
  );
  return {
    path: splitFieldPath(field),
    by: Array.isArray(partition) && partition.length > 0 ? fieldsExpression(partition) : undefined,
    partitionFields,
    bounds: bounds as Densify["bounds"],
    step: (value) => advance(value, toNumber(step), typeof unit === "string" ? unit : undefined),
  };
}

function advance(value: Value, step: number, unit: string | undefined): Value {
  if (value instanceof DateTime) {
    if (unit === undefined) throw new ServerError(6053600, "$densify's step for dates needs a unit");
    return shiftDate(value, unit, step);
  }
  if (!isNumber(value)) throw new ServerError(5733201, "Densify field type must be numeric or a date");
  const next = toNumber(value) + step;
  if (value instanceof Int32 && Number.isInteger(next) && Math.abs(next) < 2 ** 31) return new Int32(next);
  return value instanceof Long && Number.isSafeInteger(next) ? Long.fromNumber(next) : new Double(next);
}

const densify: StageCompiler = (specification) => {
  const options = densifyOptions(specification);
  const fieldValue = (document: Document): Value | undefined => valueAtPath(document, options.path, 0);
  return function* run(input) {
    const partitions = partitionsOf(input, options.by).map((documents) => ({
      plain: documents.filter((document) => isNullish(fieldValue(document))),
      sorted: documents
        .filter((document) => !isNullish(fieldValue(document)))
        .sort((a, b) => compareValues(fieldValue(a)!, fieldValue(b)!)),
    }));
    const all = partitions
      .flatMap(({ sorted }) => sorted.map((document) => fieldValue(document)!))
      .sort(compareValues);
    for (const { plain, sorted } of partitions) {
      yield* plain;
      yield* densifyPartition(sorted, all, options, fieldValue);
    }
  };
};

function* densifyPartition(
  sorted: Document[],
  all: Value[],
  options: Densify,
  fieldValue: (document: Document) => Value | undefined,
): Generator<Document> {
  const { bounds, path, partitionFields } = options;
  const made = (value: Value): Document => {
    let document: Document = new Map();
    for (const field of partitionFields) {
      const value = sorted[0] === undefined ? undefined : valueAtPath(sorted[0], field, 0);
      if (value !== undefined) document = withPath(document, field, value);
    }
    return withPath(document, path, value);
  };
  const explicit = Array.isArray(bounds);
  const low = explicit ? bounds[0] : bounds === "full" ? all[0] : sorted[0] && fieldValue(sorted[0]);
  const high = explicit
    ? bounds[1]
    : bounds === "full"
      ? all.at(-1)
      : sorted.at(-1) && fieldValue(sorted.at(-1)!);
  let next: Value | undefined = low;
  const within = (value: Value): boolean =>
    compareValues(value, high!) < 0 || (!explicit && compareValues(value, high!) === 0);
  for (const document of sorted) {
    const value = fieldValue(document)!;
    while (next !== undefined && within(next) && compareValues(next, value) < 0) {
      yield made(next);
      next = options.step(next);
    }
    if (next !== undefined && compareValues(next, value) === 0) next = options.step(next);
    yield document;
  }
  while (next !== undefined && high !== undefined && within(next)) {
    yield made(next);
    next = options.step(next);
  }
}

export const fillStages: Record<string, StageCompiler> = { $fill: fill, $densify: densify };
