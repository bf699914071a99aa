/** Change streams as consumers see them: order, tokens, images, ends, lost history, large events, transactions. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type ChangeStream, type ChangeStreamDocument, Long, MongoClient, Timestamp } from "mongodb";
import { type RunningDatabase, startDatabase } from "./testing.ts";

let database: RunningDatabase;
let client: MongoClient;

beforeAll(async () => {
  database = await startDatabase();
  client = new MongoClient(database.uri);
});

afterAll(async () => {
  await client.close();
  await database[Symbol.asyncDispose]();
});

interface Item {
  _id: number;
  [field: string]: unknown;
}
type Event = ChangeStreamDocument & Record<string, unknown>;

let names = 0;
function fresh(): string {
  return `stream_${++names}`;
}

async function take(stream: ChangeStream, count: number): Promise<Event[]> {
  const events: Event[] = [];
  while (events.length < count) events.push((await stream.next()) as Event);
  return events;
}

/** The cluster time of now: a stream started there sees everything that follows. */
async function now(): Promise<Timestamp> {
  const { operationTime } = await client.db("admin").command({ ping: 1 });
  return new Timestamp({ t: operationTime.t, i: operationTime.i + 1 });
}

async function codeOf(promise: Promise<unknown>): Promise<number> {
  return promise.then(
    () => 0,
    (error: { code?: number }) => error.code ?? -1,
  );
}

describe("order and tokens", () => {
  test("every event's token resumes right behind it, on the collection, the database and the cluster", async () => {
    const db = client.db(fresh());
    const items = db.collection<Item>("items");
    const start = await now();
    await items.insertMany(Array.from({ length: 25 }, (_, _id) => ({ _id })));
    for (const open of [items, db, client]) {
      const options = { startAtOperationTime: start };
      const stream =
        open === items
          ? items.watch([], options)
          : open === db
            ? db.watch([], options)
            : client.watch([], options);
      const events = await take(stream, 25);
      await stream.close();
      expect(events.map((event) => (event.documentKey as Item)._id)).toEqual(
        Array.from({ length: 25 }, (_, id) => id),
      );
      const tokens = events.map((event) => (event._id as { _data: string })._data);
      expect([...tokens].sort()).toEqual(tokens);
      const resumed = db.watch([], { resumeAfter: events[10]!._id });
      expect((await take(resumed, 1))[0]!._id).toEqual(events[11]!._id);
      await resumed.close();
    }
  });

  test("the post-batch token moves on while nothing concerns the stream, and loses nothing that does", async () => {
    const db = client.db(fresh());
    const watched = db.collection<Item>("watched");
    const stream = watched.watch([], { maxAwaitTimeMS: 50 });
    await stream.tryNext();
    const before = stream.resumeToken as { _data: string };
    await db.collection<Item>("other").insertMany(Array.from({ length: 100 }, (_, _id) => ({ _id })));
    await stream.tryNext();
    const after = stream.resumeToken as { _data: string };
    expect(after._data > before._data).toBe(true);
    await watched.insertOne({ _id: 1 });
    await stream.close();
    const resumed = watched.watch([], { resumeAfter: after });
    expect(((await take(resumed, 1))[0]!.documentKey as Item)._id).toBe(1);
    await resumed.close();
  });

  test("a getMore waits up to its time and wakes at the write", async () => {
    const items = client.db(fresh()).collection<Item>("items");
    const stream = items.watch([], { maxAwaitTimeMS: 10_000, startAtOperationTime: await now() });
    const begun = performance.now();
    const next = stream.next();
    await Bun.sleep(100);
    await items.insertOne({ _id: 1 });
    await next;
    expect(performance.now() - begun).toBeLessThan(5000);
    await stream.close();
  }, 30_000);

  test("an own token that names no place of this server is refused with 260, two starts at once with 40674", async () => {
    const items = client.db(fresh()).collection("items");
    expect(await codeOf(items.watch([], { resumeAfter: { _data: "nonsense" } }).next())).toBe(260);
    const both = client.db("x").command({
      aggregate: "y",
      cursor: {},
      pipeline: [
        { $changeStream: { resumeAfter: { _data: "82" }, startAtOperationTime: new Timestamp(Long.ONE) } },
      ],
    });
    expect([40674, 260]).toContain(await codeOf(both));
    expect(
      await codeOf(
        client.db("x").command({ aggregate: "y", cursor: {}, pipeline: [{ $changeStream: { bogus: 1 } }] }),
      ),
    ).toBe(40415);
    expect(
      await codeOf(
        client
          .db("x")
          .command({ aggregate: "y", cursor: {}, pipeline: [{ $changeStream: {} }, { $group: { _id: 1 } }] }),
      ),
    ).toBe(20);
  });
});

