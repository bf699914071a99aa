import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Document, Long, MongoClient } from "mongodb";
import { codeOf, startDialect, type TestDialect } from "./testing/start.ts";

let dialect: TestDialect;
let client: MongoClient;
const admin = (command: Document) => client.db("admin").command(command);

beforeAll(async () => {
  dialect = await startDialect();
  client = await dialect.connect();
});
afterAll(async () => {
  await dialect[Symbol.asyncDispose]();
});

describe("what the server says it is", () => {
  test("hello names one host, the proxy, in a set rs0, and no cluster time is gossiped", async () => {
    const hello = await admin({ hello: 1 });
    const address = `127.0.0.1:${dialect.proxy.port}`;
    expect([hello.setName, hello.hosts, hello.me, hello.primary]).toEqual([
      "rs0",
      [address],
      address,
      address,
    ]);
    expect(hello.maxWireVersion).toBe(13);
    expect(hello.operationTime).toBeDefined();
    expect(hello.topologyVersion).toBeUndefined();
    for (const reply of [hello, await admin({ ping: 1 }), await client.db("t").command({ find: "x" })]) {
      expect(reply.$clusterTime).toBeUndefined();
    }
  });

  test("it calls itself 5.0.0, in buildInfo and getEngineVersion", async () => {
    expect(await admin({ buildInfo: 1 })).toMatchObject({ version: "5.0.0", versionArray: [5, 0, 0, 0] });
    expect(await admin({ getEngineVersion: 1 })).toMatchObject({ engineVersion: "5.0.0" });
  });

  test("as 4.0.0 its wire version is 7, and the driver still connects", async () => {
    await using old = await startDialect({}, "4.0.0");
    const oldClient = await old.connect();
    expect((await oldClient.db("admin").command({ hello: 1 })).maxWireVersion).toBe(7);
    await oldClient.db("t").collection("x").insertOne({ a: 1 });
    expect(await oldClient.db("t").collection("x").countDocuments()).toBe(1);
  });
});

describe("what it refuses", () => {
  test("retryable writes fail with 301, transactions' own numbers don't", async () => {
    const retrying = await MongoClient.connect(
      dialect.proxy.uri.replace("retryWrites=false", "retryWrites=true"),
    );
    try {
      expect(await codeOf(retrying.db("t").collection("retry").insertOne({ a: 1 }))).toBe(301);
    } finally {
      await retrying.close();
    }
  });

  test("causal consistency fails with 303", async () => {
    const session = client.startSession({ causalConsistency: true });
    const collection = client.db("t").collection("causal");
    await collection.insertOne({ a: 1 }, { session });
    expect(await codeOf(collection.findOne({}, { session }))).toBe(303);
    await session.endSession();
  });

  test("commands it doesn't have fail with 303 and name the feature", async () => {
    const refused: Document[] = [
      { getParameter: "*" },
      { fsync: 1 },
      { dbHash: 1 },
      { applyOps: [] },
      { replSetGetStatus: 1 },
      { setUserWriteBlockMode: 1, global: true },
      { bulkWrite: 1, ops: [] },
      { mapReduce: "x" },
    ];
    for (const command of refused) {
      const error = await admin(command).then(
        () => undefined,
        (cause: Error & { code: number }) => cause,
      );
      expect(error?.code).toBe(303);
      expect(error?.message).toBe(`Feature not supported: ${Object.keys(command)[0]}`);
    }
  });

  test("capped collections, validators, views and time series can't be created", async () => {
    const db = client.db("t");
    expect(await codeOf(db.createCollection("c", { capped: true, size: 4096 }))).toBe(303);
    expect(await codeOf(db.createCollection("c", { validator: { a: 1 } }))).toBe(303);
    expect(await codeOf(db.createCollection("c", { viewOn: "x", pipeline: [] }))).toBe(303);
    expect(await codeOf(db.createCollection("c", { timeseries: { timeField: "t" } }))).toBe(303);
    expect(await codeOf(db.command({ collMod: "c", validator: {} }))).toBe(303);
  });

  test("noCursorTimeout, tailable cursors, collations, $where, $jsonSchema and $type with an array are refused", async () => {
    const collection = client.db("t").collection("x");
    expect(await codeOf(collection.find({}, { noCursorTimeout: true }).toArray())).toBe(303);
    expect(await codeOf(collection.find({}, { tailable: true }).toArray())).toBe(303);
    expect(await codeOf(collection.find({}, { collation: { locale: "en" } }).toArray())).toBe(303);
    expect(await codeOf(collection.find({ $where: "true" }).toArray())).toBe(303);
    expect(await codeOf(collection.find({ $jsonSchema: {} }).toArray())).toBe(303);
    expect(await codeOf(collection.find({ $or: [{ a: { $type: ["string"] } }] }).toArray())).toBe(303);
  });

  test("stages of 8.0 and those never there fail with 304", async () => {
    const collection = client.db("t").collection("x");
    expect(await codeOf(collection.aggregate([{ $facet: { a: [] } }]).toArray())).toBe(304);
    expect(await codeOf(collection.aggregate([{ $merge: "y" }]).toArray())).toBe(304);
    expect(await codeOf(collection.aggregate([{ $collStats: {} }]).toArray())).toBe(304);
  });

  test("there are no local, config, admin or system collections to read or write", async () => {
    expect(await codeOf(client.db("local").collection("oplog.rs").findOne())).toBe(13);
    expect(await codeOf(client.db("admin").collection("system.users").findOne())).toBe(13);
    expect(await codeOf(client.db("t").collection("system.profile").find().toArray())).toBe(13);
    expect(await codeOf(client.db("config").collection("x").insertOne({}))).toBe(13);
  });

  test("hashed and wildcard indexes and index collations are refused", async () => {
    const collection = client.db("t").collection("x");
    expect(await codeOf(collection.createIndex({ a: "hashed" }))).toBe(303);
    expect(await codeOf(collection.createIndex({ "$**": 1 }))).toBe(303);
    expect(await codeOf(collection.createIndex({ a: 1 }, { collation: { locale: "en" } }))).toBe(303);
  });
});

