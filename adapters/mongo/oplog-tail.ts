import { type Document, type MongoClient, MongoServerError, Timestamp } from "mongodb";
import { compareTimes } from "../../core/failback/recorded-tasks.ts";
import { timeOfEntry } from "../../core/oplog/entry.ts";
import type { OperationTime } from "../../core/ports.ts";
import { RawScan } from "./raw-scan.ts";

/** The entry to go on after is not in the oplog: what followed it can't be known. */
export class OplogPositionLost extends Error {
  constructor(
    readonly after: OperationTime,
    /** The first entry there is at or after it. */
    readonly found: OperationTime | undefined,
  ) {
    super(`the oplog no longer holds entry ${after.t}:${after.i}`);
    this.name = "OplogPositionLost";
  }
}

/** Entries a reply; the server also ends one at 16 MB. */
const batchSize = 5000;

/**
 * Every entry of the primary's oplog after one, as the bytes the server sent, until nothing more is there. Only what a
 * majority has: such entries are never rolled back, so what was read once stays true after any election. The entry gone
 * on after is read, too, each time: while it is there, nothing between it and the next one can be missing. Fails with
 * OplogPositionLost when it isn't, and with what the driver throws.
 */
export async function* readOplogAfter(
  client: MongoClient,
  after: OperationTime,
): AsyncGenerator<readonly Uint8Array[]> {
  await using scan = new RawScan(client, {
    database: "local",
    collection: "oplog.rs",
    filter: { ts: { $gte: timestamp(after) } },
    sort: { $natural: 1 },
    readConcern: "majority",
    batchSize,
  });
  let entries = await scan.next();
  const found = entries[0] && timeOfEntry(entries[0]);
  if (!found || compareTimes(found, after) !== 0) throw new OplogPositionLost(after, found);
  entries = entries.slice(1);
  while (true) {
    if (entries.length > 0) yield entries;
    entries = await scan.next();
    if (entries.length === 0) return;
  }
}

/** A cursor that timed out or lost its place: reading anew goes on, or says what is lost. */
const cursorCodes = new Set([43, 136, 175, 237]);

export function isCursorLost(error: unknown): boolean {
  return error instanceof MongoServerError && cursorCodes.has(Number(error.code));
}

/** The newest entry that a majority has. Fails with what the driver throws. */
export async function newestOplogTime(client: MongoClient): Promise<OperationTime> {
  const found = await oplogOf(client).findOne({}, { sort: { $natural: -1 }, projection: { ts: 1 } });
  const ts = found?.ts as Timestamp | undefined;
  if (!ts) throw new Error("the oplog is empty");
  return { t: ts.getHighBitsUnsigned(), i: ts.getLowBitsUnsigned() };
}

/** Whether exactly this entry is in the oplog, for a majority. Fails with what the driver throws. */
export async function isInOplog(client: MongoClient, time: OperationTime): Promise<boolean> {
  return (await oplogOf(client).findOne({ ts: timestamp(time) }, { projection: { ts: 1 } })) !== null;
}

function oplogOf(client: MongoClient) {
  return client
    .db("local")
    .collection<Document>("oplog.rs", { readConcern: { level: "majority" }, readPreference: "primary" });
}

function timestamp({ t, i }: OperationTime): Timestamp {
  return new Timestamp({ t, i });
}
