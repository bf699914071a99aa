/** Reading the source's changes from a checkpoint on: its cluster-wide change stream, which is its oplog in order. */
import type { Buffer } from "node:buffer";
import { type Document, EJSON } from "bson";
import { type ClientSession, Long, type MongoClient, MongoServerError, Timestamp } from "mongodb";
import type { Progress } from "../model.ts";

/** The source no longer has what comes after the checkpoint. */
export class HistoryLost extends Error {}

export interface CapturedBatch {
  readonly events: readonly Buffer[];
  /** Where reading goes on behind this batch. */
  readonly progress: Progress;
}

interface CursorReply {
  readonly cursor: {
    readonly id: Long | number | bigint;
    readonly firstBatch?: Buffer[];
    readonly nextBatch?: Buffer[];
    readonly postBatchResumeToken?: Document;
  };
  readonly operationTime?: Timestamp;
}

const historyLostCodes = new Set([286, 280, 136, 260]);
const raw = { fieldsAsRaw: { firstBatch: true, nextBatch: true } };

/** The source's cluster time now: changes behind it are to be read, those up to it a load sees. */
export async function currentPosition(client: MongoClient): Promise<Progress> {
  const { operationTime } = (await client.db("admin").command({ ping: 1 })) as { operationTime?: Timestamp };
  if (!operationTime) throw new Error("the source tells no operationTime: expected a replica set");
  return {
    token: "",
    seconds: operationTime.getHighBitsUnsigned(),
    increment: operationTime.getLowBitsUnsigned(),
  };
}

export class Capture {
  readonly #client: MongoClient;
  readonly #session: ClientSession;
  readonly #awaitMs: number;
  #cursor: Long | undefined;
  #progress: Progress;

  /** @param databases the only ones whose changes are wanted; undefined for all */
  constructor(
    client: MongoClient,
    from: Progress,
    awaitMs: number,
    readonly databases?: readonly string[],
  ) {
    this.#client = client;
    // One session for all of a cursor's commands: the server ties the cursor to it.
    this.#session = client.startSession({ causalConsistency: false });
    this.#progress = from;
    this.#awaitMs = awaitMs;
  }

  /** The next batch, empty after `awaitMs` without changes. @throws HistoryLost */
  async next(): Promise<CapturedBatch> {
    try {
      return this.#take(await (this.#cursor === undefined ? this.#open() : this.#more(this.#cursor)));
    } catch (cause) {
      if (cause instanceof MongoServerError && historyLostCodes.has(Number(cause.code))) {
        throw new HistoryLost(`the oplog of the source no longer holds the checkpoint: ${cause.message}`, {
          cause,
        });
      }
      throw cause;
    }
  }

  #open(): Promise<CursorReply> {
    const { token, seconds, increment } = this.#progress;
    const start =
      token === ""
        ? { startAtOperationTime: new Timestamp({ t: seconds, i: increment + 1 }) }
        : { resumeAfter: EJSON.parse(token, { relaxed: false }) as Document };
    const filter = this.databases ? [{ $match: { "ns.db": { $in: this.databases } } }] : [];
    const pipeline = [{ $changeStream: { allChangesForCluster: true, ...start } }, ...filter];
    const command = { aggregate: 1, pipeline, cursor: { batchSize: 1000 } };
    return this.#command(command);
  }

  #more(cursor: Long): Promise<CursorReply> {
    return this.#command({
      getMore: cursor,
      collection: "$cmd.aggregate",
      batchSize: 5000,
      maxTimeMS: this.#awaitMs,
    });
  }

  async #command(command: Document): Promise<CursorReply> {
    const options = { session: this.#session, promoteLongs: false, ...raw };
    return (await this.#client.db("admin").command(command, options)) as unknown as CursorReply;
  }

  #take({ cursor, operationTime }: CursorReply): CapturedBatch {
    const id = cursor.id;
    this.#cursor = id instanceof Long ? id : Long.fromBigInt(BigInt(id));
    if (this.#cursor.isZero()) throw new Error("the source closed the change stream");
    const events = cursor.firstBatch ?? cursor.nextBatch ?? [];
    const token = cursor.postBatchResumeToken;
    const time = token ? timeOfToken(token) : undefined;
    const reached = time ?? (events.length === 0 && operationTime ? timeOf(operationTime) : undefined);
    this.#progress = {
      ...this.#progress,
      ...(reached ?? {}),
      token: token ? EJSON.stringify(token, { relaxed: false }) : this.#progress.token,
    };
    return { events, progress: this.#progress };
  }

  async close(): Promise<void> {
    if (this.#cursor && !this.#cursor.isZero()) {
      await this.#command({ killCursors: "$cmd.aggregate", cursors: [this.#cursor] }).catch(() => undefined);
    }
    await this.#session.endSession().catch(() => undefined);
  }
}

function timeOf(time: Timestamp): { seconds: number; increment: number } {
  return { seconds: time.getHighBitsUnsigned(), increment: time.getLowBitsUnsigned() };
}

/** The cluster time in a MongoDB resume token: its KeyString begins with the type of a timestamp (82). */
function timeOfToken(token: Document): { seconds: number; increment: number } | undefined {
  const data: unknown = token._data;
  if (typeof data !== "string" || !data.startsWith("82") || data.length < 18) return undefined;
  return {
    seconds: Number.parseInt(data.slice(2, 10), 16),
    increment: Number.parseInt(data.slice(10, 18), 16),
  };
}
