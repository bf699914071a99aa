/** kill -9 under load: what was acknowledged is there afterwards, at the same addresses. */
import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MongoClient } from "mongodb";
import { startDatabase } from "./testing.ts";

interface Counted {
  _id: string;
  n: number;
}

/** Writes until the server is gone; gives what was acknowledged. */
async function writeUntilGone(
  uri: string,
  worker: number,
  minimum: number,
  enough: () => void,
): Promise<Map<string, number>> {
  const acknowledged = new Map<string, number>();
  const client = new MongoClient(uri, {
    retryWrites: false,
    serverSelectionTimeoutMS: 300,
    socketTimeoutMS: 2000,
  });
  const items = client.db("load").collection<Counted>("items");
  try {
    for (let n = 0; ; n++) {
      const id = `${worker}-${n}`;
      await items.insertMany([
        { _id: id, n },
        { _id: `${id}b`, n },
      ]);
      acknowledged.set(id, n).set(`${id}b`, n);
      if (n % 3 === 0) {
        await items.updateOne({ _id: id }, { $inc: { n: 1000 } });
        acknowledged.set(id, n + 1000);
      }
      if (acknowledged.size === minimum * 2) enough();
    }
  } catch {
    return acknowledged;
  } finally {
    await client.close();
  }
}

describe("kill -9", () => {
  test("loses no acknowledged write, keeps addresses, set identity, users, indexes and the change stream's past", async () => {
    const directory = mkdtempSync(join(tmpdir(), "crash-"));
    try {
      for (let round = 0; round < 3; round++) {
        let before: { ports: number[]; identity: string; token: unknown };
        const acknowledged = new Map<string, number>();
        {
          await using database = await startDatabase({ directory });
          const client = new MongoClient(database.uri);
          const admin = client.db("admin");
          await client.db("load").collection("items").drop();
          await client.db("load").collection("items").createIndex({ n: 1 });
          const stream = client.db("load").watch();
          await stream.tryNext();
          const config = await admin.command({ replSetGetConfig: 1 });
          before = {
            ports: database.ports,
            identity: config.config.settings.replicaSetId.toHexString(),
            token: stream.resumeToken,
          };
          await client.close();
          const { promise, resolve } = Promise.withResolvers<void>();
          const workers = [0, 1, 2, 3].map((worker) => writeUntilGone(database.uri, worker, 150, resolve));
          await promise;
          await database.kill();
          for (const written of await Promise.all(workers))
            for (const [id, n] of written) acknowledged.set(id, n);
        }
        await using again = await startDatabase({ directory });
        expect(again.ports).toEqual(before.ports);
        const client = new MongoClient(again.uri);
        const items = client.db("load").collection<Counted>("items");
        const found = new Map((await items.find().toArray()).map(({ _id, n }) => [_id, n]));
        for (const [id, n] of acknowledged) expect([id, found.get(id)]).toEqual([id, n]);
        expect((await items.indexes()).map(({ name }) => name)).toEqual(["_id_", "n_1"]);
        const config = await client.db("admin").command({ replSetGetConfig: 1 });
        expect(config.config.settings.replicaSetId.toHexString()).toBe(before.identity);
        const inserted = new Set<string>();
        const stream = client
          .db("load")
          .watch([{ $match: { operationType: "insert" } }], { resumeAfter: before.token });
        while (inserted.size < found.size)
          inserted.add(((await stream.next()) as unknown as { documentKey: Counted }).documentKey._id);
        expect([...inserted].sort()).toEqual([...found.keys()].sort());
        await client.close();
      }
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }, 60_000);

  test("a retried write sent again after the restart isn't applied twice", async () => {
    const directory = mkdtempSync(join(tmpdir(), "crash-"));
    try {
      const lsid = crypto.randomUUID().replaceAll("-", "");
      const increment = async (uri: string): Promise<number> => {
        const client = new MongoClient(uri);
        try {
          const { Binary, Long } = await import("mongodb");
          const session = client.startSession();
          const id = session.id as unknown as { id: unknown };
          id.id = new Binary(Buffer.from(lsid, "hex"), 4);
          const command = {
            update: "counters",
            updates: [{ q: { _id: 1 }, u: { $inc: { n: 1 } }, upsert: true }],
            txnNumber: Long.fromNumber(5),
          };
          const reply = await client.db("load").command(command, { session });
          return reply.n as number;
        } finally {
          await client.close();
        }
      };
      {
        await using database = await startDatabase({ directory });
        expect(await increment(database.uri)).toBe(1);
        await database.kill();
      }
      await using again = await startDatabase({ directory });
      expect(await increment(again.uri)).toBe(1);
      const client = new MongoClient(again.uri);
      expect(
        await client.db("load").collection<{ _id: number; n: number }>("counters").findOne({ _id: 1 }),
      ).toEqual({ _id: 1, n: 1 });
      await client.close();
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }, 30_000);

  test("SIGTERM ends it with code 0, and a closed standard input ends it too", async () => {
    await using database = await startDatabase();
    expect(await database.stop()).toBe(0);
    await using orphaned = await startDatabase();
    expect(await orphaned.orphan()).toBe(0);
  });
});
