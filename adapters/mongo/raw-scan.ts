import { Long } from "bson";
import type { ClientSession, Document, MongoClient } from "mongodb";
import { BsonType, documentsInArray, findElement, numberIn } from "../../core/bson/raw.ts";

export interface ScanOptions {
  readonly database: string;
  readonly collection: string;
  readonly filter?: Document;
  readonly sort?: Document;
  readonly readConcern?: "majority";
  /** Documents a reply; the server also ends one at 16 MB. */
  readonly batchSize?: number;
}

const defaultBatchSize = 2000;

/**
 * Reads documents as the bytes the server sent, a reply ahead of the caller. The driver's own cursor would decode
 * each one; that is most of what reading costs.
 */
export class RawScan implements AsyncDisposable {
  private ahead: Promise<Uint8Array[]>;
  private id = Long.ZERO;
  private readonly session: ClientSession;

  constructor(
    private readonly client: MongoClient,
    private readonly options: ScanOptions,
  ) {
    // getMore must carry the session of its find; DocumentDB refuses causal consistency (code 303).
    this.session = client.startSession({ causalConsistency: false });
    this.ahead = quiet(this.find());
  }

  /** The next documents in order, slices of one reply; none when the end is reached. Fails with what the driver throws. */
  async next(): Promise<Uint8Array[]> {
    const documents = await this.ahead;
    if (!this.id.isZero()) this.ahead = quiet(this.getMore());
    else this.ahead = Promise.resolve([]);
    // A reply may be empty while the cursor lives on.
    return documents.length === 0 && !this.id.isZero() ? this.next() : documents;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.ahead.catch(() => {});
    try {
      if (!this.id.isZero()) {
        await this.run({ killCursors: this.options.collection, cursors: [this.id] });
      }
    } catch {
      // The server ends cursors that nobody reads by itself.
    } finally {
      await this.session.endSession().catch(() => {});
    }
  }

  private async find(): Promise<Uint8Array[]> {
    const { collection, filter, sort, readConcern } = this.options;
    return this.batch("firstBatch", {
      find: collection,
      filter: filter ?? {},
      ...(sort && { sort }),
      ...(readConcern && { readConcern: { level: readConcern } }),
      batchSize: this.options.batchSize ?? defaultBatchSize,
    });
  }

  private async getMore(): Promise<Uint8Array[]> {
    const batchSize = this.options.batchSize ?? defaultBatchSize;
    return this.batch("nextBatch", { getMore: this.id, collection: this.options.collection, batchSize });
  }

  private async batch(name: string, command: Document): Promise<Uint8Array[]> {
    const { cursor } = await this.run(command);
    if (!(cursor instanceof Uint8Array)) throw new Error("the reply holds no cursor");
    const id = findElement(cursor, "id");
    this.id =
      id?.type === BsonType.int64 ? longAt(id.bytes, id.valueStart) : Long.fromNumber(numberIn(id) ?? 0);
    const batch = findElement(cursor, name);
    return batch?.type === BsonType.array ? documentsInArray(batch.bytes, batch.valueStart) : [];
  }

  /** With `raw`, the driver leaves `cursor` as the bytes it arrived in. */
  private run(command: Document): Promise<Document> {
    const { session } = this;
    return this.client
      .db(this.options.database)
      .command(command, { session, raw: true, promoteValues: false });
  }
}

/** Reported when its turn comes, not as a stray rejection before. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

function longAt(bytes: Uint8Array, offset: number): Long {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, 8);
  return new Long(view.getInt32(0, true), view.getInt32(4, true));
}
