import { describe, expect, test } from "bun:test";
import { addFence } from "../../adapters/state/fences.ts";
import { writeJson } from "../../adapters/state/json.ts";
import type { Verdict } from "../../core/failback/documents.ts";
import { FakeServer } from "../../tests/support/fake-server.ts";
import { LogBuilder } from "../../tests/support/log-builder.ts";
import { ServiceWorld, up, worldFailbackId } from "../../tests/support/service-world.ts";
import type { Databases } from "../access/databases.ts";
import { runMonitorRestore } from "./run.ts";

const at = "2026-11-21T00:00:00.000Z";

async function setUp(verdict: Verdict["verdict"], reasons: string[] = []) {
  const world = new ServiceWorld();
  const { store, keys } = world;
  await world.enter("verified");
  world.units.states.set("replication.service", up);
  const server = new FakeServer({
    clock: world.service.clock,
    databases: ["shop"],
    users: { application: [{ role: "read", db: "shop" }], operator: [{ role: "root", db: "admin" }] },
  });
  // MongoDB counts as reopened: its oplog is another test's matter.
  const databases = { open: async () => ({ access: server }) } as unknown as Databases;
  await writeJson(store, keys.closing, {
    version: 1,
    method: "user-write-block",
    ttl: [],
    closedAt: at,
    reopenedAt: at,
  });
  await writeJson(store, keys.verdict, {
    verdict,
    reasons,
    takenAt: at,
    fence: 1,
    failbackId: worldFailbackId,
  });
  const fence = { version: 1, failbackId: worldFailbackId, number: 1, sentinelId: "sentinel-1" } as const;
  await addFence(store, { ...fence, writtenAt: at, refusals: [] });
  const log = new LogBuilder(store, worldFailbackId);
  await log.commit({ kind: "scope" }, { kind: "control", signal: "sentinel-1" });
  const run = () => runMonitorRestore(world.service, databases);
  return { world, log, server, run, [Symbol.dispose]: () => world[Symbol.dispose]() };
}

describe("monitor-restore", () => {
  test("after PROVEN it stops capture and starts clean and monitor-clean", async () => {
    using it = await setUp("PROVEN");
    await it.run();
    expect(it.world.units.calls).toEqual([
      "stop replication.service",
      "start monitor-clean.service",
      "start clean.service",
    ]);
  });

  test("run again after a kill, with capture stopped by itself, it goes on", async () => {
    using it = await setUp("PROVEN");
    await it.run();
    await it.run();
    expect(it.world.units.calls.filter((call) => call === "start clean.service")).toHaveLength(2);
  });

  test("capture stopped by somebody else before the last look refuses: a write since would not show", async () => {
    using it = await setUp("PROVEN");
    it.world.units.states.delete("replication.service");
    await expect(it.run()).rejects.toThrow("stopped by somebody else");
    expect(it.world.units.calls).toEqual([]);
  });

  test("failback 22: a write behind the fence since the verdict refuses", async () => {
    using it = await setUp("PROVEN");
    await it.log.commit({ kind: "scope" });
    await expect(it.run()).rejects.toThrow(/a write to shop\.orders at sequence 3/);
    expect(it.world.units.calls).toEqual([]);
  });

  test("failback 22: a user that can write again on DocumentDB refuses", async () => {
    using it = await setUp("PROVEN");
    it.server.users.set("application", [{ role: "readWrite", db: "shop" }]);
    await expect(it.run()).rejects.toThrow("application can");
  });

  test("failback 27: without PROVEN nothing is started, and the exit code is the verdict's", async () => {
    for (const [verdict, kind] of [
      ["DIFFERS", "differs"],
      ["UNKNOWN", "unknown"],
    ] as const) {
      using it = await setUp(verdict, ["shop.orders: 1 document differs"]);
      await it.world.enter("restoring");
      await expect(it.run()).rejects.toMatchObject({ kind });
      await expect(it.run()).rejects.toThrow("1 document differs");
      expect(it.world.units.calls).toEqual([]);
    }
  });

  test("it waits while restore is at work", async () => {
    using it = await setUp("PROVEN");
    await it.world.enter("restoring");
    it.world.units.states.set("restore.service", up);
    const running = it.run();
    await Bun.sleep(10);
    expect(it.world.units.calls).toEqual([]);
    await it.world.enter("verified");
    await running;
    expect(it.world.units.calls).toContain("start clean.service");
  });

  test("a restore that failed ends it with restore's message", async () => {
    using it = await setUp("PROVEN");
    await it.world.enter("restoring");
    it.world.units.states.set("restore.service", { ...up, active: "failed", exitStatus: 11 });
    const error = {
      what: "read the log",
      expected: "no hole",
      got: "manifest 7 is missing",
      wayOut: "restore it",
    };
    await writeJson(it.world.store, it.world.keys.status("restore"), {
      state: "failed",
      exitCode: 11,
      error,
    });
    await expect(it.run()).rejects.toMatchObject({ kind: "logCorrupt" });
  });
});
