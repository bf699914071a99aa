/** Stages that read other collections or run pipelines inside: `$lookup`, `$graphLookup`, `$unionWith`, `$facet`. */
import { toNumber } from "../../arithmetic.ts";
import { describeElement } from "../../describe.ts";
import { ServerError } from "../../errors.ts";
import { keyOf } from "../../keystring.ts";
import { compileFilter } from "../../match/index.ts";
import { anyAtPath, parsePath } from "../../match/path.ts";
import { BsonType, type Document, isNumber, Long, typeOf, type Value } from "../../value.ts";
import {
  type Cell,
  checkVariableName,
  compileExpression,
  splitFieldPath,
  typeNameOf,
  valueAtPath,
} from "../expression.ts";
import { compilePipeline, type Stage, type StageCompiler, type StageContext } from "../pipeline.ts";
import { filterOptions, withPath } from "./basic.ts";

function keyText(value: Value): string {
  const nullish = value === null || typeOf(value) === BsonType.Undefined;
  return nullish ? "null" : Buffer.from(keyOf([value])).toString("latin1");
}

/** Documents of a collection by the values a query predicate would find at a field. */
class JoinIndex {
  private readonly byKey = new Map<string, number[]>();
  private readonly documents: Document[];

  constructor(documents: Document[], field: string) {
    this.documents = documents;
    const path = parsePath(field);
    documents.forEach((document, index) => {
      const keys = new Set<string>();
      anyAtPath(
        document,
        path,
        0,
        true,
        (value) => {
          keys.add(value === undefined ? "null" : keyText(value));
          return false;
        },
        undefined,
      );
      for (const key of keys) {
        const present = this.byKey.get(key);
        if (present === undefined) this.byKey.set(key, [index]);
        else present.push(index);
      }
    });
  }

  find(values: Value[]): Document[] {
    const found = new Set<number>();
    for (const value of values) for (const index of this.byKey.get(keyText(value)) ?? []) found.add(index);
    return [...found].sort((a, b) => a - b).map((index) => this.documents[index]!);
  }
}

interface LookupOptions {
  from?: { collection: string; database?: string };
  as: string[];
  localField?: string;
  foreignField?: string;
  let?: Document;
  pipeline?: Value[];
}

function namespaceOf(value: Value, name: string): { collection: string; database?: string } {
  if (typeof value === "string") return { collection: value };
  if (value instanceof Map && typeof value.get("coll") === "string") {
    return { collection: value.get("coll") as string, database: value.get("db") as string | undefined };
  }
  throw new ServerError(
    "FailedToParse",
    `${name} argument 'from: ${describeElement("from", value)}' must be a string, is type ${typeNameOf(value)}`,
  );
}

function lookupOptions(specification: Value): LookupOptions {
  if (!(specification instanceof Map))
    throw new ServerError(
      "FailedToParse",
      `the $lookup stage specification must be an object, but found ${typeNameOf(specification)}`,
    );
  const options: LookupOptions = { as: [] };
  for (const [field, value] of specification) {
    if (field === "pipeline") {
      if (!Array.isArray(value))
        throw new ServerError("TypeMismatch", "'pipeline' option must be specified as an array");
      options.pipeline = value;
    } else if (field === "let") {
      if (!(value instanceof Map))
        throw new ServerError(
          "FailedToParse",
          `$lookup argument '${describeElement("let", value)}' must be an object, is type ${typeNameOf(value)}`,
        );
      options.let = value;
    } else if (field === "from") options.from = namespaceOf(value, "$lookup");
    else if (["as", "localField", "foreignField"].includes(field)) {
      if (typeof value !== "string")
        throw new ServerError(
          "FailedToParse",
          `$lookup argument '${describeElement(field, value)}' must be a string, is type ${typeNameOf(value)}`,
        );
      if (field === "as") options.as = splitFieldPath(value);
      else options[field as "localField" | "foreignField"] = value;
    } else throw new ServerError("FailedToParse", `unknown argument to $lookup: ${field}`);
  }
  checkLookup(options);
  return options;
}

