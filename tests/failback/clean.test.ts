import { describe, expect, test } from "bun:test";
import { newestFence } from "../../adapters/state/fences.ts";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import type { ObjectStore } from "../../core/ports.ts";
import { dumpKeys } from "../../services/backup/dump-store.ts";
import { archiveListKey } from "../../services/clean/archive.ts";
import { runClean } from "../../services/clean/run.ts";
import { runMonitorRestore } from "../../services/monitor-restore/run.ts";
import { FailbackWorld } from "../support/failback-world.ts";
import { worldFailbackId } from "../support/service-world.ts";

const limit = 60_000;

/** Through a verdict, as restore leaves things. */
async function verified(verdict: "PROVEN" | "DIFFERS" | "UNKNOWN" = "PROVEN"): Promise<FailbackWorld> {
  const it = await FailbackWorld.start();
  await it.startFailback();
  const application = await it.client("documentdb", "application");
  await application
    .db("shop")
    .collection("orders")
    .insertOne({ _id: 2 as never });
  await it.must("close-mongodb");
  await it.world.enter("draining");
  const { data } = await it.must("drain");
  const reasons = verdict === "PROVEN" ? [] : ["shop.orders: 1 document differs"];
  const taken = { verdict, reasons, takenAt: new Date().toISOString(), fence: data.fence };
  await writeJson(it.world.store, it.world.keys.verdict, taken);
  await it.world.enter("verified");
  // The sentinel has to be in the log before anybody can look behind it.
  await it.must("show-access");
  await sentinelInLog(it);
  return it;
}

async function sentinelInLog(it: FailbackWorld): Promise<void> {
  const fence = (await newestFence(it.world.store, worldFailbackId))!;
  for (let look = 0; look < 400; look++) {
    for await (const { key } of it.world.store.list(it.world.keys.manifests)) {
      const { value } = (await readJson<{ signals: { id: string }[] }>(it.world.store, key))!;
      if (value.signals.some(({ id }) => id === fence.sentinelId)) return;
    }
    await Bun.sleep(10);
  }
  throw new Error("the sentinel never came");
}

const keysBelow = async (store: ObjectStore, prefix: string) => {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
};

const streams = async (it: FailbackWorld) =>
  (await it.client("documentdb"))
    .db("admin")
    .aggregate([{ $listChangeStreams: 1 }])
    .toArray();

describe("clean on the stand-ins", () => {
  test(
    "failback 27: archives, deletes log and token, reopens MongoDB, switches change streams off",
    async () => {
      await using it = await verified();
      const { store, keys } = it.world;
      await it.must("check-clean");
      const log = await keysBelow(store, keys.log);
      expect(log.length).toBeGreaterThan(0);
      await runMonitorRestore(it.world.service, it.databases);
      expect(it.captureError).toBeUndefined();
      await runClean(it.world.service, it.databases);

      expect(await it.world.phase()).toBe("cleaned");
      expect(await keysBelow(store, keys.log)).toEqual([]);
      expect(await store.head(keys.resumeToken)).toBeUndefined();
      for (const key of log) expect(await store.head(key.replace(keys.root, keys.archive))).toBeDefined();
      expect(await streams(it)).toEqual([]);
      const shop = await it.client("mongodb", "shop-service");
      await shop.db("shop").collection("orders").insertOne({ after: "reopening" });
      const application = await it.client("documentdb", "application");
      await expect(application.db("shop").collection("orders").insertOne({})).rejects.toMatchObject({
        code: 13,
      });
    },
    limit,
  );

  for (const verdict of ["DIFFERS", "UNKNOWN"] as const) {
    test(
      `failback 27: clean is refused on ${verdict}, and nothing is touched`,
      async () => {
        await using it = await verified(verdict);
        const before = await keysBelow(it.world.store, it.world.keys.log);
        await it.must("stop-service", { unit: "replication.service" });
        const kind = verdict === "DIFFERS" ? "differs" : "unknown";
        await expect(runClean(it.world.service, it.databases)).rejects.toMatchObject({ kind });
        expect((await it.run("check-clean")).failure).toMatchObject({ kind });
        expect(await keysBelow(it.world.store, it.world.keys.log)).toEqual(before);
        expect(await streams(it)).toHaveLength(1);
      },
      limit,
    );
  }

  test(
    "failback 22: a write of others on MongoDB since the verdict refuses clean, naming it",
    async () => {
      await using it = await verified();
      // The set's own administrator gets past the block.
      const root = await it.client("mongodb");
      await root.db("shop").collection("orders").insertOne({ foreign: true });
      const { failure } = await it.run("check-clean");
      expect(failure?.got).toContain("shop.orders");
      await expect(runMonitorRestore(it.world.service, it.databases)).rejects.toMatchObject({
        kind: "refused",
      });
      expect(await it.world.phase()).toBe("verified");
    },
    limit,
  );

  test(
    "failback 27: killed before any of its requests to the bucket, clean run again ends the same",
    async () => {
      const objects = async (it: FailbackWorld) => {
        const list = (await readJson<{ objects: { key: string }[] }>(
          it.world.store,
          archiveListKey(worldFailbackId),
        ))!;
        return list.value.objects.map(({ key }) => key.replace(/\d{10}/g, "n")).length;
      };
      await using it = await verified();
      await runMonitorRestore(it.world.service, it.databases);
      const { service, store } = it.world;
      const total = (await keysBelow(store, it.world.keys.root)).length;
      let finished = false;
      for (let killAt = 1; !finished; killAt += 3) {
        let requests = 0;
        const dying = new Proxy(store, {
          get(target, name: keyof ObjectStore) {
            const member = target[name] as (...given: unknown[]) => unknown;
            if (!["put", "delete"].includes(name)) return member.bind(target);
            return (...given: unknown[]) => {
              if (++requests === killAt) throw new Error("killed");
              return member.apply(target, given);
            };
          },
        });
        const killed = { ...service, store: dying };
        finished = await runClean(killed, it.databases).then(
          () => true,
          (error: Error) => {
            expect(error.message).toContain("killed");
            return false;
          },
        );
        expect(killAt).toBeLessThan(total * 4);
      }
      expect(await it.world.phase()).toBe("cleaned");
      expect(await objects(it)).toBeGreaterThan(10);
      expect(await keysBelow(store, it.world.keys.log)).toEqual([]);
      expect(await streams(it)).toEqual([]);
    },
    limit,
  );
});

