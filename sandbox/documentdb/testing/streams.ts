/** What change stream scenarios do again and again: enable, take the time, drain. */
import {
  type ChangeStream,
  type ChangeStreamOptions,
  type Collection,
  type Document,
  type MongoClient,
  Timestamp,
} from "mongodb";

/** Reads until the stream has given nothing for a while. */
export async function drain(stream: ChangeStream): Promise<Document[]> {
  const events: Document[] = [];
  for (let quiet = 0; quiet < 2; ) {
    const event = await stream.tryNext();
    if (event === null) quiet++;
    else {
      quiet = 0;
      events.push(event as Document);
    }
  }
  return events;
}

/** The `_id`s events are about, in their order. */
export function idsOf(events: readonly Document[]): unknown[] {
  return events.map((event) => event.documentKey?._id);
}

/** One scenario's database on the dialect. */
export class StreamBench {
  constructor(
    readonly client: MongoClient,
    readonly database: string,
  ) {}

  admin(command: Document): Promise<Document> {
    return this.client.db("admin").command(command);
  }

  enable(collection: string, on = true): Promise<Document> {
    return this.admin({ modifyChangeStreams: 1, database: this.database, collection, enable: on });
  }

  collection(name: string): Collection {
    return this.client.db(this.database).collection(name);
  }

  /** Just after what was written so far: starting at a time includes it. */
  async now(): Promise<Timestamp> {
    const { t, i } = (await this.admin({ ping: 1 })).operationTime as Timestamp;
    return new Timestamp({ t, i: i + 1 });
  }

  /** A stream from a time on, of one collection or of the cluster, drained and closed. */
  async eventsSince(
    time: Timestamp,
    collection?: string,
    options: ChangeStreamOptions = {},
  ): Promise<Document[]> {
    const target = collection === undefined ? this.client : this.collection(collection);
    const stream = target.watch([], { startAtOperationTime: time, maxAwaitTimeMS: 50, ...options });
    try {
      return await drain(stream);
    } finally {
      await stream.close();
    }
  }
}
