/** Restore, comparison and verdict against the stand-ins: invariants.md 14–20 and 22–23, each by its number. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { Binary, BSON, Decimal128, Double, Int32, Long, MaxKey, ObjectId, Timestamp } from "bson";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import { readTailLedger } from "../../adapters/state/tail-ledger.ts";
import type { MongodbIdentity } from "../../core/failback/documents.ts";
import { identityKey } from "../../core/failback/layout.ts";
import { type Order, RestoreWorld, type Scenario } from "../support/restore-world.ts";

setDefaultTimeout(60_000);

let world: RestoreWorld;
beforeAll(async () => {
  world = await RestoreWorld.start();
}, 60_000);
afterAll(() => world?.[Symbol.asyncDispose]());

const seeded = Array.from({ length: 20 }, (_, n) => ({ _id: n, sku: `s${n}`, value: 0 }));

/** A failback with one change captured, drained and ready for restore. */
async function drained(change?: (scenario: Scenario) => Promise<unknown>): Promise<Scenario> {
  const scenario = await world.scenario();
  await scenario.seed(seeded);
  await scenario.capture();
  await scenario.orders("documentdb").updateOne({ _id: 1 }, { $set: { value: 1 } });
  await change?.(scenario);
  await scenario.drain();
  return scenario;
}

async function expectProven(scenario: Scenario): Promise<void> {
  const { error, verdict } = await scenario.restore();
  expect(error).toBeUndefined();
  expect(verdict).toMatchObject({ verdict: "PROVEN", reasons: [] });
  expect(await scenario.phase()).toBe("verified");
}

test("failback 14: another replica set, or one older than recorded, is refused before anything is written", async () => {
  await using scenario = await drained();
  const identity = (await readJson<MongodbIdentity>(scenario.store, identityKey))!.value;
  const later = { t: identity.lastOplog.t + 1_000_000, i: 1 };
  for (const wrong of [{ replicaSetId: "another" }, { lastOplog: later }]) {
    await writeJson(scenario.store, identityKey, { ...identity, ...wrong });
    const { error } = await scenario.restore();
    expect(error?.kind).toBe("refused");
    expect(error?.wayOut).toContain("reseed");
  }
  expect(await scenario.orders("mongodb").findOne({ _id: 1 })).toMatchObject({ value: 0 });
  await writeJson(scenario.store, identityKey, identity);
  await expectProven(scenario);
});

test("failback 14: a checkpoint of DMS that the oplog no longer holds is refused", async () => {
  await using scenario = await drained();
  const checkpoint = { raw: "old", timestamp: { t: 1, i: 1 } };
  await writeJson(scenario.store, scenario.keys.replicationTasks, { tasks: [{ id: "task", checkpoint }] });
  const { error } = await scenario.restore();
  expect(error?.kind).toBe("refused");
  expect(error?.message).toContain("DMS task task");
});

test("failback 15: MongoDB not closed to writers, or open again, is refused", async () => {
  await using scenario = await drained();
  const closing = (await readJson<object>(scenario.store, scenario.keys.closing))!.value;
  for (const record of [
    { ...closing, blockTime: undefined },
    { ...closing, reopenedAt: "now" },
  ]) {
    await writeJson(scenario.store, scenario.keys.closing, record);
    const { error } = await scenario.restore();
    expect(error?.kind).toBe("refused");
    expect(error?.expected).toContain("closed to writers");
  }
  expect(await scenario.orders("mongodb").findOne({ _id: 1 })).toMatchObject({ value: 0 });
});

test("failback 15: a member that was started anew and deletes by TTL again is told so before the apply", async () => {
  await using scenario = await drained();
  const admin = world.mongodb.db("admin");
  const isTtlOn = async () =>
    (await admin.command({ getParameter: 1, ttlMonitorEnabled: 1 })).ttlMonitorEnabled as boolean;
  await admin.command({ setParameter: 1, ttlMonitorEnabled: true });
  await expectProven(scenario);
  expect(await isTtlOn()).toBe(false);
});

