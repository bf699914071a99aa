import { describe, expect, test } from "bun:test";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import type { Fence } from "../../core/failback/documents.ts";
import { dumpKeys } from "../../services/backup/dump-store.ts";
import { runMonitorReplication } from "../../services/monitor-replication/run.ts";
import { FailbackWorld } from "../support/failback-world.ts";
import { up, worldFailbackId } from "../support/service-world.ts";
import { waitFor } from "../support/wait-for.ts";

const limit = 60_000;

async function draining(options: { staleAuthorizationMs?: number } = {}): Promise<FailbackWorld> {
  const it = await FailbackWorld.start(options);
  await it.startFailback();
  await it.world.enter("draining");
  return it;
}

const fence = async (it: FailbackWorld, number: number) =>
  (await readJson<Fence>(it.world.store, it.world.keys.fence(number)))?.value;

/** What else has to be there before restore may start. */
async function readyForRestore(it: FailbackWorld): Promise<void> {
  const { store } = it.world;
  const keys = dumpKeys(worldFailbackId, "mongodb", "run");
  await store.put(keys.archive, new Uint8Array(1));
  await writeJson(store, keys.manifest, { version: 1, side: "mongodb", key: keys.archive, bytes: 1 });
  await it.must("close-mongodb");
}

describe("drain on the stand-ins", () => {
  test(
    "failback 12: sessions that keep their rights for a while go on writing, and all of it lies before the fence",
    async () => {
      await using it = await draining({ staleAuthorizationMs: 1500 });
      const application = await it.client("documentdb", "application", {
        maxPoolSize: 1,
        retryWrites: false,
      });
      const orders = application.db("shop").collection("orders");
      let written = 0;
      let refused = false;
      const writing = (async () => {
        while (!refused) {
          await orders.insertOne({ n: written }).then(
            () => written++,
            (error: { code?: number }) => {
              expect(error.code).toBe(13);
              refused = true;
            },
          );
          await Bun.sleep(5);
        }
      })();
      await readyForRestore(it);
      const { data } = await it.must("drain");
      await writing;
      expect(written).toBeGreaterThan(20);
      const raised = (await fence(it, 1))!;
      expect(raised.sentinelId).toBe(String(data.sentinelId));
      const ofApplication = raised.refusals.find(({ user }) => user === "application")!;
      expect(ofApplication.afterMs).toBeGreaterThanOrEqual(1200);

      await runMonitorReplication(it.world.service, it.databases);
      expect(await it.world.phase()).toBe("restoring");
      const detail = it.world.service.status.current.detail!;
      expect(detail).toMatchObject({ fence: 1, drained: true, brokenFences: 0 });
      expect(Number(detail.decidedAfterMs)).toBeLessThan(5000);
      const inScope = await (await it.client("documentdb"))
        .db("shop")
        .collection("orders")
        .countDocuments({ n: { $gte: 0 } });
      expect(inScope).toBe(written);
    },
    limit,
  );

  test(
    "failback 12: a write of many documents that was under way is waited for, then the sentinel is written",
    async () => {
      await using it = await draining();
      const root = await it.client("documentdb");
      const orders = root.db("shop").collection("orders");
      await orders.insertMany(Array.from({ length: 50 }, (_, n) => ({ n })));
      await root.db("admin").command({ _sandbox: "set", multiWriteCommitDelayMs: 1500 });
      const application = await it.client("documentdb", "application", { retryWrites: false });
      const updating = application
        .db("shop")
        .collection("orders")
        .updateMany({ n: { $gte: 0 } }, { $set: { late: true } });
      await Bun.sleep(200);
      const { data } = await it.must("drain");
      const { modifiedCount } = await updating;
      expect(modifiedCount).toBe(50);
      expect(Number(data.waitedMs)).toBeGreaterThan(200);
      await readyForRestore(it);
      await runMonitorReplication(it.world.service, it.databases);
      expect(it.world.service.status.current.detail).toMatchObject({ fence: 1, brokenFences: 0 });
    },
    limit,
  );

  test(
    "failback 12: an open transaction of an application user is waited for",
    async () => {
      await using it = await draining();
      const application = await it.client("documentdb", "application", { retryWrites: false });
      const session = application.startSession({ causalConsistency: false });
      session.startTransaction();
      await application.db("shop").collection("orders").insertOne({ in: "transaction" }, { session });
      const drain = it.run("drain");
      const first = await Promise.race([drain, Bun.sleep(1500).then(() => "waiting")]);
      expect(first).toBe("waiting");
      expect(await fence(it, 1)).toBeUndefined();
      await session.abortTransaction();
      await session.endSession();
      expect((await drain).failure).toBeUndefined();
    },
    limit,
  );

  test(
    "failback 12: a write behind the sentinel breaks the fence; demoted, proved and fenced again",
    async () => {
      await using it = await draining();
      await it.must("drain");
      // Somebody with a right of his own that no list knows of by then: the log shows it, whoever it was.
      const root = await it.client("documentdb");
      await root.db("shop").collection("orders").insertOne({ behind: "the fence" });
      await readyForRestore(it);
      await runMonitorReplication(it.world.service, it.databases);
      expect(it.world.service.status.current.detail).toMatchObject({
        fence: 2,
        brokenFences: 1,
        drained: true,
      });
      expect((await fence(it, 2))?.refusals.map(({ user }) => user)).toContain("application");
    },
    limit,
  );

  test(
    "failback 12: drain decided less than two seconds after the fence was written",
    async () => {
      await using it = await draining();
      it.world.units.states.set("backup.service", { ...up, active: "activating", sub: "start" });
      const monitor = runMonitorReplication(it.world.service, it.databases);
      await it.must("drain");
      await waitFor("the decision", () => it.world.service.status.current.detail?.drained === true);
      expect(Number(it.world.service.status.current.detail?.decidedAfterMs)).toBeLessThan(2000);
      await readyForRestore(it);
      await monitor;
    },
    limit,
  );

  test(
    "drain run again keeps its fence; after reopen users write again and the next drain raises another",
    async () => {
      await using it = await draining();
      await it.must("drain");
      expect((await it.must("drain")).data).toMatchObject({ fence: 1, reused: true });
      await it.world.enter("capturing");
      await it.must("canary");
      await it.must("grant-writers", { "allow-remove": "true" });
      const application = await it.client("documentdb", "application");
      await application.db("shop").collection("orders").insertOne({ after: "reopen" });
      await it.world.enter("draining");
      expect((await it.must("drain")).data).toMatchObject({ fence: 2, reused: false });
      await expect(application.db("shop").collection("orders").insertOne({})).rejects.toMatchObject({
        code: 13,
      });
    },
    limit,
  );

  test(
    "failback 13: what must hold before users lose their writes is checked one by one",
    async () => {
      await using it = await draining();
      expect((await it.must("check-restore")).checks.map(({ name, ok }) => [name, ok])).toEqual([
        ["MongoDB answers", true],
        ["identity of MongoDB", true],
        ["MongoDB is not older than recorded", true],
        ["checkpoint of DMS task shop in the oplog", true],
        ["privileges of Roundtrip's user on MongoDB", true],
        ["disk of the host", true],
        ["capture runs", true],
        ["capture is alive", true],
        ["no gap in the log", true],
      ]);
      const admin = (await it.client("mongodb")).db("admin");
      await admin.command({
        updateUser: "roundtrip",
        roles: [
          { role: "readAnyDatabase", db: "admin" },
          { role: "clusterMonitor", db: "admin" },
          { role: "read", db: "local" },
        ],
      });
      const { failure } = await it.run("check-restore");
      expect(failure?.got).toContain("setUserWriteBlockMode");
      expect(failure?.got).toContain("insert on shop");
    },
    limit,
  );

  test(
    "failback 14: another MongoDB under the same name is refused, and reseed is offered",
    async () => {
      await using it = await draining();
      await using other = await FailbackWorld.start();
      await other.world.enter("normal");
      await other.must("record-identity", { databases: "shop" });
      const { value } = (await readJson<object>(other.world.store, "identity/mongodb.json"))!;
      await writeJson(it.world.store, "identity/mongodb.json", value);
      const { failure } = await it.run("check-restore");
      expect(failure).toMatchObject({ kind: "refused" });
      expect(failure?.wayOut).toContain("reseed");
    },
    limit,
  );
});
