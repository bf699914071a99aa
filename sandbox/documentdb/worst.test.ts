import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Document, MongoClient } from "mongodb";
import { DialectProxy } from "./proxy.ts";
import { codeOf, startDatabase, startDialect } from "./testing/start.ts";

setDefaultTimeout(40_000);

test("a session opened before a demotion keeps its rights for a while, one opened after doesn't", async () => {
  await using dialect = await startDialect({ staleAuthorizationMs: 800 });
  const root = await dialect.connect();
  const admin = root.db("admin");
  await admin.command({
    createUser: "app",
    pwd: "app's password",
    roles: [{ role: "readWrite", db: "shop" }],
  });
  const auth = { username: "app", password: "app's password" };
  const before = await dialect.connect({ auth, maxPoolSize: 1 });
  await before.db("shop").collection("orders").insertOne({ when: "before" });
  const demoted = Date.now();
  await admin.command({ updateUser: "app", roles: [{ role: "read", db: "shop" }] });
  const after = await dialect.connect({ auth, maxPoolSize: 1 });
  expect(await codeOf(after.db("shop").collection("orders").insertOne({ when: "after" }))).toBe(13);
  let still = 0;
  while ((await codeOf(before.db("shop").collection("orders").insertOne({ when: "still" }))) === undefined) {
    still++;
    if (Date.now() - demoted > 10_000) throw new Error("the old session kept its rights for ever");
    await Bun.sleep(20);
  }
  expect(still).toBeGreaterThan(0);
  expect(Date.now() - demoted).toBeGreaterThanOrEqual(700);
});

test("an update of many documents commits after a single write issued meanwhile", async () => {
  await using dialect = await startDialect({ multiWriteCommitDelayMs: 600 });
  const client = await dialect.connect();
  await client.db("admin").command({ modifyChangeStreams: 1, database: "", collection: "", enable: true });
  const orders = client.db("shop").collection("orders");
  await orders.insertMany([{ _id: 1 as never }, { _id: 2 as never }]);
  const stream = client.watch();
  const first = stream.next();
  await Bun.sleep(50);
  const many = orders.updateMany({}, { $set: { done: true } });
  await Bun.sleep(100);
  await client
    .db("control")
    .collection("signals")
    .insertOne({ _id: "sentinel" as never });
  const seen = [((await first) as Document).documentKey._id];
  await many;
  for (let index = 0; index < 2; index++) seen.push(((await stream.next()) as Document).documentKey._id);
  expect(seen).toEqual(["sentinel", 1, 2]);
  await stream.close();
});

test("what is set through the database's own command stays set", async () => {
  await using dialect = await startDialect();
  const client = await dialect.connect();
  await client.db("admin").command({ _sandbox: "set", staleAuthorizationMs: 123 });
  const { settings } = await client.db("admin").command({ _sandbox: 1, get: 1 });
  expect(settings.staleAuthorizationMs).toBe(123);
});

test("when the primary behind it changes, clients are cut, find the new one, and a resumed stream misses nothing", async () => {
  await using database = await startDatabase(undefined, ["--members", "3"]);
  const directory = mkdtempSync(join(tmpdir(), "documentdb-failover-"));
  const settings = { lookupDelayMs: 0, staleAuthorizationMs: 0, multiWriteCommitDelayMs: 0 };
  const proxy = await DialectProxy.start({
    upstream: database.uri,
    directory,
    port: 0,
    engineVersion: "5.0.0",
    settings,
  });
  const client = await MongoClient.connect(proxy.uri, { heartbeatFrequencyMS: 500, retryReads: true });
  try {
    await client.db("admin").command({ modifyChangeStreams: 1, database: "", collection: "", enable: true });
    const orders = client.db("shop").collection("orders");
    const stream = client.watch();
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const event of stream) {
        const id = (event as Document).documentKey?._id;
        seen.push(id);
        if (id === "last") return;
      }
    })();
    await Bun.sleep(50);
    const acknowledged: unknown[] = [];
    const insert = async (id: string) => {
      for (const end = Date.now() + 20_000; ; ) {
        const failure = await orders.insertOne({ _id: id as never }).then(
          () => undefined,
          (error: { code?: unknown }) => error,
        );
        // Already there: an insert whose acknowledgement was lost.
        if (failure === undefined || failure.code === 11000) return void acknowledged.push(id);
        if (Date.now() > end) throw failure;
        await Bun.sleep(50);
      }
    };
    for (let index = 0; index < 10; index++) await insert(`before ${index}`);
    const direct = await MongoClient.connect(database.uri);
    const primary = async () => (await direct.db("admin").command({ hello: 1 })).primary as string;
    const old = await primary();
    await direct
      .db("admin")
      .command({ _sandbox: "member", action: "stepDown", seconds: 2 })
      .catch(() => undefined);
    for (let index = 0; index < 10; index++) await insert(`after ${index}`);
    await insert("last");
    await reading;
    expect(seen).toEqual(acknowledged);
    expect(await primary()).not.toBe(old);
    await direct.close(true);
    await stream.close();
  } finally {
    await client.close(true);
    await proxy.stop();
    rmSync(directory, { recursive: true, force: true });
  }
});