test("failback 16: without a complete dump of MongoDB nothing is applied", async () => {
  await using scenario = await drained();
  for await (const { key } of scenario.store.list(scenario.keys.dump("mongodb"))) {
    if (key.endsWith("manifest.json")) await scenario.store.delete([key]);
  }
  const { error } = await scenario.restore();
  expect(error?.kind).toBe("refused");
  expect(error?.expected).toContain("dump of MongoDB");
  expect(await scenario.orders("mongodb").findOne({ _id: 1 })).toMatchObject({ value: 0 });
});

/** Writes MongoDB took behind DMS's checkpoint: the seed ends with it. */
async function withTail(policy: "documentdb" | "mongodb" | "stop"): Promise<Scenario> {
  const scenario = await world.scenario({ settings: { conflictPolicy: policy } });
  await scenario.seed(seeded);
  const own = scenario.orders("mongodb");
  await own.insertOne({ _id: "tail", sku: "tail" });
  await own.deleteOne({ _id: 19 });
  await own.updateOne({ _id: 5 }, { $set: { value: "own" } });
  await own.updateOne({ _id: 6 }, { $set: { value: "own" } });
  await scenario.capture();
  await scenario.orders("documentdb").updateOne({ _id: 5 }, { $set: { value: "theirs" } });
  await scenario.drain();
  return scenario;
}

test("failback 17: what MongoDB took and DMS never carried is in the ledger with both images, and explains differences", async () => {
  await using scenario = await withTail("documentdb");
  await expectProven(scenario);
  const { verdict } = await scenario.restore();
  expect(verdict).toMatchObject({ tail: 4, conflicts: 1 });
  expect(verdict?.collections[0]).toMatchObject({
    collection: "orders",
    tail: 3,
    conflicts: 0,
    differing: 0,
  });
  expect(await scenario.orders("mongodb").findOne({ _id: 5 })).toMatchObject({ value: "theirs" });
  expect(await scenario.orders("mongodb").findOne({ _id: "tail" })).not.toBeNull();
  const ledger = await readTailLedger(scenario.store, scenario.scope.failbackId);
  expect(ledger?.header.entries).toBe(4);
  const object = await scenario.store.get(ledger!.header.objects[0]!.key);
  const text = new TextDecoder().decode(object?.body);
  expect(text).toContain("own");
  expect(text).toContain("theirs");
});

test("failback 17: in the tail and in the log: with policy mongodb MongoDB's document stays and is a conflict", async () => {
  await using scenario = await withTail("mongodb");
  await expectProven(scenario);
  expect(await scenario.orders("mongodb").findOne({ _id: 5 })).toMatchObject({ value: "own" });
  const { verdict } = await scenario.restore();
  expect(verdict?.collections[0]).toMatchObject({ tail: 3, conflicts: 1, differing: 0 });
});

test("failback 17: in the tail and in the log: with policy stop nothing of it is decided", async () => {
  await using scenario = await withTail("stop");
  const { error } = await scenario.restore();
  expect(error?.kind).toBe("refused");
  expect(error?.message).toContain("conflictPolicy");
  expect(await scenario.orders("mongodb").findOne({ _id: 5 })).toMatchObject({ value: "own" });
});

