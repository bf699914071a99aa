/** aggregate: change streams, and pipelines over collections and views. */
import { CLUSTER, type Need, namespace, need } from "../auth/privilege.ts";
import { changeStreamNeeds, changeStreamStage, openChangeStream } from "../change-stream/open.ts";
import type { DocumentSource } from "../cursors/cursor.ts";
import { PipelineSource } from "../cursors/pipeline-source.ts";
import { firstBatch } from "../cursors/reply.ts";
import { leadingMatch, runPipeline } from "../engine/aggregate/index.ts";
import { compileCollation } from "../engine/collation.ts";
import { ServerError } from "../engine/errors.ts";
import { type Document, isDocument, isNumber } from "../engine/value.ts";
import { readCollection, resolveViews } from "../query/namespace-source.ts";
import { pipelineContext } from "../query/pipeline-context.ts";
import { collatorFor } from "../query/target.ts";
import type { Command, CommandContext, Reply } from "../server/context.ts";
import { exactNumberOf } from "../storage/numbers.ts";
import { explainPipeline } from "./explain.ts";
import { pipelineNeeds } from "./pipeline-needs.ts";

/** @throws ServerError TypeMismatch, 40323 */
function readPipeline(context: CommandContext): Document[] {
  const pipeline = context.array("pipeline");
  if (!pipeline)
    throw new ServerError(40414, "BSON field 'aggregate.pipeline' is missing but a required field");
  for (const stage of pipeline) {
    if (!isDocument(stage))
      throw new ServerError("TypeMismatch", "Each element of the 'pipeline' array must be an object");
    if (stage.size !== 1)
      throw new ServerError(40323, "A pipeline stage specification object must contain exactly one field.");
  }
  return pipeline as Document[];
}

function batchSizeOf(context: CommandContext): number | undefined {
  const cursor = context.document("cursor");
  if (!cursor) {
    if (context.body.has("explain")) return undefined;
    throw new ServerError(
      "FailedToParse",
      "The 'cursor' option is required, except for aggregate with the explain argument",
    );
  }
  for (const field of cursor.keys()) {
    if (field !== "batchSize")
      throw new ServerError(40415, `BSON field 'cursor.${field}' is an unknown field.`);
  }
  const size = cursor.get("batchSize");
  if (size === undefined) return undefined;
  if (!isNumber(size))
    throw new ServerError(
      "TypeMismatch",
      "BSON field 'cursor.batchSize' is the wrong type, expected type 'number'",
    );
  const count = exactNumberOf(size);
  if (count < 0)
    throw new ServerError("BadValue", `BSON field 'batchSize' value must be >= 0, actual value '${count}'`);
  return count;
}

/** The name of the collection; undefined for `aggregate: 1`. */
function targetName(context: CommandContext): string | undefined {
  const target = context.body.get(context.name);
  if (typeof target === "string") return context.collectionName();
  if (isNumber(target) && exactNumberOf(target) === 1) return undefined;
  throw new ServerError(
    "FailedToParse",
    "Invalid command format: the 'aggregate' field must specify a collection name or 1",
  );
}

const WITHOUT_COLLECTION = new Set([
  "$changeStream",
  "$currentOp",
  "$listLocalSessions",
  "$documents",
  "$listCatalog",
  "$queryStats",
  "$listSessions",
  "$listSampledQueries",
  "$searchMeta",
]);

function checkFirstStage(pipeline: Document[], name: string | undefined): void {
  const [first] = pipeline[0]?.keys() ?? [];
  if (name !== undefined) return;
  if (first !== undefined && WITHOUT_COLLECTION.has(first)) return;
  throw new ServerError(
    "InvalidNamespace",
    `{aggregate: 1} is not valid for a pipeline that starts with a regular stage${first ? ` such as '${first}'` : "; a collection name is needed"}`,
  );
}

/** Documents of a pipeline over a namespace, through its views. */
export function pipelineSource(context: CommandContext, ns: string, pipeline: Document[]): DocumentSource {
  const resolved = resolveViews(context, ns);
  const collation = context.document("collation") ?? resolved.collation;
  const collection = context.storage.catalog.get(resolved.ns);
  const collator = collation ? compileCollation(collation) : collatorFor(collection, undefined);
  const stages = [...resolved.pipeline, ...pipeline];
  const filter = leadingMatch(stages);
  const sort = stages.find((stage) => !stage.has("$match"))?.get("$sort");
  const input = readCollection(
    context,
    resolved.ns,
    collator ? undefined : filter,
    isDocument(sort) && !collator ? sort : undefined,
    context.body.get("hint"),
  );
  return new PipelineSource(
    runPipeline(stages, input, pipelineContext(context, collator, !resolved.isView || pipeline.length > 0)),
  );
}

const NOT_IN_TRANSACTION = new Set([
  "$changeStream",
  "$collStats",
  "$currentOp",
  "$indexStats",
  "$listLocalSessions",
  "$listSessions",
  "$merge",
  "$out",
  "$planCacheStats",
]);

function checkInTransaction(pipeline: readonly Document[]): void {
  for (const stage of pipeline) {
    const [name] = stage.keys();
    if (name === undefined || !NOT_IN_TRANSACTION.has(name)) continue;
    throw new ServerError(
      "OperationNotSupportedInTransaction",
      `Stage not supported inside of a multi-document transaction: ${name}`,
    );
  }
}

async function run(context: CommandContext): Promise<Reply> {
  const pipeline = readPipeline(context);
  const batchSize = batchSizeOf(context);
  if (context.transaction) checkInTransaction(pipeline);
  if (changeStreamStage(pipeline)) return openChangeStream(context, pipeline, batchSize);
  const name = targetName(context);
  checkFirstStage(pipeline, name);
  if (context.boolean("explain")) return explainPipeline(context, pipeline);
  const ns = name === undefined ? `${context.database}.$cmd.aggregate` : `${context.database}.${name}`;
  const source = context.server.read(context, () => pipelineSource(context, ns, pipeline));
  context.server.counters.query++;
  const last = pipeline.at(-1);
  const writes = last !== undefined && (last.has("$out") || last.has("$merge"));
  return firstBatch(context, { ns, source }, writes ? 1 : batchSize);
}

function needs(context: CommandContext): Need[] {
  const pipeline = readPipeline(context);
  const stream = changeStreamStage(pipeline);
  if (stream) return changeStreamNeeds(context, stream);
  const [first] = pipeline[0]?.keys() ?? [];
  if (first === "$currentOp") return [need(CLUSTER, "inprog")];
  if (first === "$listSessions") return [need(CLUSTER, "listSessions")];
  const name = targetName(context);
  const here = name === undefined ? [] : [need(namespace(context.database, name), readAction(first))];
  return [...here, ...pipelineNeeds(context, pipeline)];
}

function readAction(stage: string | undefined): string {
  if (stage === "$collStats") return "collStats";
  if (stage === "$indexStats") return "indexStats";
  if (stage === "$planCacheStats") return "planCacheRead";
  return "find";
}

export const aggregateCommand: Command = {
  name: "aggregate",
  fields: [
    "pipeline",
    "cursor",
    "explain",
    "allowDiskUse",
    "bypassDocumentValidation",
    "collation",
    "hint",
    "let",
    "needsMerge",
    "fromMongos",
    "requestReshardingResumeToken",
    "exchange",
    "isMapReduceCommand",
    "collectionUUID",
    "useNewUpsert",
    "fromRouter",
    "runtimeConstants",
    "rawData",
    "includeQueryStatsMetrics",
  ],
  role: "read",
  txn: true,
  needs,
  run,
};