describe("what events say", () => {
  test("updates of nested arrays and numeric names come as the server describes them", async () => {
    const items = client.db(fresh()).collection<Item>("items");
    const stream = items.watch([], { showExpandedEvents: true });
    await stream.tryNext();
    await items.insertOne({ _id: 1, list: [1, { a: [1, 2, 3] }, 3], "0": { "1": "x" } });
    await items.updateOne({ _id: 1 }, { $set: { "list.1.a.0": 9, "0.1": "y" } });
    await items.updateOne({ _id: 1 }, { $push: { list: 4 } } as never);
    await items.updateOne({ _id: 1 }, [{ $set: { list: { $slice: ["$list", 2] } } }]);
    const events = await take(stream, 5);
    const updates = events.slice(2).map((event) => event.updateDescription) as {
      updatedFields: unknown;
      truncatedArrays: unknown;
      disambiguatedPaths: unknown;
    }[];
    expect(updates[0]!.updatedFields).toEqual({ "0.1": "y", "list.1.a.0": 9 });
    expect(updates[0]!.disambiguatedPaths).toEqual({ "0.1": ["0", "1"] });
    expect(updates[1]!.updatedFields).toEqual({ "list.3": 4 });
    expect(updates[2]!.truncatedArrays).toEqual([{ field: "list", newSize: 2 }]);
    await stream.close();
  });

  test("updateLookup gives the document as it is at the look-up: later, or null when it is gone", async () => {
    const items = client.db(fresh()).collection<Item>("items");
    const start = await now();
    await items.insertOne({ _id: 1, n: 0 });
    await items.updateOne({ _id: 1 }, { $set: { n: 1 } });
    await items.updateOne({ _id: 1 }, { $set: { n: 2 } });
    await items.insertOne({ _id: 2 });
    await items.updateOne({ _id: 2 }, { $set: { n: 1 } });
    await items.deleteOne({ _id: 2 });
    const stream = items.watch([], { startAtOperationTime: start, fullDocument: "updateLookup" });
    const events = await take(stream, 6);
    expect(events.map((event) => event.fullDocument)).toEqual([
      { _id: 1, n: 0 },
      { _id: 1, n: 2 },
      { _id: 1, n: 2 },
      { _id: 2 },
      null,
      undefined,
    ]);
    await stream.close();
  });

  test("pre- and post-images are those of the event, and a required one that is missing fails the stream", async () => {
    const db = client.db(fresh());
    const items = await db.createCollection<Item>("items", {
      changeStreamPreAndPostImages: { enabled: true },
    });
    const start = await now();
    await items.insertOne({ _id: 1, n: 0 });
    await items.updateOne({ _id: 1 }, { $inc: { n: 1 } } as never);
    await items.updateOne({ _id: 1 }, { $inc: { n: 1 } } as never);
    await items.deleteOne({ _id: 1 });
    const stream = items.watch([], {
      startAtOperationTime: start,
      fullDocument: "required",
      fullDocumentBeforeChange: "required",
    });
    const events = await take(stream, 4);
    expect(
      events.map(({ fullDocument, fullDocumentBeforeChange }) => [fullDocumentBeforeChange, fullDocument]),
    ).toEqual([
      [undefined, { _id: 1, n: 0 }],
      [
        { _id: 1, n: 0 },
        { _id: 1, n: 1 },
      ],
      [
        { _id: 1, n: 1 },
        { _id: 1, n: 2 },
      ],
      [{ _id: 1, n: 2 }, undefined],
    ]);
    await stream.close();
    const plain = db.collection<Item>("plain");
    const demanding = plain.watch([], { fullDocumentBeforeChange: "required", batchSize: 1 });
    await demanding.tryNext();
    await plain.insertOne({ _id: 1 });
    await plain.deleteOne({ _id: 1 });
    await demanding.next();
    expect(await codeOf(demanding.next())).toBe(47);
    const lenient = plain.watch([], {
      resumeAfter: (await take(plain.watch([], { startAtOperationTime: start }), 1))[0]!._id,
      fullDocumentBeforeChange: "whenAvailable",
    });
    expect((await take(lenient, 1))[0]!.fullDocumentBeforeChange).toBeNull();
    await lenient.close();
  });

  test("expanded events tell of collections and indexes; drop, rename and dropDatabase end the streams they concern", async () => {
    const db = client.db(fresh());
    const stream = db.watch([], { showExpandedEvents: true });
    await stream.tryNext();
    const items = await db.createCollection<Item>("items");
    await items.createIndex({ a: 1 }, { name: "by_a" });
    await db.command({ collMod: "items", index: { name: "by_a", hidden: true } });
    await items.dropIndex("by_a");
    await items.rename("moved");
    await db.dropDatabase();
    const events = await take(stream, 8);
    expect(events.map(({ operationType }) => operationType)).toEqual([
      "create",
      "createIndexes",
      "modify",
      "dropIndexes",
      "rename",
      "drop",
      "dropDatabase",
      "invalidate",
    ]);
    expect(events[4]!.to).toEqual({ db: db.databaseName, coll: "moved" });
    expect(stream.closed || (await stream.tryNext().catch(() => null)) === null).toBe(true);
    const token = events[7]!._id;
    expect(await codeOf(db.watch([], { resumeAfter: token }).next())).toBe(260);
    const after = db.watch([], { startAfter: token });
    await after.tryNext();
    await db.collection<Item>("items").insertOne({ _id: 1 });
    expect((await take(after, 1))[0]!.operationType).toBe("insert");
    await after.close();
  });

  test("an event over 16 MB fails the stream with 10334, or comes in fragments when it is asked to be split", async () => {
    const db = client.db(fresh());
    const items = await db.createCollection<Item>("items", {
      changeStreamPreAndPostImages: { enabled: true },
    });
    const start = await now();
    await items.insertOne({ _id: 1, text: "a".repeat(9 * 1024 * 1024) });
    await items.updateOne({ _id: 1 }, { $set: { text: "b".repeat(9 * 1024 * 1024) } });
    await items.insertOne({ _id: 2 });
    const options = {
      startAtOperationTime: start,
      fullDocument: "updateLookup",
      fullDocumentBeforeChange: "required",
    } as const;
    // One at a time: an error spoils the batch it comes in.
    const failing = items.watch([], { ...options, batchSize: 1 });
    await failing.next();
    expect(await codeOf(failing.next())).toBe(10334);
    const splitting = items.watch([{ $changeStreamSplitLargeEvent: {} }], options);
    const events = await take(splitting, 5);
    expect(events.map(({ splitEvent }) => splitEvent)).toEqual([
      undefined,
      { fragment: 1, of: 3 },
      { fragment: 2, of: 3 },
      { fragment: 3, of: 3 },
      undefined,
    ]);
    const fields = events
      .slice(1, 4)
      .flatMap((event) => Object.keys(event))
      .filter((name) => name !== "_id" && name !== "splitEvent");
    expect(fields.sort()).toEqual([
      "clusterTime",
      "documentKey",
      "fullDocument",
      "fullDocumentBeforeChange",
      "ns",
      "operationType",
      "updateDescription",
      "wallTime",
    ]);
    await splitting.close();
    const resumed = items.watch([{ $changeStreamSplitLargeEvent: {} }], {
      fullDocument: "updateLookup",
      fullDocumentBeforeChange: "required",
      resumeAfter: events[2]!._id,
    });
    expect((await take(resumed, 1))[0]!.splitEvent).toEqual({ fragment: 3, of: 3 });
    await resumed.close();
  }, 60_000);

  test("a transaction's changes come together at its commit, numbered and resumable in between", async () => {
    const db = client.db(fresh());
    const items = db.collection<Item>("items");
    await items.insertOne({ _id: 0 });
    const start = await now();
    const session = client.startSession();
    await session.withTransaction(async () => {
      await items.insertOne({ _id: 1 }, { session });
      await items.updateOne({ _id: 1 }, { $set: { a: 1 } }, { session });
      await items.deleteOne({ _id: 0 }, { session });
    });
    await session.endSession();
    const stream = items.watch([], { startAtOperationTime: start });
    const events = await take(stream, 3);
    await stream.close();
    expect(events.map(({ operationType }) => operationType)).toEqual(["insert", "update", "delete"]);
    expect(new Set(events.map(({ clusterTime }) => String(clusterTime))).size).toBe(1);
    expect(events.every(({ lsid, txnNumber }) => lsid !== undefined && txnNumber !== undefined)).toBe(true);
    const resumed = items.watch([], { resumeAfter: events[0]!._id });
    expect((await take(resumed, 2)).map(({ operationType }) => operationType)).toEqual(["update", "delete"]);
    await resumed.close();
  });
});