test("failback 18: every BSON type, field order, numeric field names and 15 MB arrive byte for byte", async () => {
  await using scenario = await drained(async ({ documentdb }) => {
    const target = documentdb.collection("orders");
    const kinds = {
      double: new Double(1),
      minusZero: new Double(-0),
      long: Long.fromString("9007199254740993"),
      int: new Int32(1),
      decimal: Decimal128.fromString("1.00"),
      date: new Date(-1),
      id: new ObjectId(),
      binary: new Binary(Buffer.from([1, 2]), 0x80),
      timestamp: new Timestamp({ t: 4_000_000_000, i: 7 }),
      pattern: /a.b/i,
      max: new MaxKey(),
      nested: { b: [{ z: 1, a: null }], a: { "": 1 } },
    };
    await target.insertOne({ _id: "kinds", ...kinds } as never);
    await target.insertOne(
      new Map<string, unknown>([
        ["_id", "order"],
        ["2", "two"],
        ["1", "one"],
        ["a", 0],
      ]) as never,
    );
    await target.insertOne({ _id: "large", text: "x".repeat(15 * 1024 * 1024) } as never);
    for (const id of [
      new Double(1.5),
      Long.fromNumber(7e9),
      { b: new Int32(1), a: 2 },
      Decimal128.fromString("2.50"),
    ]) {
      await target.insertOne({ _id: id as never });
    }
    await target.deleteOne({ sku: "s2" });
    await target.insertOne({ _id: new Double(2), sku: "typed" } as never);
  });
  await expectProven(scenario);
}, 60_000);

test("failback 9, 18: a document so near 16 MB that its event is beyond it arrives all the same", async () => {
  const room = 16 * 1024 * 1024 - BSON.serialize({ _id: "large", text: "" }).length;
  await using scenario = await drained(({ documentdb }) =>
    documentdb.collection("orders").insertOne({ _id: "large" as never, text: "x".repeat(room) }),
  );
  await expectProven(scenario);
  const { verdict } = await scenario.restore();
  expect(verdict?.notes?.join("\n")).toContain("1 documents copied from DocumentDB");
});

test("failback 18: applied twice, or from the start again, the result is the same", async () => {
  await using scenario = await drained(async ({ documentdb }) => {
    const orders = documentdb.collection<Order>("orders");
    await orders.deleteOne({ _id: 3 });
    await orders.insertOne({ _id: 3, sku: "s3-new" });
    await orders.updateMany({}, { $set: { serial: 1 } });
  });
  await scenario.restore(scenario.store, AbortSignal.abort(new Error("stop at once")));
  await expectProven(scenario);
  const before = await scenario.orders("mongodb").find().toArray();
  await scenario.store.delete([scenario.keys.restoreCheckpoint]);
  await scenario.rewind("restoring");
  await expectProven(scenario);
  expect(await scenario.orders("mongodb").find().toArray()).toEqual(before);
});

test("failback 19: documents that swap unique values arrive, whatever the order they are looked up in", async () => {
  await using scenario = await drained(async ({ documentdb }) => {
    const orders = documentdb.collection<Order>("orders");
    for (let round = 0; round < 5; round++) {
      await orders.updateOne({ _id: 1 }, { $set: { sku: "passing" } });
      await orders.updateOne({ _id: 2 }, { $set: { sku: "s1" } });
      await orders.updateOne({ _id: 3 }, { $set: { sku: "s2" } });
      await orders.updateOne({ _id: 1 }, { $set: { sku: "s3" } });
      await orders.updateOne({ _id: 3 }, { $set: { sku: "x" } });
      await orders.updateOne({ _id: 2 }, { $set: { sku: "s2" } });
      await orders.updateOne({ _id: 1 }, { $set: { sku: "s1" } });
      await orders.updateOne({ _id: 3 }, { $set: { sku: "s3" } });
    }
    await orders.updateOne({ _id: 1 }, { $set: { sku: "passing" } });
    await orders.updateOne({ _id: 2 }, { $set: { sku: "s1" } });
    await orders.updateOne({ _id: 1 }, { $set: { sku: "s2" } });
  });
  await expectProven(scenario);
  expect(await scenario.orders("mongodb").findOne({ _id: 1 })).toMatchObject({ sku: "s2" });
});

