/** Stages that look at one document at a time, and the simple ones on the stream. */
import { toNumber } from "../../arithmetic.ts";
import { describeDocument, describeValue } from "../../describe.ts";
import { ServerError } from "../../errors.ts";
import { compileFilter } from "../../match/index.ts";
import { parseNonNegative } from "../../match/numbers.ts";
import { compileAddFields, compileProjectStage, type Projection } from "../../project.ts";
import { compileSort, sortDocuments } from "../../sort.ts";
import { type Document, Int32, isNumber, Long, type Value } from "../../value.ts";
import { type Cell, compileExpression, splitFieldPath, typeNameOf, withVariables } from "../expression.ts";
import type { Stage, StageCompiler, StageContext } from "../pipeline.ts";

function* mapDocuments(
  input: Iterable<Document>,
  transform: (document: Document) => Document,
): Generator<Document> {
  for (const document of input) yield transform(document);
}

const perDocument =
  (transform: Projection): Stage =>
  (input) =>
    mapDocuments(input, transform);

/** Options for filters and projections inside of a pipeline. */
export function filterOptions({ collation, let: variables, now, clusterTime, expressions }: StageContext) {
  return { collation, let: variables, now, clusterTime, variables: expressions.variables };
}

const match: StageCompiler = (specification, context) => {
  if (!(specification instanceof Map))
    throw new ServerError(15959, "the match filter must be an expression in an object");
  const matches = compileFilter(specification, filterOptions(context));
  return function* run(input) {
    for (const document of input) if (matches(document)) yield document;
  };
};

/** A limit's or skip's number. */
function countOf(specification: Value, name: string, code: number): number {
  try {
    return Number(parseNonNegative(name, specification));
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    throw new ServerError(code, `invalid argument to ${name} stage: ${error.message}`);
  }
}

const limit: StageCompiler = (specification) => {
  const most = countOf(specification, "$limit", 5107201);
  if (most === 0) throw new ServerError(15958, "the limit must be positive");
  return function* run(input) {
    let left = most;
    for (const document of input) {
      yield document;
      if (--left === 0) return;
    }
  };
};

const skip: StageCompiler = (specification) => {
  const first = countOf(specification, "$skip", 5107200);
  return function* run(input) {
    let index = 0;
    for (const document of input) if (index++ >= first) yield document;
  };
};

const sort: StageCompiler = (specification, { collation }) => {
  if (!(specification instanceof Map))
    throw new ServerError(15973, "the $sort key specification must be an object");
  if (specification.size === 0) throw new ServerError(15976, "$sort stage must have at least one sort key");
  const sorter = compileSort(specification, collation);
  return function* run(input) {
    yield* sortDocuments(input, sorter);
  };
};

const project: StageCompiler = (specification, context) => {
  if (!(specification instanceof Map))
    throw new ServerError(15969, "$project specification must be an object");
  return perDocument(compileProjectStage(specification, filterOptions(context)));
};

const addFields: StageCompiler = (specification, { expressions }, name) => {
  if (!(specification instanceof Map)) {
    throw new ServerError(
      40272,
      `${name} specification stage must be an object, got ${typeNameOf(specification)}`,
    );
  }
  if (specification.size === 0) {
    throw new ServerError(
      40177,
      `Invalid ${name} :: caused by :: specification must have at least one field`,
    );
  }
  return perDocument(compileAddFields(specification, expressions));
};

const unset: StageCompiler = (specification, context) => {
  const fields = Array.isArray(specification) ? specification : [specification];
  if (fields.length === 0)
    throw new ServerError(31119, "$unset specification must be a string or an array with at least one field");
  const exclusion: Document = new Map();
  for (const field of fields) {
    if (typeof field !== "string") {
      throw Array.isArray(specification)
        ? new ServerError(
            31120,
            "$unset specification must be a string or an array containing only string values",
          )
        : new ServerError(31002, "$unset specification must be a string or an array");
    }
    exclusion.set(field, false);
  }
  return perDocument(compileProjectStage(exclusion, filterOptions(context)));
};

