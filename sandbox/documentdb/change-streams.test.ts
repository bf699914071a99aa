import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import {
  type ChangeStream,
  type ChangeStreamOptions,
  type Document,
  type MongoClient,
  Timestamp,
} from "mongodb";
import { codeOf, startDialect, type TestDialect } from "./testing/start.ts";

setDefaultTimeout(30_000);

let dialect: TestDialect;
let client: MongoClient;
let database = "";
let scenario = 0;

beforeAll(async () => {
  dialect = await startDialect();
  client = await dialect.connect();
});
afterAll(async () => {
  await dialect[Symbol.asyncDispose]();
});
beforeEach(() => {
  database = `streams${++scenario}`;
});

const admin = (command: Document) => client.db("admin").command(command);
const enable = (collection: string, on = true, name = database) =>
  admin({ modifyChangeStreams: 1, database: name, collection, enable: on });
const collectionOf = (name: string) => client.db(database).collection(name);
/** Just after what was written so far: starting at a time includes it. */
async function now(): Promise<Timestamp> {
  const { t, i } = (await admin({ ping: 1 })).operationTime as Timestamp;
  return new Timestamp({ t, i: i + 1 });
}

/** Reads until the stream has given nothing for a while. */
async function drain(stream: ChangeStream): Promise<Document[]> {
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

/** A stream from a time on, drained and closed. */
async function eventsSince(
  time: Timestamp,
  collection?: string,
  options: ChangeStreamOptions = {},
): Promise<Document[]> {
  const target = collection === undefined ? client : collectionOf(collection);
  const stream = target.watch([], { startAtOperationTime: time, maxAwaitTimeMS: 50, ...options });
  try {
    return await drain(stream);
  } finally {
    await stream.close();
  }
}

const idsOf = (events: readonly Document[]) => events.map((event) => event.documentKey?._id);

test("a stream on a namespace that isn't enabled opens and yields nothing, also when it is enabled later", async () => {
  const before = await now();
  await collectionOf("quiet").insertOne({ _id: 1 as never });
  expect(await eventsSince(before, "quiet")).toEqual([]);
  await enable("quiet");
  await collectionOf("quiet").insertOne({ _id: 2 as never });
  expect(idsOf(await eventsSince(before, "quiet"))).toEqual([2]);
});

test("$listChangeStreams shows the scopes with empty names as wildcards", async () => {
  await enable("one");
  await enable("");
  const rows = await client
    .db("admin")
    .aggregate([{ $listChangeStreams: 1 }])
    .toArray();
  expect(rows).toContainEqual({ database, collection: "one" });
  expect(rows).toContainEqual({ database, collection: "" });
  await enable("one", false);
  await enable("", false);
  const left = await client
    .db("admin")
    .aggregate([{ $listChangeStreams: 1 }])
    .toArray();
  expect(left.filter((row) => row.database === database)).toEqual([]);
});

test("a cluster-wide stream shows enabled scopes only; dropping and making again stays covered by a wider scope", async () => {
  const before = await now();
  await enable("", true);
  await collectionOf("kept").insertOne({ _id: 1 as never });
  await client
    .db(`${database}other`)
    .collection("x")
    .insertOne({ _id: 9 as never });
  await collectionOf("kept").drop();
  await collectionOf("kept").insertOne({ _id: 2 as never });
  const events = await eventsSince(before);
  expect(events.map(({ operationType }) => operationType)).toEqual(["insert", "drop", "insert"]);
  expect(idsOf(events)).toEqual([1, undefined, 2]);
});

test("insert, update, replace and delete come in cluster order and in DocumentDB's shape", async () => {
  await enable("");
  const before = await now();
  const orders = collectionOf("orders");
  await orders.insertOne({ _id: 1 as never, list: [1, 2, 3], a: 1 });
  await collectionOf("other").insertOne({ _id: 7 as never });
  await orders.updateOne({ _id: 1 as never }, { $set: { "list.1": 9, b: 2 }, $unset: { a: 1 } });
  await orders.replaceOne({ _id: 1 as never }, { whole: true });
  await orders.deleteOne({ _id: 1 as never });
  const events = await eventsSince(before);
  expect(events.map(({ operationType, ns }) => `${operationType} ${ns.coll}`)).toEqual([
    "insert orders",
    "insert other",
    "update orders",
    "replace orders",
    "delete orders",
  ]);
  for (const event of events) {
    expect(event._id._data).toMatch(/^01[0-9a-f]+$/);
    expect(event.clusterTime).toBeDefined();
    for (const foreign of ["wallTime", "lsid", "txnNumber", "collectionUUID"])
      expect(event[foreign]).toBeUndefined();
  }
  expect(Object.keys(events[2]!.updateDescription).sort()).toEqual(["removedFields", "updatedFields"]);
  expect(events[2]!.updateDescription.removedFields).toEqual(["a"]);
});

test("creating collections and all index changes emit nothing, renames neither", async () => {
  await enable("");
  const before = await now();
  await client.db(database).createCollection("made");
  await collectionOf("made").createIndex({ a: 1 });
  await collectionOf("made").dropIndex("a_1");
  await collectionOf("made").rename("renamed");
  expect(await eventsSince(before)).toEqual([]);
});

test("an update's description leaves out fields set to the value they had", async () => {
  await enable("same");
  await collectionOf("same").insertOne({ _id: 1 as never, a: 1, b: 1 });
  const before = await now();
  await collectionOf("same").updateOne({ _id: 1 as never }, { $set: { a: 1, b: 2 } });
  const events = (await eventsSince(before, "same")).filter(
    ({ operationType }) => operationType === "update",
  );
  expect(events.map(({ updateDescription }) => updateDescription.updatedFields)).toEqual([{ b: 2 }]);
});

test("startAtOperationTime is inclusive, a token goes on behind its event, and both together are refused", async () => {
  await enable("resume");
  const collection = collectionOf("resume");
  const before = await now();
  await collection.insertMany(
    [1, 2, 3].map((id) => ({ _id: id as never })),
    { ordered: true },
  );
  const events = await eventsSince(before, "resume");
  expect(idsOf(events)).toEqual([1, 2, 3]);
  expect(idsOf(await eventsSince(events[1]!.clusterTime, "resume"))).toContain(2);
  const resumed = collection.watch([], { resumeAfter: events[0]!._id, maxAwaitTimeMS: 50 });
  expect(idsOf(await drain(resumed))).toEqual([2, 3]);
  expect((resumed.resumeToken as Document)._data).toMatch(/^01/);
  await resumed.close();
  const both = { $changeStream: { resumeAfter: events[0]!._id, startAtOperationTime: before } };
  expect(await codeOf(collection.aggregate([both]).toArray())).toBe(9);
});

test("a token from behind an empty batch resumes too", async () => {
  await enable("empty");
  const stream = collectionOf("empty").watch([], { maxAwaitTimeMS: 50 });
  expect(await stream.tryNext()).toBeNull();
  const token = stream.resumeToken;
  await stream.close();
  await collectionOf("empty").insertOne({ _id: 1 as never });
  const resumed = collectionOf("empty").watch([], { resumeAfter: token, maxAwaitTimeMS: 50 });
  expect(idsOf(await drain(resumed))).toEqual([1]);
  await resumed.close();
});

test("startAfter, pre-images and unknown stages and tokens are refused", async () => {
  await enable("refuse");
  const open = (stage: Document, ...more: Document[]) =>
    codeOf(
      collectionOf("refuse")
        .aggregate([{ $changeStream: stage }, ...more])
        .toArray(),
    );
  expect(await open({ startAfter: { _data: "01" } })).toBe(40415);
  expect(await open({ fullDocumentBeforeChange: "required" })).toBe(40415);
  expect(await open({ fullDocument: "required" })).toBe(9);
  expect(await open({ resumeAfter: { _data: "8265AABBCC000000012B022C0100296E5A1004" } })).toBe(9);
  expect(await open({ resumeAfter: { other: 1 } })).toBe(9);
  expect(await open({}, { $group: { _id: 1 } })).toBe(304);
  expect(await open({}, { $set: { a: 1 } })).toBe(304);
});

test("allowed stages run, and don't show what isn't enabled", async () => {
  await enable("shown");
  const before = await now();
  await collectionOf("shown").insertMany([
    { _id: 1 as never, keep: true },
    { _id: 2 as never, keep: false },
  ]);
  await collectionOf("hidden").insertOne({ _id: 3 as never, keep: true });
  const pipeline = [{ $match: { "fullDocument.keep": true } }, { $project: { documentKey: 1 } }];
  const stream = client.db(database).watch(pipeline, { startAtOperationTime: before, maxAwaitTimeMS: 50 });
  const events = await drain(stream);
  await stream.close();
  expect(idsOf(events)).toEqual([1]);
  expect(Object.keys(events[0]!).sort()).toEqual(["_id", "documentKey"]);
});

test("a lookup comes late: it shows later updates, and null for what is deleted by then", async () => {
  await using slow = await startDialect({ lookupDelayMs: 300 });
  const slowClient = await slow.connect();
  await slowClient
    .db("admin")
    .command({ modifyChangeStreams: 1, database: "", collection: "", enable: true });
  const collection = slowClient.db("late").collection("c");
  await collection.insertMany([
    { _id: 1 as never, n: 0 },
    { _id: 2 as never, n: 0 },
  ]);
  const stream = collection.watch([], { fullDocument: "updateLookup" });
  const first = stream.next();
  await Bun.sleep(100);
  await collection.updateMany({}, { $set: { n: 1 } });
  await Bun.sleep(50);
  await collection.updateOne({ _id: 1 as never }, { $set: { n: 2 } });
  await collection.deleteOne({ _id: 2 as never });
  const one = (await first) as Document;
  const two = (await stream.next()) as Document;
  expect(one.updateDescription.updatedFields).toEqual({ n: 1 });
  expect(one.fullDocument).toEqual({ _id: 1, n: 2 });
  expect(two.fullDocument).toBeNull();
  await stream.close();
});

test("many large looked-up documents come in several replies, in order and none twice", async () => {
  await enable("large");
  const collection = collectionOf("large");
  const filler = "x".repeat(1_000_000);
  for (let id = 0; id < 40; id++) await collection.insertOne({ _id: id as never, filler });
  const before = await now();
  await collection.updateMany({}, { $set: { n: 1 } });
  const events = (await eventsSince(before, "large", { fullDocument: "updateLookup" })).filter(
    ({ operationType }) => operationType === "update",
  );
  expect(idsOf(events)).toEqual(Array.from({ length: 40 }, (_, id) => id));
  expect(
    events.every(({ fullDocument }) => fullDocument.filler.length === 1_000_000 && fullDocument.n === 1),
  ).toBe(true);
});

test("the token behind a reply that holds a part of a batch resumes with the next event", async () => {
  await enable("part");
  const collection = collectionOf("part");
  const filler = "x".repeat(6_000_000);
  for (let id = 0; id < 4; id++) await collection.insertOne({ _id: id as never, filler });
  const before = await now();
  await collection.updateMany({}, { $set: { n: 1 } });
  const stage = { $changeStream: { startAtOperationTime: before, fullDocument: "updateLookup" } };
  const session = client.startSession({ causalConsistency: false });
  const run = (command: Document) => client.db(database).command(command, { session });
  let { cursor } = await run({ aggregate: "part", pipeline: [stage], cursor: { batchSize: 0 } });
  while (!cursor.nextBatch?.length) {
    cursor = (await run({ getMore: cursor.id, collection: "part", maxTimeMS: 100 })).cursor;
  }
  const ids = idsOf(cursor.nextBatch);
  expect(ids.length).toBeLessThan(4);
  await session.endSession();
  const resumed = collection.watch([], { resumeAfter: cursor.postBatchResumeToken, maxAwaitTimeMS: 50 });
  expect([...ids, ...idsOf(await drain(resumed))]).toEqual([0, 1, 2, 3]);
  await resumed.close();
});

test("an event larger than 16 MB fails the read, after those before it; a later start passes it", async () => {
  await enable("huge");
  const collection = collectionOf("huge");
  const before = await now();
  await collection.insertOne({ _id: 0 as never });
  await collection.insertOne({ _id: 1 as never, filler: Buffer.alloc(9_000_000, 1) });
  await collection.updateOne({ _id: 1 as never }, { $set: { filler: Buffer.alloc(9_000_000, 2) } });
  await collection.insertOne({ _id: 2 as never });
  const stream = collection.watch([], {
    startAtOperationTime: before,
    fullDocument: "updateLookup",
    maxAwaitTimeMS: 50,
  });
  const seen: unknown[] = [];
  let failure: unknown;
  let last: Timestamp | undefined;
  try {
    for (;;) {
      const event = (await stream.next()) as Document;
      seen.push(event.documentKey._id);
      last = event.clusterTime;
    }
  } catch (error) {
    failure = (error as { code?: unknown }).code;
  }
  expect(seen).toEqual([0, 1]);
  expect(failure).toBe(10334);
  const without = await eventsSince(last!, "huge");
  expect(idsOf(without)).toContain(2);
});

test("expired history: resuming fails with 136, a running stream too, and a new one works", async () => {
  await using own = await startDialect();
  const ownClient = await own.connect();
  const run = (command: Document) => ownClient.db("admin").command(command);
  await run({ modifyChangeStreams: 1, database: "", collection: "", enable: true });
  const collection = ownClient.db("expire").collection("c");
  const running = collection.watch([], { maxAwaitTimeMS: 50 });
  await running.tryNext();
  await collection.insertOne({ _id: 1 as never });
  const event = (await running.next()) as Document;
  await run({ _sandbox: 1, expireTokens: true });
  expect(await codeOf(running.next())).toBe(136);
  expect(await codeOf(collection.aggregate([{ $changeStream: { resumeAfter: event._id } }]).toArray())).toBe(
    136,
  );
  expect(
    await codeOf(
      collection.aggregate([{ $changeStream: { startAtOperationTime: event.clusterTime } }]).toArray(),
    ),
  ).toBe(136);
  const fresh = collection.watch([], { maxAwaitTimeMS: 50 });
  await fresh.tryNext();
  await collection.insertOne({ _id: 2 as never });
  expect(((await fresh.next()) as Document).documentKey._id).toBe(2);
  await fresh.close();
});

test("retention in seconds expires what is older", async () => {
  await using own = await startDialect({ retentionSeconds: 1 });
  const ownClient = await own.connect();
  await ownClient.db("admin").command({ modifyChangeStreams: 1, database: "", collection: "", enable: true });
  const collection = ownClient.db("expire").collection("c");
  const stream = collection.watch([], { maxAwaitTimeMS: 50 });
  await stream.tryNext();
  await collection.insertOne({ _id: 1 as never });
  const event = (await stream.next()) as Document;
  await stream.close();
  const resume = () =>
    codeOf(
      collection.aggregate([{ $changeStream: { resumeAfter: event._id } }], { maxTimeMS: 100 }).tryNext(),
    );
  const end = Date.now() + 10_000;
  while ((await resume()) !== 136) {
    if (Date.now() > end) throw new Error("the token didn't expire within 10 s");
    await Bun.sleep(100);
  }
});

test("one event suppressed is never seen, by any stream, and its neighbours are", async () => {
  await enable("suppress");
  const before = await now();
  await admin({ _sandbox: 1, suppressEvent: { ns: `${database}.suppress`, idPattern: "^2$", nth: 2 } });
  const collection = collectionOf("suppress");
  await collection.insertMany([1, 2, 3].map((id) => ({ _id: id as never })));
  await collection.updateOne({ _id: 2 as never }, { $set: { n: 1 } });
  await collection.updateOne({ _id: 2 as never }, { $set: { n: 2 } });
  const seen = async () =>
    (await eventsSince(before, "suppress")).map((event) => `${event.operationType} ${event.documentKey._id}`);
  const expected = ["insert 1", "insert 2", "insert 3", "update 2"];
  expect(await seen()).toEqual(expected);
  expect(await seen()).toEqual(expected);
});

test("scopes, settings and expiry are there after a restart, at the same address", async () => {
  await using own = await startDialect();
  const first = await own.connect();
  await first.db("admin").command({ modifyChangeStreams: 1, database: "a", collection: "", enable: true });
  await first.db("admin").command({ _sandbox: 1, set: { retentionSeconds: 77 } });
  const { port } = own.proxy;
  await first.close(true);
  await own.restart();
  expect(own.proxy.port).toBe(port);
  const second = await own.connect();
  const state = await second.db("admin").command({ _sandbox: 1, get: 1 });
  expect(state.settings.retentionSeconds).toBe(77);
  expect(state.scopes.map(({ database, collection }: Document) => [database, collection])).toEqual([
    ["a", ""],
  ]);
});

test("unknown settings are refused by name", async () => {
  const error = await admin({ _sandbox: 1, set: { retentionMinutes: 1 } }).catch(
    (cause: Error) => cause.message,
  );
  expect(error).toContain("retentionMinutes");
});
