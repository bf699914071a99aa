/** getMore and killCursors. */
import { CLUSTER, namespace, need } from "../auth/privilege.ts";
import type { Cursor } from "../cursors/cursor.ts";
import { cursorFields } from "../cursors/reply.ts";
import { ServerError } from "../engine/errors.ts";
import { Long, longToBigInt, type Value } from "../engine/value.ts";
import { isResumable } from "../faults/labels.ts";
import { holds, unauthorized } from "../server/authorize.ts";
import type { Command, CommandContext, Reply } from "../server/context.ts";

/** A tailing getMore without maxTimeMS waits this long. */
const DEFAULT_AWAIT_MS = 1000;

function cursorNumber(value: Value | undefined): bigint {
  if (value instanceof Long) return longToBigInt(value);
  throw new ServerError(
    "TypeMismatch",
    "BSON field 'getMore.getMore' is the wrong type, expected type 'long'",
  );
}

function checkOwner(context: CommandContext, cursor: Cursor): void {
  const name = context.body.get("collection");
  if (typeof name !== "string")
    throw new ServerError(40414, "BSON field 'getMore.collection' is missing but a required field");
  const ns = `${context.database}.${name}`;
  if (cursor.ns !== ns) {
    throw new ServerError(
      "Unauthorized",
      `Requested getMore on namespace '${ns}', but cursor belongs to a different namespace ${cursor.ns}`,
    );
  }
  const mine =
    cursor.owner === undefined ||
    [...context.connection.principals.values()].some(
      ({ user, db }) => user === cursor.owner!.user && db === cursor.owner!.db,
    );
  if (!mine)
    throw new ServerError("Unauthorized", `cursor id ${cursor.id} was not created by the authenticated user`);
  if (cursor.session && cursor.session !== context.session) {
    throw new ServerError(
      50738,
      `Cannot run getMore on cursor ${cursor.id}, which was created in a different session`,
    );
  }
  if (cursor.pinned) throw new ServerError("CursorInUse", `cursor id ${cursor.id} is already in use`);
}

/** One batch; a tailing cursor without documents waits for some. */
async function nextBatch(context: CommandContext, cursor: Cursor): Promise<Reply> {
  const { server } = context;
  if (cursor.timeLeftMs !== undefined) {
    if (server.failPoints.isOn("maxTimeAlwaysTimeOut"))
      throw new ServerError("MaxTimeMSExpired", "operation exceeded time limit");
    context.deadline = Date.now() + cursor.timeLeftMs;
  }
  cursor.pinned = true;
  cursor.lastUse = Date.now();
  try {
    const failure = server.failPoints.getMoreFailure();
    if (failure) throw failure;
    const size = context.number("batchSize");
    const count = size === undefined || size === 0 ? cursor.batchSize || Number.POSITIVE_INFINITY : size;
    const waits = cursor.changeStream || cursor.awaitData;
    const until = Date.now() + (waits ? (context.number("maxTimeMS") ?? DEFAULT_AWAIT_MS) : 0);
    let batch = await cursor.fill(count, () => context.checkInterrupt());
    while (batch.length === 0 && waits && !cursor.killed && !context.connection.closed && !cursor.exhausted) {
      if (!(await cursor.await(until - Date.now(), context.connection.onClose))) break;
      context.checkInterrupt();
      batch = await cursor.fill(count, () => context.checkInterrupt());
    }
    if (cursor.killed) throw cursor.killed;
    const finished = cursor.exhausted && (!cursor.tailable || cursor.source.exhausted);
    if (finished) server.cursors.drop(cursor);
    server.counters.getmore++;
    return { cursor: cursorFields(cursor, finished ? 0n : cursor.id, "nextBatch", batch) };
  } catch (error) {
    server.cursors.drop(cursor);
    if (cursor.changeStream && error instanceof ServerError && isResumable(error.code))
      error.labels.push("ResumableChangeStreamError");
    throw error;
  } finally {
    cursor.pinned = false;
    cursor.lastUse = Date.now();
  }
}

async function getMore(context: CommandContext): Promise<Reply> {
  const cursor = context.server.cursors.get(cursorNumber(context.body.get("getMore")));
  checkOwner(context, cursor);
  if (context.body.has("maxTimeMS") && !cursor.awaitData && !cursor.changeStream) {
    throw new ServerError("BadValue", "cannot set maxTimeMS on getMore command for a non-awaitData cursor");
  }
  const reply = await nextBatch(context, cursor);
  if (context.request.exhaustAllowed) {
    const again = async (): Promise<Reply> => {
      const next = await nextBatch(context, cursor);
      if (!context.server.cursors.find(cursor.id)) context.exhaust = undefined;
      return next;
    };
    if (context.server.cursors.find(cursor.id)) context.exhaust = again;
  }
  return reply;
}

export const getMoreCommand: Command = {
  name: "getMore",
  fields: ["collection", "batchSize", "term", "lastKnownCommittedOpTime", "includeQueryStatsMetrics"],
  role: "any",
  txn: true,
  run: getMore,
};

function killCursors(context: CommandContext): Reply {
  const ids = context.array("cursors");
  if (!ids) throw new ServerError(40414, "BSON field 'killCursors.cursors' is missing but a required field");
  const killed: bigint[] = [];
  const notFound: bigint[] = [];
  for (const value of ids) {
    if (!(value instanceof Long))
      throw new ServerError(
        "TypeMismatch",
        "BSON field 'killCursors.cursors.0' is the wrong type, expected type 'long'",
      );
    const id = longToBigInt(value);
    const cursor = context.server.cursors.find(id);
    if (!cursor || cursor.ns !== context.ns) {
      notFound.push(id);
      continue;
    }
    const mine =
      cursor.owner === undefined ||
      [...context.connection.principals.values()].some(
        ({ user, db }) => user === cursor.owner!.user && db === cursor.owner!.db,
      );
    const may =
      mine ||
      holds(context, need(CLUSTER, "killAnyCursor")) ||
      holds(context, need(namespace(context.database, context.collectionName()), "killAnyCursor"));
    if (!may) throw unauthorized(context);
    cursor.killed = new ServerError("CursorKilled", `cursor id ${id} was killed`);
    context.server.cursors.drop(cursor);
    killed.push(id);
  }
  return { cursorsKilled: killed, cursorsNotFound: notFound, cursorsAlive: [], cursorsUnknown: [] };
}

export const killCursorsCommand: Command = {
  name: "killCursors",
  fields: ["cursors"],
  role: "any",
  txn: true,
  run: killCursors,
};