const replaceRoot: StageCompiler = (specification, { expressions }, name) => {
  let newRoot = specification;
  if (name === "$replaceRoot") {
    if (!(specification instanceof Map))
      throw new ServerError(
        40229,
        `expected an object as specification for $replaceRoot stage, got ${typeNameOf(specification)}`,
      );
    for (const field of specification.keys()) {
      if (field !== "newRoot")
        throw new ServerError(40415, `BSON field '$replaceRoot.${field}' is an unknown field.`);
    }
    if (!specification.has("newRoot"))
      throw new ServerError(40414, "BSON field '$replaceRoot.newRoot' is missing but a required field");
    newRoot = specification.get("newRoot")!;
  }
  const expression = compileExpression(newRoot, expressions);
  const what = name === "$replaceRoot" ? "'newRoot'" : "'replacement document'";
  return perDocument((document) => {
    const value = expression(document);
    if (value instanceof Map) return value;
    throw new ServerError(
      40228,
      `${what} expression must evaluate to an object, but resulting value was: ${value === undefined ? "MISSING" : describeValue(value)}. ` +
        `Type of resulting value: '${typeNameOf(value)}'. Input document: ${describeDocument(document)}`,
    );
  });
};

interface UnwindOptions {
  path: string[];
  indexField?: string;
  keepEmpty: boolean;
}

function unwindOptions(specification: Value): UnwindOptions {
  if (typeof specification === "string") return { path: unwindPath(specification), keepEmpty: false };
  if (!(specification instanceof Map)) {
    throw new ServerError(
      15981,
      `expected either a string or an object as specification for $unwind stage, got ${typeNameOf(specification)}`,
    );
  }
  const options: UnwindOptions = { path: [], keepEmpty: false };
  for (const [field, value] of specification) {
    if (field === "path") {
      if (typeof value !== "string")
        throw new ServerError(
          28808,
          `expected a string as the path for $unwind stage, got ${typeNameOf(value)}`,
        );
      options.path = unwindPath(value);
    } else if (field === "preserveNullAndEmptyArrays") {
      if (typeof value !== "boolean")
        throw new ServerError(
          28809,
          `expected a boolean for the preserveNullAndEmptyArrays option to $unwind stage, got ${typeNameOf(value)}`,
        );
      options.keepEmpty = value;
    } else if (field === "includeArrayIndex") {
      if (typeof value !== "string" || value === "")
        throw new ServerError(
          28810,
          `expected a non-empty string for the includeArrayIndex  option to $unwind stage, got ${typeNameOf(value)}`,
        );
      if (value.startsWith("$"))
        throw new ServerError(
          28822,
          `includeArrayIndex option to $unwind stage should not be prefixed with a '$': ${value}`,
        );
      options.indexField = value;
    } else throw new ServerError(28811, `unrecognized option to $unwind stage: ${field}`);
  }
  if (options.path.length === 0) throw new ServerError(28812, "no path specified to $unwind stage");
  return options;
}

function unwindPath(path: string): string[] {
  if (path === "") throw new ServerError(28812, "no path specified to $unwind stage");
  if (!path.startsWith("$"))
    throw new ServerError(28818, `path option to $unwind stage should be prefixed with a '$': ${path}`);
  return splitFieldPath(path.slice(1));
}

/** The value at a path of documents only; arrays on the way aren't entered. */
function plainValue(document: Document, path: string[]): Value | undefined {
  let current: Value | undefined = document;
  for (const name of path) current = current instanceof Map ? current.get(name) : undefined;
  return current;
}

/** Sets (or with undefined takes out) the value at a path of documents. */
export function withPath(document: Document, path: readonly string[], value: Value | undefined): Document {
  const [name, ...rest] = path as [string, ...string[]];
  const result: Document = new Map(document);
  if (rest.length > 0) {
    const inner = result.get(name);
    result.set(name, withPath(inner instanceof Map ? inner : new Map(), rest, value));
  } else if (value === undefined) result.delete(name);
  else result.set(name, value);
  return result;
}

const unwind: StageCompiler = (specification) => {
  const { path, indexField, keepEmpty } = unwindOptions(specification);
  const indexPath = indexField === undefined ? undefined : splitFieldPath(indexField);
  const withIndex = (document: Document, index: number | null): Document =>
    indexPath === undefined
      ? document
      : withPath(document, indexPath, index === null ? null : Long.fromNumber(index));
  return function* run(input) {
    for (const document of input) {
      const value = plainValue(document, path);
      if (Array.isArray(value) && value.length > 0) {
        for (let i = 0; i < value.length; i++) yield withIndex(withPath(document, path, value[i]), i);
      } else if (value !== undefined && value !== null && !Array.isArray(value))
        yield withIndex(document, null);
      else if (keepEmpty)
        yield withIndex(Array.isArray(value) ? withPath(document, path, undefined) : document, null);
    }
  };
};

