/** Cursor replies: the first batch of a command, and getMore's next ones. */
import type { CommandContext, Reply } from "../server/context.ts";
import { RawBatch, RawDocument, type ReplyObject } from "../wire/writer.ts";
import { Cursor, type CursorOptions, FIRST_BATCH_COUNT } from "./cursor.ts";

export function cursorFields(
  cursor: Cursor,
  id: bigint,
  batchName: "firstBatch" | "nextBatch",
  batch: Uint8Array[],
): ReplyObject {
  const token = cursor.source.postBatchResumeToken?.();
  return {
    [batchName]: new RawBatch(batch),
    postBatchResumeToken: token && new RawDocument(token),
    atClusterTime: cursor.atClusterTime,
    id,
    ns: cursor.ns,
  };
}

/** Fills a command's first batch and keeps the cursor if more may follow. */
export async function firstBatch(
  context: CommandContext,
  options: CursorOptions,
  batchSize: number | undefined,
): Promise<Reply> {
  const cursor = new Cursor({
    ...options,
    session: context.session,
    owner: context.connection.principal,
    atClusterTime: context.snapshotTime(),
  });
  const batch = await cursor.fill(batchSize ?? FIRST_BATCH_COUNT, () => context.checkInterrupt());
  const finished =
    options.singleBatch === true || (cursor.exhausted && !cursor.tailable && !cursor.changeStream);
  if (finished) cursor.close();
  else {
    context.server.cursors.keep(cursor);
    cursor.originating = context.body;
    if (context.deadline !== undefined && !cursor.changeStream)
      cursor.timeLeftMs = context.deadline - Date.now();
  }
  return { cursor: cursorFields(cursor, cursor.id, "firstBatch", batch) };
}
