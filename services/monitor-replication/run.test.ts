import { describe, expect, test } from "bun:test";
import { addFence } from "../../adapters/state/fences.ts";
import { writeJson } from "../../adapters/state/json.ts";
import type { DumpManifest, MongodbClosing } from "../../core/failback/documents.ts";
import { LogBuilder } from "../../tests/support/log-builder.ts";
import { ServiceWorld, up, worldFailbackId } from "../../tests/support/service-world.ts";
import { waitFor } from "../../tests/support/wait-for.ts";
import type { Databases } from "../access/databases.ts";
import { dumpKeys } from "../backup/dump-store.ts";
import { runMonitorReplication } from "./run.ts";

const noDatabases = {
  open: () => Promise.reject(new Error("no database in this test")),
} as unknown as Databases;
const at = "2026-11-21T00:00:00.000Z";

async function setUp() {
  const world = new ServiceWorld();
  await world.enter("draining");
  world.units.states.set("replication.service", up);
  world.units.states.set("backup.service", { ...up, active: "activating", sub: "start" });
  const log = new LogBuilder(world.store, worldFailbackId);
  await addFence(world.store, {
    version: 1,
    failbackId: worldFailbackId,
    number: 1,
    sentinelId: "sentinel-1",
    writtenAt: at,
    refusals: [],
  });
  await log.commit({ kind: "scope" }, { kind: "control", signal: "sentinel-1" });
  const run = () => runMonitorReplication(world.service, noDatabases);
  return { world, log, run, [Symbol.dispose]: () => world[Symbol.dispose]() };
}

async function completeDump({ store }: ServiceWorld): Promise<void> {
  const keys = dumpKeys(worldFailbackId, "mongodb", "run");
  await store.put(keys.archive, new Uint8Array(3));
  const manifest: DumpManifest = {
    version: 1,
    failbackId: worldFailbackId,
    side: "mongodb",
    key: keys.archive,
    sha256: "",
    bytes: 3,
    namespaces: [],
    tool: "mongodump",
    startedAt: at,
    finishedAt: at,
  };
  await writeJson(store, keys.manifest, manifest);
}

async function close({ store, keys }: ServiceWorld): Promise<void> {
  const closing: MongodbClosing = {
    version: 1,
    failbackId: worldFailbackId,
    method: "user-write-block",
    ttl: [],
    blockTime: { t: 1, i: 1 },
    closedAt: at,
  };
  await writeJson(store, keys.closing, closing);
}

const started = ({ units }: ServiceWorld) => units.calls.includes("start restore.service");

describe("monitor-replication", () => {
  test("failback 16: with the fence in the log it still waits for the dump of MongoDB, then starts restore", async () => {
    using it = await setUp();
    await close(it.world);
    const running = it.run();
    await Bun.sleep(20);
    expect([await it.world.phase(), started(it.world)]).toEqual(["draining", false]);
    await completeDump(it.world);
    await running;
    expect([await it.world.phase(), started(it.world)]).toEqual(["restoring", true]);
  });

  test("failback 15: it waits until MongoDB is closed to writers", async () => {
    using it = await setUp();
    await completeDump(it.world);
    const running = it.run();
    await Bun.sleep(20);
    expect(started(it.world)).toBe(false);
    await close(it.world);
    await running;
    expect(started(it.world)).toBe(true);
  });

  test("failback 12: a write behind the fence while the dump was waited for asks for another fence, and starts nothing", async () => {
    using it = await setUp();
    await close(it.world);
    const running = it.run();
    await waitFor("the decision", () => it.world.service.status.current.detail?.drained === true);
    await it.log.commit({ kind: "scope" });
    await completeDump(it.world);
    await expect(running).rejects.toThrow("no database in this test");
    expect([await it.world.phase(), started(it.world)]).toEqual(["draining", false]);
  });

  test("a dump whose archive has another size is none", async () => {
    using it = await setUp();
    await close(it.world);
    await completeDump(it.world);
    await it.world.store.put(dumpKeys(worldFailbackId, "mongodb", "run").archive, new Uint8Array(2));
    it.world.units.states.delete("backup.service");
    await expect(it.run()).rejects.toThrow("backup.service is not at work");
  });

  test("a backup that has failed ends it with the backup's own message", async () => {
    using it = await setUp();
    await close(it.world);
    it.world.units.states.set("backup.service", {
      ...up,
      active: "failed",
      result: "exit-code",
      exitStatus: 5,
    });
    const error = {
      what: "dump mongodb",
      expected: "role backup",
      got: "not authorized",
      wayOut: "grant it",
    };
    await writeJson(it.world.store, it.world.keys.status("backup"), { state: "failed", exitCode: 5, error });
    await expect(it.run()).rejects.toMatchObject({ kind: "denied", got: "not authorized" });
    expect([await it.world.phase(), started(it.world)]).toEqual(["draining", false]);
  });

  test("capture that has failed ends it at once, even while the sentinel is awaited", async () => {
    using it = await setUp();
    const failed = { ...up, active: "failed", result: "exit-code", exitStatus: 10 };
    it.world.units.states.set("replication.service", failed);
    await expect(it.run()).rejects.toThrow("replication.service failed");
  });

  test("capture that was stopped is no drained log", async () => {
    using it = await setUp();
    it.world.units.states.delete("replication.service");
    await expect(it.run()).rejects.toThrow("it was stopped");
    expect(await it.world.phase()).toBe("draining");
  });

  test("killed after the phase moved: run again it starts restore", async () => {
    using it = await setUp();
    await it.world.enter("restoring");
    await it.run();
    expect(started(it.world)).toBe(true);
  });

  test("restore that does not come up is reported with its own message", async () => {
    using it = await setUp();
    await it.world.enter("restoring");
    it.world.units.onStart = () => ({ ...up, active: "failed", result: "exit-code", exitStatus: 3 });
    await expect(it.run()).rejects.toThrow("restore.service failed");
  });

  test("in another phase it refuses, naming the legal next step", async () => {
    using it = await setUp();
    await it.world.enter("capturing");
    await expect(it.run()).rejects.toMatchObject({ kind: "refused" });
  });

  test("SIGTERM ends the waiting", async () => {
    using it = await setUp();
    const running = it.run();
    await Bun.sleep(10);
    it.world.stop.abort(new Error("SIGTERM"));
    await expect(running).rejects.toThrow("SIGTERM");
  });
});