test("failback 19: a collision with a document of the tail goes by policy; one with anything else stays open", async () => {
  const scenario = await world.scenario();
  await using _ = scenario;
  await scenario.seed(seeded);
  await scenario.orders("mongodb").insertOne({ _id: "own", sku: "wanted" });
  await scenario.capture();
  await scenario.orders("documentdb").insertOne({ _id: "theirs", sku: "wanted" });
  await scenario.drain();
  await expectProven(scenario);
  expect(await scenario.orders("mongodb").findOne({ sku: "wanted" })).toMatchObject({ _id: "theirs" });

  await using open = await world.scenario();
  await open.seed(seeded);
  await open.mongodb.collection("orders").createIndex({ serial: 1 }, { unique: true, sparse: true });
  await open.capture();
  await open.orders("documentdb").insertMany([
    { _id: "a", serial: 1 },
    { _id: "b", serial: 1 },
  ]);
  await open.drain();
  const { error, verdict } = await open.restore();
  expect(error?.kind).toBe("differs");
  expect(verdict?.reasons.join("\n")).toContain("conflict not settled");
  expect(verdict?.reasons.join("\n")).toContain("serial");
  // A person mends what is in the way: here the index that DocumentDB does not have.
  await open.mongodb.collection("orders").dropIndex("serial_1");
  const again = await open.restore();
  expect(again.verdict?.collections[0]?.differing).toBe(0);
  expect(again.verdict?.reasons.join("\n")).not.toContain("conflict");
  expect(await open.orders("mongodb").countDocuments({ serial: 1 })).toBe(2);
});

test("failback 17: under another policy the log is applied from its beginning, and the new policy holds", async () => {
  await using scenario = await withTail("stop");
  expect((await scenario.restore()).error?.kind).toBe("refused");
  const under = (conflictPolicy: "documentdb" | "mongodb") => scenario.withSettings({ conflictPolicy });
  await expectProven(under("mongodb"));
  expect(await scenario.orders("mongodb").findOne({ _id: 5 })).toMatchObject({ value: "own" });
  await scenario.rewind("restoring");
  await expectProven(under("documentdb"));
  expect(await scenario.orders("mongodb").findOne({ _id: 5 })).toMatchObject({ value: "theirs" });
});

test("failback 20: a replayed drop brings indexes and validators back with the re-creation", async () => {
  await using scenario = await world.scenario();
  // DocumentDB knows no validators: an older difference between the two, and no hindrance.
  await scenario.seed(seeded, (mongodb) =>
    mongodb.command({ collMod: "orders", validator: { value: { $exists: true } } }),
  );
  await scenario.capture();
  await scenario.documentdb.collection("orders").drop();
  await scenario.documentdb.collection("orders").createIndex({ sku: 1 }, { unique: true, sparse: true });
  await scenario.orders("documentdb").insertOne({ _id: 1, sku: "after" });
  await scenario.drain();
  await expectProven(scenario);
  expect(await scenario.orders("mongodb").countDocuments()).toBe(1);
  const indexes = await scenario.orders("mongodb").listIndexes().toArray();
  expect(indexes.map(({ name }) => name)).toContain("sku_1");
  const [info] = await scenario.mongodb.listCollections({ name: "orders" }, { nameOnly: false }).toArray();
  expect(info?.options).toMatchObject({ validator: { value: { $exists: true } } });
});

test("failback 20: an index made on DocumentDB during the failback is named, and PROVEN only once accepted", async () => {
  await using scenario = await drained(({ documentdb }) =>
    documentdb.collection("orders").createIndex({ value: 1 }),
  );
  const { error, verdict } = await scenario.restore();
  expect(error?.kind).toBe("differs");
  const [difference] = verdict!.catalog;
  expect(difference?.what).toContain('orders index {"value":1}');
  expect(difference?.what).toContain("changed on DocumentDB during the failback");
  await writeJson(scenario.store, scenario.keys.accepted, {
    version: 1,
    accepted: [{ what: difference?.what, reason: "not needed on MongoDB", by: "test", at: "now" }],
  });
  await expectProven(scenario);
});
