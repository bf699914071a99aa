import { describe, expect, test } from "bun:test";
import { MongoClient } from "mongodb";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import type { MongodbClosing } from "../../core/failback/documents.ts";
import { FailbackWorld } from "../support/failback-world.ts";
import { worldFailbackId } from "../support/service-world.ts";

const limit = 60_000;

const closing = async (it: FailbackWorld) =>
  (await readJson<MongodbClosing>(it.world.store, it.world.keys.closing))?.value;

/** ttlMonitorEnabled of every member, asked one by one. */
async function ttlOf(it: FailbackWorld): Promise<boolean[]> {
  const { hosts } = await (await it.client("mongodb")).db("admin").command({ hello: 1 });
  const states: boolean[] = [];
  for (const host of hosts as string[]) {
    const uri = it.mongodbUri.replace(/@[^/]*\/\?replicaSet=[^&]*/, `@${host}/?directConnection=true`);
    const member = await new MongoClient(uri).connect();
    try {
      const reply = await member.db("admin").command({ getParameter: 1, ttlMonitorEnabled: 1 });
      states.push(reply.ttlMonitorEnabled);
    } finally {
      await member.close();
    }
  }
  return states;
}

async function proven(it: FailbackWorld): Promise<void> {
  const verdict = { verdict: "PROVEN", reasons: [], takenAt: new Date().toISOString(), fence: 1 };
  await writeJson(it.world.store, it.world.keys.verdict, verdict);
  await it.world.enter("verified");
}

const leftovers = async (it: FailbackWorld) => {
  const client = await it.client("mongodb");
  const { users } = await client.db("admin").command({ usersInfo: 1 });
  const collections = await client.db("roundtrip_control").listCollections().toArray();
  return { users: users.map(({ user }: { user: string }) => user).sort(), collections: collections.length };
};

describe("closing and reopening MongoDB on the stand-ins", () => {
  for (const [version, method, refusal] of [
    ["7.0.14", "user-write-block", 371],
    ["5.0.29", "roles", 13],
  ] as const) {
    test(
      `failback 15 and 25: MongoDB ${version} is closed by ${method}, proved, and reopened after PROVEN`,
      async () => {
        await using it = await FailbackWorld.start({ mongodbVersion: version });
        await it.world.enter("restoring");
        const service = await it.client("mongodb", "shop-service", { retryWrites: false });
        const orders = service.db("shop").collection("orders");
        await orders.insertOne({ before: "closing" });
        const before = await leftovers(it);

        const { data } = await it.must("close-mongodb");
        expect(data.method).toBe(method);
        await expect(orders.insertOne({})).rejects.toMatchObject({ code: refusal });
        expect(await ttlOf(it)).toEqual([false, false, false]);
        const own = await it.client("mongodb", "roundtrip", { retryWrites: false });
        await own.db("shop").collection("orders").insertOne({ applied: "by restore" });
        expect(await leftovers(it)).toEqual(before);

        expect((await it.run("reopen-mongodb")).failure).toMatchObject({ kind: "refused" });
        await proven(it);
        await it.must("reopen-mongodb");
        await orders.insertOne({ after: "reopening" });
        expect(await ttlOf(it)).toEqual([true, true, true]);
        expect((await closing(it))?.reopenedAt).toBeString();
        expect(await leftovers(it)).toEqual(before);
        await it.must("reopen-mongodb");
      },
      limit,
    );
  }

  test(
    "failback 15: closing again proves again and keeps the first block time, which the tail ends at",
    async () => {
      await using it = await FailbackWorld.start();
      await it.world.enter("restoring");
      const first = await it.must("close-mongodb");
      const own = await it.client("mongodb", "roundtrip");
      await own.db("shop").collection("orders").insertOne({ applied: "by restore" });
      const second = await it.must("close-mongodb");
      expect(second.data.blockTime).toEqual(first.data.blockTime);
    },
    limit,
  );

  test(
    "failback 15: a run killed before the proof leaves no block time; the next one closes and proves",
    async () => {
      await using it = await FailbackWorld.start();
      await it.world.enter("restoring");
      const ttl = [{ member: "gone:1", enabled: true }];
      const begun = { version: 1, failbackId: worldFailbackId, method: "user-write-block", ttl };
      await writeJson(it.world.store, it.world.keys.closing, begun);
      const admin = (await it.client("mongodb")).db("admin");
      await admin.command({
        createUser: `roundtrip_probe_${worldFailbackId}`,
        pwd: "left behind",
        roles: [],
      });
      await it.must("close-mongodb");
      expect(await closing(it)).toMatchObject({ ttl, blockTime: { t: expect.any(Number) } });
    },
    limit,
  );

  test(
    "failback 25: who may write where is shown at any time, also while MongoDB is away",
    async () => {
      await using it = await FailbackWorld.start();
      await it.startFailback();
      const open = await it.must("show-access");
      expect(JSON.stringify(open.data.documentdb)).toContain("application");
      expect(open.data.mongodb).toContain("shop-service");
      await it.must("close-mongodb");
      expect((await it.must("show-access")).data.mongodb).toContain("shop-service (blocked)");
    },
    limit,
  );
});
