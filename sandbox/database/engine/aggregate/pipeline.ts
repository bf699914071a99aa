/** Aggregation pipelines: compiled once, run lazily. */
import type { Collator } from "../compare.ts";
import { ServerError } from "../errors.ts";
import type { Document, Value } from "../value.ts";
import { type Cell, type ExpressionContext, makeContext, withVariables } from "./expression.ts";
import "./operators/index.ts";

/** Where `$merge` writes, and what becomes of a document there. */
export interface MergeTarget {
  database: string;
  collection: string;
  /** fields that identify a document of the target; the server checks that a unique index holds them */
  on: string[];
  /** The document to store, given the one already there; undefined leaves the target as it is. */
  merge(existing: Document | undefined, document: Document): Document | undefined;
}

export interface OutTarget {
  database: string;
  collection: string;
  timeseries?: Document;
}

export interface PipelineContext {
  /** database the command runs in */
  db: string;
  collation?: Collator;
  /** values of the command's `let` */
  let?: Document;
  now?: Value;
  clusterTime?: Value;
  /** documents of another collection (or view), for `$lookup`, `$graphLookup`, `$unionWith` */
  collection(name: string, database?: string): Iterable<Document>;
  writeOut?(target: OutTarget, documents: Iterable<Document>): void;
  writeMerge?(target: MergeTarget, documents: Iterable<Document>): void;
  /** stages of the server that begin a pipeline (`$changeStream`, `$collStats` …), by name */
  sources?: Record<string, (specification: Value) => Iterable<Document>>;
  /** variables of an enclosing pipeline */
  variables?: ReadonlyMap<string, Cell>;
}

/** One stage, ready to run. */
export type Stage = (input: Iterable<Document>) => Iterable<Document>;

/** A context with its expression context made. */
export interface StageContext extends PipelineContext {
  expressions: ExpressionContext;
  /** where the stage stands, for the rules about places */
  within?: "$facet" | "$lookup" | "$unionWith";
}

export type StageCompiler = (specification: Value, context: StageContext, name: string) => Stage;

const compilers = new Map<string, StageCompiler>();

export function registerStages(stages: Record<string, StageCompiler>): void {
  for (const [name, compiler] of Object.entries(stages)) compilers.set(name, compiler);
}

/** Stages that only may come first. */
const firstOnly = new Set([
  "$documents",
  "$collStats",
  "$indexStats",
  "$currentOp",
  "$listSessions",
  "$listLocalSessions",
  "$changeStream",
  "$geoNear",
  "$planCacheStats",
  "$listChangeStreams",
]);
const lastOnly = new Set(["$out", "$merge"]);
const notInFacet = new Set([...firstOnly, ...lastOnly, "$facet"]);
const notInLookup = new Set([...lastOnly, "$changeStream"]);

function readStage(stage: Value): [string, Value] {
  if (!(stage instanceof Map))
    throw new ServerError("TypeMismatch", "Each element of the 'pipeline' array must be an object");
  if (stage.size !== 1) {
    throw new ServerError(40323, "A pipeline stage specification object must contain exactly one field.");
  }
  return [...stage][0]!;
}

function checkPlace(name: string, index: number, length: number, context: StageContext): void {
  if (context.within === "$facet" && notInFacet.has(name)) {
    throw new ServerError(40600, `${name} is not allowed to be used within a $facet stage`);
  }
  if (context.within !== undefined && notInLookup.has(name)) {
    throw new ServerError(51047, `${name} is not allowed within a ${context.within}'s sub-pipeline`);
  }
  if (firstOnly.has(name) && index > 0)
    throw new ServerError(40602, `${name} is only valid as the first stage in a pipeline`);
  if (lastOnly.has(name) && index < length - 1)
    throw new ServerError(40601, `${name} can only be the final stage in the pipeline`);
}

function compileStage(stage: Value, index: number, length: number, context: StageContext): Stage {
  const [name, specification] = readStage(stage);
  const source = index === 0 ? context.sources?.[name] : undefined;
  const compiler = compilers.get(name);
  if (source === undefined && compiler === undefined) {
    throw new ServerError(40324, `Unrecognized pipeline stage name: '${name}'`);
  }
  checkPlace(name, index, length, context);
  if (source !== undefined) return () => source(specification);
  return compiler!(specification, context, name);
}

/** @throws ServerError 40324 for a stage nobody knows, wherever it stands */
export function checkStageName(name: string): void {
  if (!compilers.has(name) && !firstOnly.has(name))
    throw new ServerError(40324, `Unrecognized pipeline stage name: '${name}'`);
}

function stageContext(context: PipelineContext): StageContext {
  const expressions = makeContext(context);
  if (context.variables === undefined) return { ...context, expressions };
  return { ...context, expressions: withVariables(expressions, context.variables) };
}

/**
 * Compiles a pipeline.
 * @throws ServerError 40324 for an unknown stage, and what each stage's parser says
 */
export function compilePipeline(
  stages: Value[],
  context: PipelineContext,
  within?: StageContext["within"],
): Stage {
  const made: StageContext = { ...stageContext(context), within };
  const compiled = stages.map((stage, index) => compileStage(stage, index, stages.length, made));
  return (input) => compiled.reduce((documents, stage) => stage(documents), input);
}

/**
 * Runs a pipeline lazily over documents. Parse errors are thrown here, errors of single documents while iterating.
 */
export function runPipeline(
  stages: Document[],
  input: Iterable<Document>,
  context: PipelineContext,
): Iterable<Document> {
  return compilePipeline(stages, context)(input);
}

/** Filters of the `$match` stages a pipeline begins with, as one filter: what an index may be used for. */
export function leadingMatch(stages: Document[]): Document | undefined {
  const filters: Document[] = [];
  for (const stage of stages) {
    const filter = stage.get("$match");
    if (!(filter instanceof Map)) break;
    filters.push(filter);
  }
  if (filters.length < 2) return filters[0];
  return new Map([["$and", filters]]);
}