describe("resume on the stand-ins", () => {
  const check = async (it: FailbackWorld) => {
    await it.world.enter("cleaned");
    return it.run("check-resume");
  };

  test(
    "failback 28: DMS resumes while its checkpoint is in MongoDB's oplog, and its user gets its role back",
    async () => {
      await using it = await verified();
      const { result, failure } = await check(it);
      expect(failure).toBeUndefined();
      expect(result.data).toMatchObject({ mode: "resume" });
      await it.must("restore-roles");
      const dms = await it.client("documentdb", "dms");
      await dms.db("shop").collection("orders").insertOne({ by: "dms" });
      const application = await it.client("documentdb", "application");
      await expect(application.db("shop").collection("orders").insertOne({})).rejects.toMatchObject({
        code: 13,
      });
    },
    limit,
  );

  test(
    "failback 28: with the checkpoint gone it reloads, and only with a complete dump of DocumentDB",
    async () => {
      await using it = await verified();
      const { store, keys } = it.world;
      const tasks = [{ id: "shop", checkpoint: { raw: "old", timestamp: { t: 1000, i: 1 } } }];
      await writeJson(store, keys.replicationTasks, { tasks });
      const refused = await check(it);
      expect(refused.failure).toMatchObject({ kind: "refused" });
      expect(refused.failure?.message).toContain("complete dump of DocumentDB");
      const dump = dumpKeys(worldFailbackId, "documentdb", "run");
      await store.put(dump.archive, new Uint8Array(1));
      await writeJson(store, dump.manifest, { side: "documentdb", key: dump.archive, bytes: 1, fence: 1 });
      const { result, failure } = await check(it);
      expect(failure).toBeUndefined();
      expect(result.data).toMatchObject({ mode: "reload" });
    },
    limit,
  );

  test(
    "failback 28: neither resume nor reload without PROVEN, nor while users can write on DocumentDB",
    async () => {
      await using differs = await verified("DIFFERS");
      expect((await check(differs)).failure).toMatchObject({ kind: "differs" });
      await using it = await verified();
      const admin = (await it.client("documentdb")).db("admin");
      await admin.command({ updateUser: "application", roles: [{ role: "readWrite", db: "shop" }] });
      expect((await check(it)).failure?.message).toContain("application can");
    },
    limit,
  );
});

describe("abort on the stand-ins", () => {
  test(
    "failback 26: when nothing was written, roles come back and change streams go off",
    async () => {
      await using it = await FailbackWorld.start();
      await it.startFailback();
      await it.must("abort-cleanup");
      expect(await streams(it)).toEqual([]);
      const dms = await it.client("documentdb", "dms");
      await dms.db("shop").collection("orders").insertOne({ by: "dms" });
      const application = await it.client("documentdb", "application");
      await expect(application.db("shop").collection("orders").insertOne({})).rejects.toMatchObject({
        code: 13,
      });
      const { users } = await (await it.client("documentdb"))
        .db("admin")
        .command({ usersInfo: "application" });
      expect(users[0].roles).toEqual([{ role: "read", db: "shop" }]);
      await it.must("abort-cleanup");
    },
    limit,
  );

  test(
    "failback 26: one write of an application user refuses it, naming the collection, and nothing is undone",
    async () => {
      await using it = await FailbackWorld.start();
      await it.startFailback();
      const application = await it.client("documentdb", "application");
      await application.db("shop").collection("customers").insertOne({ name: "somebody" });
      const { failure } = await it.run("abort-cleanup");
      expect(failure).toMatchObject({ kind: "refused" });
      expect(failure?.got).toContain("shop.customers");
      expect(await streams(it)).toHaveLength(1);
      const dms = await it.client("documentdb", "dms");
      await expect(dms.db("shop").collection("orders").insertOne({})).rejects.toMatchObject({ code: 13 });
    },
    limit,
  );

  test(
    "failback 26: before anybody was let write it needs no capture",
    async () => {
      await using it = await FailbackWorld.start();
      await it.world.enter("capturing");
      await it.must("demote-writers");
      await it.must("abort-cleanup");
      const dms = await it.client("documentdb", "dms");
      await dms.db("shop").collection("orders").insertOne({ by: "dms" });
    },
    limit,
  );
});
