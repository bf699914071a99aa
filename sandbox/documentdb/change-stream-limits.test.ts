import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import type { ChangeStreamOptions, Document, MongoClient, Timestamp } from "mongodb";
import { codeOf, startDialect, type TestDialect } from "./testing/start.ts";
import { drain, idsOf, StreamBench } from "./testing/streams.ts";

setDefaultTimeout(30_000);

let dialect: TestDialect;
let client: MongoClient;
let bench: StreamBench;
let scenario = 0;

beforeAll(async () => {
  dialect = await startDialect();
  client = await dialect.connect();
});
afterAll(async () => {
  await dialect[Symbol.asyncDispose]();
});
beforeEach(() => {
  bench = new StreamBench(client, `streams${++scenario}`);
});

const enable = (collection: string, on = true) => bench.enable(collection, on);
const collectionOf = (name: string) => bench.collection(name);
const now = () => bench.now();
const eventsSince = (time: Timestamp, collection?: string, options: ChangeStreamOptions = {}) =>
  bench.eventsSince(time, collection, options);

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
  const run = (command: Document) => client.db(bench.database).command(command, { session });
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
