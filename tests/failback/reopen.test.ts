import { expect, test } from "bun:test";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import type { Fence } from "../../core/failback/documents.ts";
import { dumpKeys } from "../../services/backup/dump-store.ts";
import { runMonitorReplication } from "../../services/monitor-replication/run.ts";
import { FailbackWorld } from "../support/failback-world.ts";
import { eventsOf } from "../support/log-content.ts";
import { worldFailbackId } from "../support/service-world.ts";

/** The actions of failback-reopen, in its order (runbooks/runbooks.test.ts holds the order). */
async function reopen(it: FailbackWorld): Promise<void> {
  for (const unit of ["monitor-replication.service", "restore.service"])
    await it.must("stop-service", { unit });
  await it.must("start-service", { unit: "replication.service" });
  await it.must("canary");
  await it.world.enter("capturing");
  await it.must("grant-writers", { "allow-remove": "true" });
}

async function readyForRestore(it: FailbackWorld): Promise<void> {
  const keys = dumpKeys(worldFailbackId, "mongodb", "run");
  await it.world.store.put(keys.archive, new Uint8Array(1));
  await writeJson(it.world.store, keys.manifest, {
    version: 1,
    side: "mongodb",
    key: keys.archive,
    bytes: 1,
  });
}

test("failback 26: reopened while restoring, the users write again on the same log, and the fence before counts no more", async () => {
  await using it = await FailbackWorld.start();
  await it.startFailback();
  const application = await it.client("documentdb", "application", { retryWrites: false });
  const orders = application.db("shop").collection("orders");
  await orders.insertOne({ _id: "before" as never });
  await it.must("close-mongodb");
  await it.world.enter("draining");
  await it.must("drain");
  await readyForRestore(it);
  await runMonitorReplication(it.world.service, it.databases);
  expect(await it.world.phase()).toBe("restoring");
  await expect(orders.insertOne({ _id: "refused" as never })).rejects.toMatchObject({ code: 13 });

  await reopen(it);
  await orders.insertOne({ _id: "after" as never });
  await orders.deleteOne({ _id: "before" as never });
  // MongoDB stays closed: what restore has applied there stays as it is.
  const shop = await it.client("mongodb", "shop-service");
  await expect(shop.db("shop").collection("orders").insertOne({})).rejects.toThrow(/blocked/i);

  await it.world.enter("draining");
  await it.must("drain");
  await runMonitorReplication(it.world.service, it.databases);
  expect(it.world.service.status.current.detail).toMatchObject({ fence: 2, brokenFences: 0, drained: true });
  const fences = await Promise.all(
    [1, 2].map(
      async (number) => (await readJson<Fence>(it.world.store, it.world.keys.fence(number)))?.value.number,
    ),
  );
  expect(fences).toEqual([1, 2]);
  const events = await eventsOf(it.world.store, worldFailbackId);
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
  const inScope = events.filter(({ kind }) => kind === "scope");
  expect(inScope).toHaveLength(3);
}, 60_000);

test("failback 26: without capture at work nobody gets a write right back", async () => {
  await using it = await FailbackWorld.start();
  await it.startFailback();
  await it.world.enter("draining");
  await it.must("drain");
  await it.must("stop-service", { unit: "replication.service" });
  await it.world.enter("capturing");
  const { failure } = await it.run("grant-writers");
  expect(failure).toMatchObject({ kind: "refused" });
  const application = await it.client("documentdb", "application", { retryWrites: false });
  await expect(application.db("shop").collection("orders").insertOne({})).rejects.toMatchObject({ code: 13 });
}, 60_000);