function checkLookup({ as, from, localField, foreignField, pipeline, let: variables }: LookupOptions): void {
  if (as.length === 0) throw new ServerError("FailedToParse", "must specify 'as' field for a $lookup");
  const startsWithDocuments = pipeline?.[0] instanceof Map && pipeline[0].has("$documents");
  if (from === undefined && !startsWithDocuments)
    throw new ServerError("FailedToParse", "must specify 'pipeline' when 'from' is empty");
  if (pipeline === undefined) {
    if (localField === undefined || foreignField === undefined)
      throw new ServerError(
        "FailedToParse",
        "$lookup requires either 'pipeline' or both 'localField' and 'foreignField' to be specified",
      );
    if (variables !== undefined)
      throw new ServerError("FailedToParse", "$lookup with a 'let' argument must also specify 'pipeline'");
  } else if ((localField === undefined) !== (foreignField === undefined)) {
    throw new ServerError(
      "FailedToParse",
      "$lookup requires both or neither of 'localField' and 'foreignField' to be specified",
    );
  }
}

/** What a local document joins by: the elements of an array, null for nothing. */
function localValues(document: Document, path: string[]): Value[] {
  const value = valueAtPath(document, path, 0);
  if (value === undefined) return [null];
  return Array.isArray(value) ? value : [value];
}

function finder(options: LookupOptions, context: StageContext): (local: Document) => Document[] {
  const { from, localField, foreignField } = options;
  let loaded: Document[] | undefined;
  const foreign = (): Document[] => {
    loaded ??= from === undefined ? [] : [...context.collection(from.collection, from.database)];
    return loaded;
  };
  if (localField === undefined || foreignField === undefined) return foreign;
  const localPath = splitFieldPath(localField);
  if (context.collation !== undefined) {
    return (local) => {
      const matches = compileFilter(
        new Map([
          [
            foreignField,
            new Map([
              ["$in", localValues(local, localPath).filter((value) => typeOf(value) !== BsonType.RegExp)],
            ]),
          ],
        ]),
        { collation: context.collation },
      );
      return foreign().filter((document) => matches(document));
    };
  }
  let index: JoinIndex | undefined;
  return (local) => {
    index ??= new JoinIndex(foreign(), foreignField);
    return index.find(localValues(local, localPath));
  };
}

const lookup: StageCompiler = (specification, context) => {
  const options = lookupOptions(specification);
  const cells: [string, Cell][] = [];
  const values = [...(options.let ?? [])].map(([name, value]) => {
    checkVariableName(name);
    cells.push([name, { value: undefined }]);
    return compileExpression(value, context.expressions);
  });
  const inner =
    options.pipeline === undefined
      ? undefined
      : compilePipeline(options.pipeline, subContext(context, cells), "$lookup");
  return function* run(input) {
    const find = finder(options, context);
    for (const document of input) {
      let found: Value[] = find(document);
      if (inner !== undefined) {
        const computed = values.map((value) => value(document));
        cells.forEach(([, cell], index) => {
          // A variable that is missing outside is missing inside too.
          cell.value = computed[index];
        });
        found = [...inner(found as Document[])];
      }
      yield withPath(document, options.as, found);
    }
  };
};

/** Context of a pipeline inside: the outer variables and further ones. */
function subContext(context: StageContext, cells: [string, Cell][]): StageContext {
  return { ...context, variables: new Map([...context.expressions.variables, ...cells]), sources: undefined };
}

interface GraphOptions {
  from: string;
  as: string[];
  startWith: Value;
  connectFrom: string[];
  connectTo: string;
  maxDepth: number;
  depthField?: string[];
  filter?: Document;
}

function graphOptions(specification: Value): GraphOptions {
  if (!(specification instanceof Map))
    throw new ServerError(
      "FailedToParse",
      `the $graphLookup stage specification must be an object, but found ${typeNameOf(specification)}`,
    );
  const text = (field: string): string => {
    const value = specification.get(field);
    if (value === undefined)
      throw new ServerError(
        40105,
        "$graphLookup requires 'from', 'as', 'startWith', 'connectFromField', and 'connectToField' to be specified.",
      );
    if (typeof value !== "string")
      throw new ServerError(40103, `expected string as argument for ${field}, found: ${typeNameOf(value)}`);
    return value;
  };
  for (const field of specification.keys()) {
    if (
      ![
        "from",
        "as",
        "startWith",
        "connectFromField",
        "connectToField",
        "maxDepth",
        "depthField",
        "restrictSearchWithMatch",
      ].includes(field)
    ) {
      throw new ServerError(40104, `Unknown argument to $graphLookup: ${field}`);
    }
  }
  const maxDepth = specification.get("maxDepth");
  if (maxDepth !== undefined && !isNumber(maxDepth))
    throw new ServerError(40100, `maxDepth must be numeric, found type: ${typeNameOf(maxDepth)}`);
  if (maxDepth !== undefined && toNumber(maxDepth) < 0)
    throw new ServerError(40101, `maxDepth requires a nonnegative argument, found: ${toNumber(maxDepth)}`);
  const filter = specification.get("restrictSearchWithMatch");
  if (filter !== undefined && !(filter instanceof Map))
    throw new ServerError(40185, `restrictSearchWithMatch must be an object, found ${typeNameOf(filter)}`);
  return {
    from: text("from"),
    as: splitFieldPath(text("as")),
    startWith: specification.get("startWith") ?? null,
    connectFrom: splitFieldPath(text("connectFromField")),
    connectTo: text("connectToField"),
    maxDepth: maxDepth === undefined ? Infinity : toNumber(maxDepth),
    depthField: specification.has("depthField") ? splitFieldPath(text("depthField")) : undefined,
    filter,
  };
}

