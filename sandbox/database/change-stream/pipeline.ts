/** Stages after `$changeStream`: filters and shapes of single events, and splitting of large ones. */
import { checkStageName, compilePipeline } from "../engine/aggregate/index.ts";
import { decode, encode } from "../engine/codec.ts";
import { compareValues } from "../engine/compare.ts";
import { ServerError } from "../engine/errors.ts";
import { compileFilter } from "../engine/match/index.ts";
import { maxInternalDocumentBytes } from "../engine/raw.ts";
import { type Document, isDocument, type Value } from "../engine/value.ts";
import { pipelineContext } from "../query/pipeline-context.ts";
import type { CommandContext } from "../server/context.ts";
import { shellText } from "../storage/duplicate-key.ts";
import type { Transform } from "./source.ts";
import { splitEvent } from "./split.ts";

const ALLOWED = new Set([
  "$addFields",
  "$match",
  "$project",
  "$replaceRoot",
  "$replaceWith",
  "$redact",
  "$set",
  "$unset",
  "$changeStreamSplitLargeEvent",
]);

/** One stage as a function of a document; undefined drops it. */
type Step = (document: Document) => Document | undefined;

function stepOf(stage: Document, context: CommandContext): Step {
  const [name, value] = [...stage][0]!;
  if (name === "$match" && isDocument(value)) {
    const letValues = context.document("let");
    const matches = compileFilter(value, letValues ? { let: letValues } : {});
    return (document) => (matches(document) ? document : undefined);
  }
  const run = compilePipeline([stage], pipelineContext(context, undefined, false));
  return (document) => {
    const [result] = run([document]);
    return result;
  };
}

function nameOf(stage: Document): string {
  const [name] = stage.keys();
  return name ?? "";
}

function tooLarge(bytes: number): ServerError {
  const hex = bytes.toString(16).toUpperCase();
  return new ServerError(
    "BSONObjectTooLarge",
    `BSONObj size: ${bytes} (0x${hex}) is invalid. Size must be between 0 and ${maxInternalDocumentBytes}(16MB)`,
  );
}

function checkId(before: Value | undefined, after: Document): void {
  const id = after.get("_id");
  if (id !== undefined && before !== undefined && compareValues(id, before) === 0) return;
  throw new ServerError(
    "ChangeStreamFatalError",
    `Encountered an event whose _id field, which contains the resume token, was modified by the pipeline. Modifying the _id field of an event makes it impossible to resume the stream from that point. Only transformations that retain the unmodified _id field are allowed. Expected: { _id: ${shellText(before ?? null)} } but found: ${id === undefined ? "{}" : `{ _id: ${shellText(id)} }`}`,
    { labels: ["NonResumableChangeStreamError"] },
  );
}

/**
 * Compiles the stages. Always gives a transform, because an event that is too large must fail the stream.
 * @throws ServerError IllegalOperation for stages a change stream doesn't allow
 */
export function compileTransform(stages: Document[], context: CommandContext): Transform {
  for (const stage of stages) {
    const name = nameOf(stage);
    if (!ALLOWED.has(name)) {
      if (!name.startsWith("$"))
        throw new ServerError(40323, "A pipeline stage specification object must contain exactly one field.");
      checkStageName(name);
      throw new ServerError("IllegalOperation", `${name} is not permitted in a $changeStream pipeline`);
    }
  }
  const at = stages.findIndex((stage) => nameOf(stage) === "$changeStreamSplitLargeEvent");
  if (at >= 0 && at !== stages.length - 1)
    throw new ServerError(7182802, "$changeStreamSplitLargeEvent must be the last stage in the pipeline");
  const split = at >= 0;
  const steps = (split ? stages.slice(0, -1) : stages).map((stage) => stepOf(stage, context));
  return (bytes, position) => {
    const result = steps.length === 0 ? bytes : applySteps(steps, bytes);
    if (result === undefined) return [];
    if (result.length <= maxInternalDocumentBytes) return [{ bytes: result, position }];
    if (!split) throw tooLarge(result.length);
    return splitEvent(result, position);
  };
}

function applySteps(steps: readonly Step[], bytes: Uint8Array): Uint8Array | undefined {
  let document: Document | undefined = decode(bytes);
  const id = document.get("_id");
  for (const step of steps) {
    document = step(document);
    if (document === undefined) return undefined;
  }
  checkId(id, document);
  return encode(document);
}
