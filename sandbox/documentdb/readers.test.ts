import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Document, MongoClient } from "mongodb";
import { DialectProxy } from "./proxy.ts";
import { codeOf, startDatabase } from "./testing/start.ts";

setDefaultTimeout(40_000);

async function withReaders(
  engineVersion: string,
  run: (client: MongoClient, proxy: DialectProxy) => Promise<void>,
): Promise<void> {
  await using database = await startDatabase(undefined, ["--members", "3"]);
  const directory = mkdtempSync(join(tmpdir(), "documentdb-readers-"));
  const settings = { lookupDelayMs: 0, staleAuthorizationMs: 0, multiWriteCommitDelayMs: 0 };
  const proxy = await DialectProxy.start({
    upstream: database.uri,
    directory,
    port: 0,
    engineVersion,
    readers: 2,
    settings,
  });
  const client = await MongoClient.connect(proxy.uri, { readPreference: "secondary" });
  try {
    await run(client, proxy);
  } finally {
    await client.close(true);
    await proxy.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

const readerHello = (client: MongoClient) =>
  client.db("admin").command({ hello: 1 }, { readPreference: "secondary" });

test("readers are secondaries of the same set: they read, stream, and take no writes", async () => {
  await withReaders("5.0.0", async (client, proxy) => {
    const hello = await readerHello(client);
    expect(hello).toMatchObject({
      setName: "rs0",
      secondary: true,
      isWritablePrimary: false,
      primary: `127.0.0.1:${proxy.port}`,
    });
    expect(hello.hosts).toHaveLength(3);
    expect(hello.me).not.toBe(hello.primary);
    await client
      .db("admin")
      .command(
        { modifyChangeStreams: 1, database: "", collection: "", enable: true },
        { readPreference: "primary" },
      );
    const orders = client.db("shop").collection("orders");
    const stream = orders.watch([], { maxAwaitTimeMS: 100 });
    await stream.tryNext();
    await orders.insertOne({ _id: 1 as never });
    expect(((await stream.next()) as Document).documentKey).toEqual({ _id: 1 });
    await stream.close();
    for (const end = Date.now() + 10_000; (await orders.findOne({ _id: 1 as never })) === null; ) {
      if (Date.now() > end) throw new Error("the reader didn't get the document within 10 s");
    }
    const direct = await MongoClient.connect(
      proxy.uri.replace(/127\.0\.0\.1:\d+/, hello.me).replace("replicaSet=rs0", "directConnection=true"),
    );
    expect(await codeOf(direct.db("shop").collection("orders").insertOne({}))).toBe(10107);
    await direct.close();
  });
});

test("before 5.0 a reader has no change streams", async () => {
  await withReaders("4.0.0", async (client) => {
    const stage = { $changeStream: {} };
    const options = { readPreference: "secondary" as const };
    expect(await codeOf(client.db("shop").collection("x").aggregate([stage], options).toArray())).toBe(303);
  });
});