const count: StageCompiler = (specification) => {
  if (typeof specification !== "string")
    throw new ServerError(40156, "the count field must be a non-empty string");
  if (specification === "") throw new ServerError(40156, "the count field must be a non-empty string");
  if (specification.includes("\0"))
    throw new ServerError(40159, "the count field must not contain a null byte");
  if (specification.startsWith("$"))
    throw new ServerError(40158, "the count field cannot be a $-prefixed path");
  if (specification.includes(".")) throw new ServerError(40160, "the count field cannot contain '.'");
  return function* run(input) {
    let total = 0;
    for (const _ of input) total++;
    if (total > 0)
      yield new Map([[specification, total > 2147483647 ? Long.fromNumber(total) : new Int32(total)]]);
  };
};

const sample: StageCompiler = (specification) => {
  if (!(specification instanceof Map))
    throw new ServerError(28745, "the $sample stage specification must be an object");
  for (const field of specification.keys()) {
    if (field !== "size") throw new ServerError(28748, `unrecognized option to $sample: ${field}`);
  }
  const size = specification.get("size");
  if (size === undefined) throw new ServerError(28749, "$sample stage must specify a size");
  if (!isNumber(size)) throw new ServerError(28746, "size argument to $sample must be a number");
  const wanted = Math.trunc(toNumber(size));
  if (wanted <= 0) throw new ServerError(28747, "size argument to $sample must not be negative");
  return function* run(input) {
    const all = [...input];
    for (let i = 0; i < Math.min(wanted, all.length); i++) {
      const other = i + Math.floor(Math.random() * (all.length - i));
      [all[i], all[other]] = [all[other]!, all[i]!];
      yield all[i]!;
    }
  };
};

const documents: StageCompiler = (specification, { expressions }) => {
  const expression = compileExpression(specification, expressions);
  return function* run() {
    const value = expression(new Map());
    if (!Array.isArray(value))
      throw new ServerError(5858203, `an array is expected, found ${typeNameOf(value)}`);
    for (const element of value) {
      if (!(element instanceof Map))
        throw new ServerError(
          40228,
          `'newRoot' expression must evaluate to an object, but resulting value was: ${describeValue(element)}`,
        );
      yield element;
    }
  };
};

/** `$redact`: keeps, prunes or descends, document by document from the outside in. */
const redact: StageCompiler = (specification, { expressions }) => {
  const current: Cell = { value: undefined };
  const decide = compileExpression(specification, withVariables(expressions, [["CURRENT", current]]));
  const redactDocument = (document: Document, root: Document): Document | undefined => {
    current.value = document;
    const decision = decide(root);
    if (decision === "prune") return undefined;
    if (decision === "keep") return document;
    if (decision !== "descend") {
      throw new ServerError(
        17053,
        `$redact's expression should not return anything aside from the variables $$KEEP, $$DESCEND, and $$PRUNE, but returned ${decision === undefined ? "" : describeValue(decision)}`,
      );
    }
    const result: Document = new Map();
    for (const [name, value] of document) {
      const inner = redactValue(value, root);
      if (inner !== undefined) result.set(name, inner);
    }
    return result;
  };
  const redactValue = (value: Value, root: Document): Value | undefined => {
    if (value instanceof Map) return redactDocument(value, root);
    if (!Array.isArray(value)) return value;
    return value.map((element) => redactValue(element, root)).filter((element) => element !== undefined);
  };
  return function* run(input) {
    for (const document of input) {
      const result = redactDocument(document, document);
      if (result !== undefined) yield result;
    }
  };
};

export const basicStages: Record<string, StageCompiler> = {
  $match: match,
  $limit: limit,
  $skip: skip,
  $sort: sort,
  $project: project,
  $addFields: addFields,
  $set: addFields,
  $unset: unset,
  $replaceRoot: replaceRoot,
  $replaceWith: replaceRoot,
  $unwind: unwind,
  $count: count,
  $sample: sample,
  $documents: documents,
  $redact: redact,
};
