/** Read and write concerns: accepted values, waiting for a cluster time, and what an impossible `w` gives. */
import { ServerError } from "../engine/errors.ts";
import { type Document, isDocument, isNumber, Timestamp, type Value } from "../engine/value.ts";
import { exactNumberOf } from "../storage/numbers.ts";
import { packTs } from "../storage/timestamp.ts";
import type { ReplyObject } from "../wire/writer.ts";
import type { CommandContext } from "./context.ts";

const LEVELS = new Set(["local", "available", "majority", "linearizable", "snapshot"]);
const SNAPSHOT_READS = new Set(["find", "aggregate", "distinct"]);
const WRITE_FIELDS = new Set(["w", "j", "wtimeout", "fsync", "provenance", "getLastError"]);
const READ_FIELDS = new Set([
  "level",
  "afterClusterTime",
  "atClusterTime",
  "afterOpTime",
  "provenance",
  "allowTransactionTableSnapshot",
  "waitLastStableRecoveryTimestamp",
]);

/**
 * Checks both concerns and waits for `afterClusterTime`.
 * @throws ServerError as the server's parser
 */
export async function checkConcerns(context: CommandContext): Promise<void> {
  const read = context.document("readConcern");
  if (read) await checkReadConcern(context, read);
  const write = context.document("writeConcern");
  if (write) checkWriteConcern(write);
}

async function checkReadConcern(context: CommandContext, read: Document): Promise<void> {
  for (const field of read.keys()) {
    if (!READ_FIELDS.has(field))
      throw new ServerError(40415, `BSON field 'readConcern.${field}' is an unknown field.`);
  }
  const level = read.get("level");
  if (level !== undefined && !LEVELS.has(level as string)) {
    throw new ServerError(
      "BadValue",
      `Enumeration value '${String(level)}' for field 'readConcern.level' is not a valid value.`,
    );
  }
  if (level === "linearizable" && (context.name === "getMore" || writesOut(context))) {
    throw new ServerError(
      "InvalidOptions",
      'Command does not support read concern { level: "linearizable", provenance: "clientSupplied" } :: caused by :: read concern level linearizable is not supported for this command',
    );
  }
  await checkSnapshot(context, level, read.get("atClusterTime"));
  const after = read.get("afterClusterTime");
  if (after instanceof Timestamp) await waitFor(context, packTs(after.high >>> 0, after.low >>> 0));
}

function checkWriteConcern(write: Document): void {
  for (const field of write.keys()) {
    if (!WRITE_FIELDS.has(field))
      throw new ServerError("FailedToParse", `unrecognized write concern field: ${field}`);
  }
  const w = write.get("w");
  if (w !== undefined && typeof w !== "string" && !isNumber(w) && !isDocument(w)) {
    throw new ServerError("FailedToParse", "w has to be a number, string, or object");
  }
  if (isNumber(w) && (exactNumberOf(w) < 0 || exactNumberOf(w) > 50)) {
    throw new ServerError("FailedToParse", "w has to be a non-negative number and not greater than 50");
  }
}

/** True for an aggregate that ends in $out or $merge. */
export function writesOut(context: CommandContext): boolean {
  const pipeline = context.body.get("pipeline");
  const last = Array.isArray(pipeline) ? pipeline.at(-1) : undefined;
  return isDocument(last) && (last.has("$out") || last.has("$merge"));
}

/** Outside transactions only reads of data know snapshots; without a time they read now, and the reply names it. */
async function checkSnapshot(
  context: CommandContext,
  level: Value | undefined,
  at: Value | undefined,
): Promise<void> {
  if (at !== undefined && level !== "snapshot") {
    throw new ServerError(
      "InvalidOptions",
      "atClusterTime field can be set only if level is equal to snapshot",
    );
  }
  // A getMore reads as its cursor does, whatever it says.
  if (level !== "snapshot" || context.transaction || context.name === "getMore") return;
  if (!SNAPSHOT_READS.has(context.command.name) || writesOut(context)) {
    throw new ServerError(
      "InvalidOptions",
      `Command ${context.name} does not support { readConcern: { level: "snapshot", provenance: "clientSupplied" } } :: caused by :: read concern not supported`,
    );
  }
  if (!(at instanceof Timestamp)) {
    context.snapshot = context.server.snapshots.take();
    return;
  }
  context.snapshot = packTs(at.high >>> 0, at.low >>> 0);
  await waitFor(context, context.snapshot);
}

/** The clock follows gossiped times at once, so a time from this set is always there already. */
async function waitFor(context: CommandContext, ts: number): Promise<void> {
  while (context.storage.clock.last < ts) {
    context.checkInterrupt();
    context.storage.clock.advance(ts);
    if (context.storage.clock.last < ts) {
      throw new ServerError(
        "InvalidOptions",
        "readConcern afterClusterTime value must not be greater than the current clusterTime.",
      );
    }
  }
}

const POLL_MS = 20;

/** Members a write is waited for; `majority` of the set's members. */
function wantedMembers(concern: Document, members: number): number {
  const w = concern.get("w");
  if (w === "majority") return Math.floor(members / 2) + 1;
  return isNumber(w) ? exactNumberOf(w) : 1;
}

/**
 * Waits until the write concern is met, as long as the client allows.
 * @returns what `writeConcernError` says; undefined when it is met
 */
export async function awaitWriteConcern(context: CommandContext): Promise<ReplyObject | undefined> {
  const concern = context.document("writeConcern");
  if (!concern) return undefined;
  const w = concern.get("w");
  const { members } = context.server.replicaSet;
  const errInfo: ReplyObject = {
    writeConcern: { ...Object.fromEntries(concern), provenance: "clientSupplied" } as ReplyObject,
  };
  if (typeof w === "string" && w !== "majority") {
    const errmsg = `No write concern mode named '${w}' found in replica set configuration`;
    return { code: 79, codeName: "UnknownReplWriteConcern", errmsg, errInfo };
  }
  const wanted = wantedMembers(concern, members.length);
  if (wanted > members.length) {
    return {
      code: 100,
      codeName: "UnsatisfiableWriteConcern",
      errmsg: "Not enough data-bearing nodes",
      errInfo,
    };
  }
  const limit = concern.get("wtimeout");
  const until =
    isNumber(limit) && exactNumberOf(limit) > 0
      ? Date.now() + exactNumberOf(limit)
      : Number.POSITIVE_INFINITY;
  while (members.filter((member) => member.replicates).length < wanted) {
    if (Date.now() >= until) {
      const errmsg = "waiting for replication timed out";
      return { code: 64, codeName: "WriteConcernFailed", errmsg, errInfo: { wtimeout: true, ...errInfo } };
    }
    if (context.connection.closed || context.killed) return undefined;
    await Bun.sleep(POLL_MS);
  }
  return undefined;
}
