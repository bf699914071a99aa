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

const admin = (command: Document) => bench.admin(command);
const enable = (collection: string, on = true) => bench.enable(collection, on);
const collectionOf = (name: string) => bench.collection(name);
const now = () => bench.now();
const eventsSince = (time: Timestamp, collection?: string, options: ChangeStreamOptions = {}) =>
  bench.eventsSince(time, collection, options);

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
  expect(rows).toContainEqual({ database: bench.database, collection: "one" });
  expect(rows).toContainEqual({ database: bench.database, collection: "" });
  await enable("one", false);
  await enable("", false);
  const left = await client
    .db("admin")
    .aggregate([{ $listChangeStreams: 1 }])
    .toArray();
  expect(left.filter((row) => row.database === bench.database)).toEqual([]);
});

test("a cluster-wide stream shows enabled scopes only; dropping and making again stays covered by a wider scope", async () => {
  const before = await now();
  await enable("", true);
  await collectionOf("kept").insertOne({ _id: 1 as never });
  await client
    .db(`${bench.database}other`)
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
  await client.db(bench.database).createCollection("made");
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
  const stream = client
    .db(bench.database)
    .watch(pipeline, { startAtOperationTime: before, maxAwaitTimeMS: 50 });
  const events = await drain(stream);
  await stream.close();
  expect(idsOf(events)).toEqual([1]);
  expect(Object.keys(events[0]!).sort()).toEqual(["_id", "documentKey"]);
});

test("one event suppressed is never seen, by any stream, and its neighbours are", async () => {
  await enable("suppress");
  const before = await now();
  await admin({ _sandbox: 1, suppressEvent: { ns: `${bench.database}.suppress`, idPattern: "^2$", nth: 2 } });
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
