/** aggregate: change streams, and pipelines over collections. */
import { type Need, namespace, need } from "../auth/privilege.ts";
import { changeStreamNeeds, changeStreamStage, openChangeStream } from "../change-stream/open.ts";
import { ServerError } from "../engine/errors.ts";
import { type Document, isDocument, isNumber } from "../engine/value.ts";
import type { Command, CommandContext, Reply } from "../server/context.ts";
import { exactNumberOf } from "../storage/numbers.ts";

/** @throws ServerError TypeMismatch, 40323 */
export function readPipeline(context: CommandContext): Document[] {
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
  const size = cursor.get("batchSize");
  return isNumber(size) ? exactNumberOf(size) : undefined;
}

async function run(context: CommandContext): Promise<Reply> {
  const pipeline = readPipeline(context);
  const batchSize = batchSizeOf(context);
  if (changeStreamStage(pipeline)) return openChangeStream(context, pipeline, batchSize);
  throw new ServerError("NotImplemented", "aggregate");
}

function needs(context: CommandContext): Need[] {
  const pipeline = readPipeline(context);
  const stream = changeStreamStage(pipeline);
  if (stream) return changeStreamNeeds(context, stream);
  const target = context.body.get(context.name);
  return [need(namespace(context.database, typeof target === "string" ? target : ""), "find")];
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
