import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  ModifyReplicationTaskCommand,
  ReloadTablesCommand,
} from "@aws-sdk/client-database-migration-service";
import {
  Binary,
  type Collection,
  Decimal128,
  type Document,
  Double,
  Int32,
  Long,
  MongoClient,
  ObjectId,
  Timestamp,
} from "mongodb";
import {
  startDatabase,
  startDialect,
  type TestDatabase,
  type TestDialect,
} from "../../documentdb/testing/start.ts";
import { startTestAws, type TestAws } from "../test-server.ts";
import { mappingsOf, setUpDms, type TestDms, until } from "./testing/setup.ts";

setDefaultTimeout(40_000);

let aws: TestAws;
let sourceDatabase: TestDatabase;
let dialect: TestDialect;
let source: MongoClient;
let target: MongoClient;
let dms: TestDms;
let sourceDirectory: string;
let schema = "";
let scenario = 0;

beforeAll(async () => {
  sourceDirectory = mkdtempSync(join(tmpdir(), "dms-source-"));
  [aws, sourceDatabase, dialect] = await Promise.all([
    startTestAws(),
    startDatabase(sourceDirectory),
    startDialect(),
  ]);
  await aws.control("POST", "dms", { settleMs: 20, lagMs: 0, sourceLostMs: 600 });
  source = await MongoClient.connect(sourceDatabase.uri);
  target = await dialect.connect();
  dms = await setUpDms(sourceDatabase.uri, dialect.proxy.uri);
});
afterAll(async () => {
  await source?.close(true);
  await aws?.[Symbol.asyncDispose]();
  await dialect?.[Symbol.asyncDispose]();
  await sourceDatabase?.[Symbol.asyncDispose]();
  rmSync(sourceDirectory, { recursive: true, force: true });
});
beforeEach(() => {
  schema = `shop${++scenario}`;
});

/** All documents of a collection as bytes, by the bytes of their `_id` first. */
async function bytesOf(collection: Collection): Promise<string[]> {
  const documents = (await collection.find({}, { raw: true }).toArray()) as unknown as Buffer[];
  return documents.map((document) => Buffer.from(document).toString("hex")).sort();
}

async function same(table: string): Promise<boolean> {
  const [left, right] = await Promise.all(
    [source, target].map((client) => bytesOf(client.db(schema).collection(table))),
  );
  return JSON.stringify(left) === JSON.stringify(right);
}

const everyType: Document = {
  _id: new ObjectId(),
  double: new Double(1),
  int: new Int32(1),
  long: Long.fromNumber(1),
  decimal: Decimal128.fromString("1.00"),
  timestamp: new Timestamp({ t: 1, i: 2 }),
  date: new Date(-1),
  binary: new Binary(new Uint8Array([1, 2]), 0x80),
  regex: /a"b/i,
  null: null,
  nested: { 1: "one", 0: ["zero", { deep: [[]] }] },
  empty: {},
};

