import { deserialize, Long, Timestamp } from "bson";
import type { ClientSession, Document, MongoClient } from "mongodb";
import { BsonType, documentIn, documentLength, findElement, numberIn } from "../../core/bson/raw.ts";
import type { ResumePoint } from "../../core/changes/source.ts";
import type { OperationTime } from "../../core/ports.ts";

export interface CursorReply {
  /** Not copied: slices of the reply. */
  readonly documents: Uint8Array[];
  readonly postBatchResumeToken: Uint8Array | undefined;
  readonly operationTime: OperationTime | undefined;
}

export interface CursorOptions {
  /** What can still be read of an event that is too large: without the looked-up document, or without the change, too. */
  readonly without?: "lookup" | "lookup-and-change";
  readonly batchSize?: number;
  /** How long a read waits for the first event. */
  readonly awaitMs: number;
}

/**
 * One open change stream over the cluster, read by the commands themselves: the driver's own stream decodes every
 * event, and decoding is most of what reading costs.
 */
export class RawCursor {
  private constructor(
    private readonly client: MongoClient,
    private readonly session: ClientSession,
    private readonly options: CursorOptions,
    private id: Long,
    /** What the opening reply held, where a server gives events although none were asked for. */
    private opening: CursorReply | undefined,
  ) {}

  /** Opens the stream; nothing is read yet. Fails with what the driver throws. */
  static async open(client: MongoClient, from: ResumePoint, options: CursorOptions): Promise<RawCursor> {
    // getMore must carry the session of its cursor; DocumentDB refuses causal consistency (code 303).
    const session = client.startSession({ causalConsistency: false });
    try {
      const command = { aggregate: 1, pipeline: pipelineOf(from, options), cursor: { batchSize: 0 } };
      const { id, reply } = readReply(await run(client, session, command), "firstBatch");
      // Without events its token is not taken for progress: nothing was read.
      return new RawCursor(client, session, options, id, reply.documents.length > 0 ? reply : undefined);
    } catch (error) {
      await session.endSession();
      throw error;
    }
  }

  /** The server has no more for this cursor (an invalidate closes it). */
  get closed(): boolean {
    return this.id.isZero();
  }

  /** The next reply, of at most `batchSize` events. */
  async next(batchSize = this.options.batchSize): Promise<CursorReply> {
    const { opening } = this;
    if (opening) {
      this.opening = undefined;
      return opening;
    }
    const { awaitMs } = this.options;
    const answer = await run(this.client, this.session, {
      getMore: this.id,
      collection: "$cmd.aggregate",
      maxTimeMS: awaitMs,
      ...(batchSize ? { batchSize } : {}),
    });
    const { id, reply } = readReply(answer, "nextBatch");
    this.id = id;
    return reply;
  }

  /** Tells the server, if it can be told. */
  async close(): Promise<void> {
    try {
      if (!this.closed) {
        await run(this.client, this.session, { killCursors: "$cmd.aggregate", cursors: [this.id] });
      }
    } catch {
      // The server ends cursors that nobody reads by itself.
    } finally {
      this.id = Long.ZERO;
      await this.session.endSession().catch(() => {});
    }
  }
}

function pipelineOf(from: ResumePoint, { without }: CursorOptions): Document[] {
  const start =
    "token" in from
      ? { resumeAfter: deserialize(from.token, { promoteValues: false }) }
      : { startAtOperationTime: new Timestamp({ t: from.operationTime.t, i: from.operationTime.i }) };
  const fullDocument = without ? "default" : "updateLookup";
  const stream = { $changeStream: { allChangesForCluster: true, fullDocument, ...start } };
  if (without !== "lookup-and-change") return [stream];
  return [stream, { $project: { fullDocument: 0, updateDescription: 0 } }];
}

/** With `raw`, the driver leaves `cursor` as the bytes it arrived in. */
async function run(client: MongoClient, session: ClientSession, command: Document): Promise<Document> {
  return client.db("admin").command(command, { session, raw: true, promoteValues: false });
}

function readReply(answer: Document, batchName: string): { id: Long; reply: CursorReply } {
  const cursor = answer.cursor;
  if (!(cursor instanceof Uint8Array)) throw new Error("the reply holds no cursor");
  const token = documentIn(findElement(cursor, "postBatchResumeToken"));
  const batch = findElement(cursor, batchName);
  const id = findElement(cursor, "id");
  return {
    id: id?.type === BsonType.int64 ? longAt(id.bytes, id.valueStart) : Long.fromNumber(numberIn(id) ?? 0),
    reply: {
      documents: batch?.type === BsonType.array ? documentsIn(batch.bytes, batch.valueStart) : [],
      // A copy, so that a token that is kept doesn't keep its reply.
      postBatchResumeToken: token?.slice(),
      operationTime: timeOf(answer),
    },
  };
}

function longAt(bytes: Uint8Array, offset: number): Long {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, 8);
  return new Long(view.getInt32(0, true), view.getInt32(4, true));
}

/** The driver's own copy of the library made the timestamp, so its class tells nothing. */
function timeOf({ operationTime }: Document): OperationTime | undefined {
  if (operationTime?._bsontype !== "Timestamp") return undefined;
  const { high, low } = operationTime as Timestamp;
  return { t: high >>> 0, i: low >>> 0 };
}

/** The documents of a BSON array. The index names are passed over unread. */
function documentsIn(bytes: Uint8Array, start: number): Uint8Array[] {
  const documents: Uint8Array[] = [];
  const end = start + documentLength(bytes, start) - 1;
  let offset = start + 4;
  while (offset < end) {
    if (bytes[offset] !== BsonType.object) throw new Error("the batch holds something that is no document");
    offset++;
    while (bytes[offset] !== 0) offset++;
    offset++;
    const length = documentLength(bytes, offset);
    documents.push(bytes.subarray(offset, offset + length));
    offset += length;
  }
  return documents;
}