test("when the oplog no longer holds the resume point, opening and reading on fail with 286", async () => {
  await using small = await startDatabase({ args: ["--oplog-size-mb", "1"] });
  const own = new MongoClient(small.uri);
  try {
    const items = own.db("x").collection<Item>("items");
    const lagging = items.watch();
    await lagging.tryNext();
    const token = lagging.resumeToken;
    for (let round = 0; round < 20; round++)
      await items.insertMany(
        Array.from({ length: 100 }, (_, index) => ({ _id: round * 100 + index, pad: "x".repeat(2000) })),
      );
    expect(await codeOf(items.watch([], { resumeAfter: token }).next())).toBe(286);
    expect(
      await codeOf(items.watch([], { startAtOperationTime: new Timestamp({ t: 5, i: 1 }) }).next()),
    ).toBe(286);
    expect(await codeOf(lagging.next())).toBe(286);
    const size = (await own.db("local").command({ collStats: "oplog.rs" })).size as number;
    expect(size).toBeLessThan(2 * 1024 * 1024);
    const fresh = items.watch();
    await fresh.tryNext();
    await items.insertOne({ _id: -1 });
    expect(((await fresh.next()) as unknown as { documentKey: Item }).documentKey._id).toBe(-1);
    await fresh.close();
  } finally {
    await own.close();
  }
}, 60_000);
