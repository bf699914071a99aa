/** applyOps as MongoDB's own tests have it (jstests/core/apply_ops2.js): mongorestore --oplogReplay lives on it. */
import { expect, test } from "bun:test";
import { MongoClient } from "mongodb";
import { startDatabase } from "./testing.ts";

test("applyOps: an update of a document that isn't there inserts it, unless alwaysUpsert is false", async () => {
  await using server = await startDatabase();
  const client = new MongoClient(server.uri);
  try {
    const collection = client.db("shop").collection<{ _id: number; x: string }>("things");
    await collection.insertOne({ _id: 1, x: "init" });
    const update = (_id: number, x: string) => ({
      op: "u",
      ns: "shop.things",
      o2: { _id },
      o: { $v: 2, diff: { u: { x } } },
    });
    const applyOps = (ops: object[], more = {}) => client.db("admin").command({ applyOps: ops, ...more });
    await applyOps([update(1, "there"), update(2, "not there")]);
    await applyOps([update(3, "not there")], { alwaysUpsert: true });
    await expect(applyOps([update(4, "not there")], { alwaysUpsert: false })).rejects.toThrow(
      "Failed to apply update",
    );
    expect(await collection.find().sort({ _id: 1 }).toArray()).toEqual([
      { _id: 1, x: "there" },
      { _id: 2, x: "not there" },
      { _id: 3, x: "not there" },
    ]);
  } finally {
    await client.close();
  }
}, 20_000);