describe("catalogs", () => {
  test("indexes are of version 4 and name their collection; specifications written that way are taken back", async () => {
    const collection = client.db("catalog").collection("c");
    await collection.insertOne({ _id: 1 as never, a: 1 });
    await client.db("catalog").command({
      createIndexes: "c",
      indexes: [{ v: 4, key: { a: 1 }, name: "a_1", ns: "catalog.c", unique: true }],
    });
    const indexes = await collection.indexes();
    expect(indexes).toContainEqual({ v: 4, key: { _id: 1 }, name: "_id_", ns: "catalog.c" });
    expect(indexes).toContainEqual({ v: 4, key: { a: 1 }, name: "a_1", unique: true, ns: "catalog.c" });
  });

  test("collections carry DocumentDB's options, and creating one with them works", async () => {
    const db = client.db("catalog");
    await db.command({ create: "made", capped: false, autoIndexId: true, storageEngine: { documentDB: {} } });
    const [listed] = await db.listCollections({ name: "made" }).toArray();
    expect(listed).toMatchObject({
      options: { capped: false, autoIndexId: true },
      info: { readOnly: false },
    });
    expect((listed as { options: Document }).options.storageEngine).toBeDefined();
  });

  test("admin, local and config are not listed", async () => {
    await client.db("catalog").collection("c").findOne();
    const { databases } = await client.db().admin().listDatabases();
    const names = databases.map(({ name }) => name);
    expect(names).toContain("catalog");
    for (const hidden of ["admin", "local", "config"]) expect(names).not.toContain(hidden);
    expect(await client.db("local").listCollections().toArray()).toEqual([]);
  });
});

describe("users", () => {
  test("a user made through any database lives in admin, and a role without db means that database", async () => {
    await client.db("shop").command({ createUser: "clerk", pwd: "a clerk's password", roles: ["read"] });
    const { users } = await client.db("shop").command({ usersInfo: "clerk" });
    expect(users).toHaveLength(1);
    expect(users[0]).toMatchObject({ db: "admin", roles: [{ role: "read", db: "shop" }] });
    const clerk = await dialect.connect({ auth: { username: "clerk", password: "a clerk's password" } });
    expect(await clerk.db("shop").collection("x").findOne()).toBeNull();
    expect(await codeOf(clerk.db("shop").collection("x").insertOne({}))).toBe(13);
    expect(await codeOf(clerk.db("admin").command({ _sandbox: 1, get: 1 }))).toBe(13);
    expect(
      await codeOf(
        clerk.db("admin").command({ modifyChangeStreams: 1, database: "", collection: "", enable: true }),
      ),
    ).toBe(13);
  });

  test("a custom role grants DocumentDB's own actions beside the database's, until it is dropped", async () => {
    const everywhere = { db: "", collection: "" };
    await admin({
      createRole: "streamer",
      privileges: [
        { resource: everywhere, actions: ["find", "modifyChangeStreams"] },
        { resource: { cluster: true }, actions: ["listChangeStreams"] },
      ],
      roles: [],
    });
    await admin({ createUser: "streaming", pwd: "streaming password", roles: ["streamer"] });
    const streaming = await dialect.connect({
      auth: { username: "streaming", password: "streaming password" },
    });
    const enable = { modifyChangeStreams: 1, database: "own", collection: "", enable: true };
    const list = { aggregate: 1, pipeline: [{ $listChangeStreams: 1 }], cursor: {} };
    expect(await codeOf(streaming.db("admin").command(enable))).toBeUndefined();
    expect(await codeOf(streaming.db("admin").command(list))).toBeUndefined();
    expect(await streaming.db("own").collection("x").findOne()).toBeNull();
    await admin({ updateRole: "streamer", privileges: [{ resource: everywhere, actions: ["find"] }] });
    expect(await codeOf(streaming.db("admin").command(enable))).toBe(13);
    expect(await codeOf(streaming.db("admin").command(list))).toBe(13);
  });

  test("the primary user and serviceadmin can't be dropped", async () => {
    expect(await codeOf(admin({ dropUser: "root" }))).toBe(13);
    expect(await codeOf(admin({ dropUser: "serviceadmin" }))).toBe(13);
  });
});

test("documents pass through byte for byte, at any size", async () => {
  const collection = client.db("t").collection("large");
  const large = { _id: 1 as never, filler: Buffer.alloc(15_900_000, 7), count: Long.fromNumber(3) };
  await collection.insertOne(large);
  const [raw] = await collection.find({}, { raw: true }).toArray();
  expect((raw as unknown as Buffer).length).toBeGreaterThan(15_900_000);
  expect(await collection.countDocuments({ count: 3 })).toBe(1);
});
