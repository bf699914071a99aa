/** What pipelines get from the server: other collections, the server's own stages, places to write to. */
import type { PipelineContext } from "../engine/aggregate/index.ts";
import type { Collator } from "../engine/compare.ts";
import { DateTime, Timestamp } from "../engine/value.ts";
import type { CommandContext } from "../server/context.ts";
import { tsIncrement, tsSeconds } from "../storage/timestamp.ts";
import { readNamespace } from "./namespace-source.ts";
import { writeMerge, writeOut } from "./output.ts";
import { serverStages } from "./server-stages.ts";

/** @param writes whether the pipeline may end in `$out` or `$merge` */
export function pipelineContext(
  context: CommandContext,
  collator: Collator | undefined,
  writes: boolean,
): PipelineContext {
  const { last } = context.storage.clock;
  const made: PipelineContext = {
    db: context.database,
    now: DateTime.now(),
    clusterTime: new Timestamp({ t: tsSeconds(last), i: tsIncrement(last) }),
    collection: (name, database) => readNamespace(context, `${database ?? context.database}.${name}`),
    sources: serverStages(context),
  };
  if (collator) made.collation = collator;
  const letValues = context.document("let");
  if (letValues) made.let = letValues;
  if (writes) {
    made.writeOut = (target, documents) => writeOut(context, target, documents);
    made.writeMerge = (target, documents) => writeMerge(context, target, documents);
  }
  return made;
}