const graphLookup: StageCompiler = (specification, context) => {
  const options = graphOptions(specification);
  const start = compileExpression(options.startWith, context.expressions);
  const matches =
    options.filter === undefined ? undefined : compileFilter(options.filter, filterOptions(context));
  return function* run(input) {
    let index: JoinIndex | undefined;
    for (const document of input) {
      index ??= new JoinIndex(
        [...context.collection(options.from)].filter((candidate) => matches?.(candidate) ?? true),
        options.connectTo,
      );
      yield withPath(document, options.as, traverse(index, start(document), options));
    }
  };
};

function traverse(
  index: JoinIndex,
  start: Value | undefined,
  { connectFrom, maxDepth, depthField }: GraphOptions,
): Document[] {
  const visited = new Set<string>();
  const found: Document[] = [];
  let frontier = start === undefined ? [] : Array.isArray(start) ? start : [start];
  for (let depth = 0; depth <= maxDepth && frontier.length > 0; depth++) {
    const next: Value[] = [];
    for (const document of index.find(frontier)) {
      const key = keyText(document.get("_id") ?? document);
      if (visited.has(key)) continue;
      visited.add(key);
      found.push(
        depthField === undefined ? document : withPath(document, depthField, Long.fromNumber(depth)),
      );
      const value = valueAtPath(document, connectFrom, 0);
      if (value !== undefined) next.push(...(Array.isArray(value) ? value : [value]));
    }
    frontier = next;
  }
  return found;
}

const unionWith: StageCompiler = (specification, context) => {
  let source: { collection: string; database?: string } | undefined;
  let stages: Value[] = [];
  if (typeof specification === "string") source = { collection: specification };
  else if (specification instanceof Map) {
    for (const [field, value] of specification) {
      if (field === "coll" && typeof value === "string") source = { ...source, collection: value };
      else if (field === "db" && typeof value === "string")
        source = { collection: source?.collection ?? "", database: value };
      else if (field === "pipeline" && Array.isArray(value)) stages = value;
      else throw new ServerError(40415, `BSON field '$unionWith.${field}' is an unknown field.`);
    }
  } else
    throw new ServerError(
      "FailedToParse",
      `the $unionWith stage specification must be an object or string, but found ${typeNameOf(specification)}`,
    );
  const inner: Stage = compilePipeline(stages, subContext(context, []), "$unionWith");
  return function* run(input) {
    yield* input;
    yield* inner(source === undefined ? [] : context.collection(source.collection, source.database));
  };
};

const facet: StageCompiler = (specification, context) => {
  if (!(specification instanceof Map))
    throw new ServerError(
      40169,
      `the $facet specification must be a non-empty object, but found: ${describeElement("$facet", specification)}`,
    );
  if (specification.size === 0)
    throw new ServerError(
      40169,
      "the $facet specification must be a non-empty object, but found: $facet: {}",
    );
  const facets = [...specification].map(([name, stages]): [string, Stage] => {
    if (name.startsWith("$") || name.includes("."))
      throw new ServerError(16410, `invalid field name for a facet: ${name}`);
    if (!Array.isArray(stages))
      throw new ServerError(
        40170,
        `arguments to $facet must be arrays, ${name} is type ${typeNameOf(stages)}`,
      );
    return [name, compilePipeline(stages, subContext(context, []), "$facet")];
  });
  return function* run(input) {
    const documents = [...input];
    yield new Map(facets.map(([name, stage]): [string, Value] => [name, [...stage(documents)]]));
  };
};

export const joinStages: Record<string, StageCompiler> = {
  $lookup: lookup,
  $graphLookup: graphLookup,
  $unionWith: unionWith,
  $facet: facet,
};