test("a full load copies every type byte for byte, then changes follow", async () => {
  const from = source.db(schema).collection("orders");
  await from.insertMany([
    everyType,
    ...Array.from({ length: 2500 }, (_, index) => ({ _id: index as never, n: index })),
  ]);
  await from.createIndex({ n: 1 });
  const arn = await dms.createTask(`load-${schema}`, mappingsOf({ schema, table: "orders" }));
  await dms.start(arn);
  await dms.status(arn, "running");
  await until(
    "all rows are loaded",
    async () => (await dms.table(arn, schema, "orders"))?.TableState === "Table completed",
  );
  expect((await dms.table(arn, schema, "orders"))!.FullLoadRows).toBe(2501);
  expect(await same("orders")).toBe(true);
  expect(await target.db(schema).collection("orders").indexes()).toHaveLength(1);

  await from.insertOne({
    _id: 9000 as never,
    list: Array.from({ length: 50 }, (_, index) => `element ${index}`),
    gone: 1,
  });
  await from.updateOne({ _id: 9000 as never }, { $set: { "list.1": "two" }, $unset: { gone: 1 } });
  await from.updateOne({ _id: 9000 as never }, [{ $set: { list: { $slice: ["$list", 40] }, cut: true } }]);
  await from.replaceOne({ _id: 1 as never }, { replaced: true });
  await from.deleteOne({ _id: 2 as never });
  await from.updateMany({ n: { $gte: 2400 } }, { $inc: { n: 1 } });
  await until("the changes arrived", () => same("orders"));
  await until("they are counted", async () => (await dms.table(arn, schema, "orders"))!.AppliedDeletes === 1);
  expect((await dms.task(arn)).RecoveryCheckpoint).toMatch(/^checkpoint:V1#1#\d{10}:\d+#/);
  await dms.stop(arn);
});

test("updates apply their delta: fields only the target has stay untouched", async () => {
  const from = source.db(schema).collection("orders");
  await from.insertOne({ _id: 1 as never, a: 1, b: 1 });
  const arn = await dms.createTask(`delta-${schema}`, mappingsOf({ schema, table: "orders" }));
  await dms.start(arn);
  await until("it is loaded", () => same("orders"));
  await target
    .db(schema)
    .collection("orders")
    .updateOne({ _id: 1 as never }, { $set: { damaged: true, b: 7 } });
  await from.updateOne({ _id: 1 as never }, { $set: { a: 2 } });
  const there = () =>
    target
      .db(schema)
      .collection("orders")
      .findOne({ _id: 1 as never });
  await until("the update arrived", async () => (await there())?.a === 2);
  expect(await there()).toEqual({ _id: 1 as never, a: 2, b: 7, damaged: true });
  await dms.stop(arn);
});

test("wildcards pick up collections new at the source, explicit rules leave siblings alone", async () => {
  await source
    .db(schema)
    .collection("a_b")
    .insertOne({ _id: 1 as never });
  await source
    .db(schema)
    .collection("aXb")
    .insertOne({ _id: 1 as never });
  const explicit = await dms.createTask(`explicit-${schema}`, mappingsOf({ schema, table: "a_b" }));
  await dms.start(explicit);
  await until("it is loaded", () => same("a_b"));
  expect(await target.db(schema).collection("aXb").countDocuments()).toBe(0);
  await dms.stop(explicit);
  const wild = await dms.createTask(
    `wild-${schema}`,
    mappingsOf({ action: "include", schema, table: "new%" }),
  );
  await dms.start(wild);
  await dms.status(wild, "running");
  await until("it has a checkpoint", async () => (await dms.task(wild)).RecoveryCheckpoint !== undefined);
  await source
    .db(schema)
    .collection("newest")
    .insertOne({ _id: 5 as never });
  await until("the new collection arrived", () => same("newest"));
  await dms.stop(wild);
});

test("with DO_NOTHING documents already there stay, with DROP_AND_CREATE they go", async () => {
  const from = source.db(schema).collection("orders");
  const to = target.db(schema).collection("orders");
  await from.insertOne({ _id: 1 as never, from: "source" });
  await to.insertMany([{ _id: 1 as never, from: "target" }, { _id: 2 as never }]);
  const rule = mappingsOf({ schema, table: "orders" });
  const keep = await dms.createTask(`keep-${schema}`, rule, {
    settings: { FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING" } },
  });
  await dms.start(keep);
  await until(
    "it is loaded",
    async () => (await dms.table(keep, schema, "orders"))?.TableState === "Table completed",
  );
  expect(await to.find().sort({ _id: 1 }).toArray()).toEqual([
    { _id: 1 as never, from: "target" },
    { _id: 2 as never },
  ]);
  await dms.stop(keep);
  const drop = await dms.createTask(`drop-${schema}`, rule);
  await dms.start(drop);
  await until("it is loaded", () => same("orders"));
  await dms.stop(drop);
});

test("stopped and resumed it goes on where it was; a lag holds changes back, and stopping drops none", async () => {
  const from = source.db(schema).collection("orders");
  await from.insertOne({ _id: 0 as never });
  const id = `lag-${schema}`;
  const arn = await dms.createTask(id, mappingsOf({ schema, table: "orders" }));
  await dms.start(arn);
  await until("it is loaded", () => same("orders"));
  await aws.control("POST", "dms", { taskId: id, lagMs: 60_000 });
  await from.insertMany(Array.from({ length: 100 }, (_, index) => ({ _id: (index + 1) as never })));
  await until("they are read", async () => (await dms.table(arn, schema, "orders"))?.Inserts === 100);
  expect(await target.db(schema).collection("orders").countDocuments()).toBe(1);
  await dms.stop(arn);
  expect((await dms.task(arn)).StopReason).toBe("Stop Reason NORMAL");
  await aws.control("POST", "dms", { taskId: id, lagMs: 0 });
  await dms.start(arn, "resume-processing");
  await until("the rest arrived", () => same("orders"));
  await until(
    "it is counted once",
    async () => (await dms.table(arn, schema, "orders"))!.AppliedInserts === 100,
  );
  expect((await dms.table(arn, schema, "orders"))!.Inserts).toBe(100);
  await dms.stop(arn);
});

test("a table new in the mappings is not loaded by resuming; ReloadTables loads it", async () => {
  await source
    .db(schema)
    .collection("old")
    .insertOne({ _id: 1 as never });
  await source
    .db(schema)
    .collection("added")
    .insertMany([{ _id: 1 as never }, { _id: 2 as never }]);
  const arn = await dms.createTask(`added-${schema}`, mappingsOf({ schema, table: "old" }));
  await dms.start(arn);
  await until("it is loaded", () => same("old"));
  await dms.stop(arn);
  const mappings = mappingsOf({ schema, table: "old" }, { schema, table: "added" });
  await dms.client.send(
    new ModifyReplicationTaskCommand({ ReplicationTaskArn: arn, TableMappings: mappings }),
  );
  await dms.status(arn, "stopped");
  await dms.start(arn, "resume-processing");
  await until(
    "the table is listed",
    async () => (await dms.table(arn, schema, "added"))?.TableState === "Before load",
  );
  expect(await target.db(schema).collection("added").countDocuments()).toBe(0);
  const reload = { ReplicationTaskArn: arn, TablesToReload: [{ SchemaName: schema, TableName: "added" }] };
  await dms.client.send(new ReloadTablesCommand(reload));
  await until(
    "it is loaded",
    async () => (await dms.table(arn, schema, "added"))?.TableState === "Table completed",
  );
  expect((await dms.table(arn, schema, "added"))!.FullLoadRows).toBe(2);
  expect(await same("added")).toBe(true);
  await dms.stop(arn);
});

test("a full load without change capture ends by itself, and can't be resumed", async () => {
  await source
    .db(schema)
    .collection("orders")
    .insertOne({ _id: 1 as never });
  const arn = await dms.createTask(`once-${schema}`, mappingsOf({ schema, table: "orders" }), {
    type: "full-load",
  });
  await dms.start(arn);
  await dms.status(arn, "stopped");
  expect((await dms.task(arn)).StopReason).toBe("Stop Reason FULL_LOAD_ONLY_FINISHED");
  expect(await same("orders")).toBe(true);
  expect(await dms.start(arn, "resume-processing").catch((error: Error) => error.name)).toBe(
    "InvalidParameterCombinationException",
  );
});

test("it goes on after the stand-in was started again, without losing or repeating a change", async () => {
  const from = source.db(schema).collection("counters");
  await from.insertOne({ _id: 1 as never, n: 0 });
  const arn = await dms.createTask(`restart-${schema}`, mappingsOf({ schema, table: "counters" }));
  await dms.start(arn);
  await until("it is loaded", () => same("counters"));
  const writing = (async () => {
    for (let index = 0; index < 50; index++)
      await from.updateOne({ _id: 1 as never }, { $inc: { n: 1 }, $push: { seen: index } as never });
  })();
  await aws.restart();
  await writing;
  expect((await dms.task(arn)).Status).toBe("running");
  await until("all changes arrived", () => same("counters"));
  await dms.stop(arn);
});

test("without its source a task runs on with errors, then fails as recoverable; with the source back it resumes", async () => {
  const from = source.db(schema).collection("orders");
  await from.insertOne({ _id: 1 as never });
  const arn = await dms.createTask(`lost-${schema}`, mappingsOf({ schema, table: "orders" }));
  await dms.start(arn);
  await until("it is loaded", () => same("orders"));
  await source.close(true);
  await sourceDatabase[Symbol.asyncDispose]();
  await dms.status(arn, "failed");
  expect((await dms.task(arn)).StopReason).toBe("Stop Reason RECOVERABLE_ERROR");
  sourceDatabase = await startDatabase(sourceDirectory);
  source = await MongoClient.connect(sourceDatabase.uri);
  await source
    .db(schema)
    .collection("orders")
    .insertOne({ _id: 2 as never });
  await dms.start(arn, "resume-processing");
  await until("the change arrived", () => same("orders"));
  await dms.stop(arn);
});
