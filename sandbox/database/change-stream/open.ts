/** Opens a change stream for an aggregate command whose first stage is `$changeStream`. */
import { type Need, namespace, need } from "../auth/privilege.ts";
import { firstBatch } from "../cursors/reply.ts";
import { ServerError } from "../engine/errors.ts";
import { type Document, isDocument } from "../engine/value.ts";
import type { CommandContext, Reply } from "../server/context.ts";
import { readStreamOptions, type Scope, scopeOf } from "./options.ts";
import { compileTransform } from "./pipeline.ts";
import { ChangeStreamSource } from "./source.ts";

/** The `$changeStream` stage of a pipeline; undefined when it has none. */
export function changeStreamStage(pipeline: readonly Document[]): Document | undefined {
  const stage = pipeline[0]?.get("$changeStream");
  return isDocument(stage) ? stage : undefined;
}

function scopeFor(context: CommandContext, stage: Document): Scope {
  const target = context.body.get(context.name);
  return scopeOf(stage, context.database, typeof target === "string" ? target : undefined);
}

/** `changeStream` and `find` on what is watched. */
export function changeStreamNeeds(context: CommandContext, stage: Document): Need[] {
  const scope = scopeFor(context, stage);
  const resource =
    scope.kind === "collection"
      ? namespace(scope.database, scope.ns.slice(scope.database.length + 1))
      : scope.kind === "database"
        ? namespace(scope.database, "")
        : namespace("", "");
  return [need(resource, "changeStream", "find")];
}

export function openChangeStream(
  context: CommandContext,
  pipeline: Document[],
  batchSize: number | undefined,
): Promise<Reply> {
  const stage = changeStreamStage(pipeline)!;
  const scope = scopeFor(context, stage);
  if (scope.kind === "collection" && context.storage.catalog.view(scope.ns)) {
    throw new ServerError(
      "CommandNotSupportedOnView",
      `Namespace ${scope.ns} is a timeseries collection or a view; $changeStream is not supported on it`,
    );
  }
  const level = context.document("readConcern")?.get("level");
  if (level !== undefined && level !== "majority") {
    throw new ServerError(
      "InvalidOptions",
      `$changeStream cannot run with a readConcern other than 'majority', or in a multi-document transaction. Current readConcern: { level: "${String(level)}" }`,
    );
  }
  const options = readStreamOptions(stage, context.storage);
  const transform = compileTransform(pipeline.slice(1), context);
  const source = new ChangeStreamSource(context.storage, scope, options, transform);
  const ns = scope.kind === "collection" ? scope.ns : `${context.database}.$cmd.aggregate`;
  return firstBatch(context, { ns, source, changeStream: true, batchSize }, batchSize);
}
