import { describe, expect, test } from "bun:test";
import { newestFence } from "../../adapters/state/fences.ts";
import { RolesStore } from "../../adapters/state/roles-store.ts";
import { FakeServer } from "../../tests/support/fake-server.ts";
import { InstantClock } from "../../tests/support/instant-clock.ts";
import { LogBuilder } from "../../tests/support/log-builder.ts";
import {
  ServiceWorld,
  worldEnvironment,
  worldFailbackId,
  worldScope,
} from "../../tests/support/service-world.ts";
import { grantWriters } from "../access/grant.ts";
import { surveyDocumentdb } from "../access/survey.ts";
import { type FenceDependencies, raiseFence } from "./raise-fence.ts";

const databases = ["shop"];

function setUp(options: { staleMs?: number; kill?: boolean } = {}) {
  const clock = new InstantClock();
  const world = new ServiceWorld({ clock });
  const users = {
    application: [{ role: "read", db: "shop" }],
    dms: [{ role: "readAnyDatabase", db: "admin" }],
    operator: [{ role: "root", db: "admin" }],
  };
  const server = new FakeServer({ clock, databases, users, staleMs: options.staleMs ?? 0 });
  const sentinels: string[] = [];
  const deps: FenceDependencies = {
    access: server,
    openConnections: server.openConnections,
    roles: new RolesStore(world.store, worldFailbackId),
    clock,
    logger: world.service.logger,
    signal: world.stop.signal,
    alive() {},
    store: world.store,
    environment: worldEnvironment,
    scope: worldScope,
    killOperations: options.kill ?? false,
    async writeSentinel(id) {
      server.calls.push("sentinel");
      sentinels.push(id);
    },
  };
  const grant = async () =>
    grantWriters({
      service: world.service,
      access: server,
      openConnections: server.openConnections,
      scope: worldScope,
      survey: await surveyDocumentdb(server, worldEnvironment, worldScope),
      allowRemove: false,
    });
  return { world, server, deps, sentinels, grant, clock, [Symbol.dispose]: () => world[Symbol.dispose]() };
}

const operation = {
  id: 7,
  users: ["application"],
  namespace: "shop.orders",
  what: "update",
  inTransaction: false,
};

describe("failback 12: the fence", () => {
  test("comes after the refusal was proved on connections opened as writers, and names them", async () => {
    using it = setUp({ staleMs: 2000 });
    await it.grant();
    it.server.calls.length = 0;
    const { fence, reused } = await raiseFence(it.deps);
    expect(it.server.calls).toEqual([
      "open application as writer",
      "setRoles application read@shop",
      "sentinel",
    ]);
    expect(reused).toBe(false);
    expect(fence.number).toBe(1);
    expect(fence.sentinelId).toBe(it.sentinels[0]!);
    expect(fence.refusals[0]).toMatchObject({ user: "application" });
    expect(fence.refusals[0]!.afterMs).toBeGreaterThanOrEqual(2000);
    expect(await newestFence(it.world.store, worldFailbackId)).toEqual(fence);
  });

  test("waits for an operation still in flight before it writes the sentinel", async () => {
    using it = setUp();
    await it.grant();
    it.server.operations = [operation];
    let looks = 0;
    it.server.running = async () => {
      if (++looks === 5) it.server.operations = [];
      expect(it.server.calls).not.toContain("sentinel");
      return it.server.operations;
    };
    const { inFlight } = await raiseFence(it.deps);
    expect(looks).toBe(5);
    expect(inFlight.waitedMs).toBeGreaterThan(0);
  });

  test("names the operation that never ends, and writes no sentinel", async () => {
    using it = setUp();
    it.server.operations = [operation];
    await expect(raiseFence(it.deps)).rejects.toThrow(/update on shop\.orders \(operation 7\)/);
    expect(it.sentinels).toEqual([]);
  });

  test("kills what is still in flight only when asked", async () => {
    using it = setUp({ kill: true });
    it.server.operations = [operation];
    const { inFlight } = await raiseFence(it.deps);
    expect(inFlight.killed).toBe(1);
    expect(it.server.calls).toContain("kill 7");
  });

  test("a rerun keeps the standing fence", async () => {
    using it = setUp();
    await it.grant();
    const first = await raiseFence(it.deps);
    const second = await raiseFence(it.deps);
    expect(second).toMatchObject({ reused: true, fence: first.fence });
    expect(it.sentinels).toHaveLength(1);
  });

  test("a user that got its rights back some other way is demoted, and a new fence is raised", async () => {
    using it = setUp();
    await it.grant();
    await raiseFence(it.deps);
    it.server.users.set("application", [{ role: "readWrite", db: "shop" }]);
    const { fence, reused } = await raiseFence(it.deps);
    expect([fence.number, reused]).toEqual([2, false]);
    expect(it.server.canWrite("application")).toBe(false);
  });

  test("after reopen the fence from before no longer counts", async () => {
    using it = setUp();
    await it.grant();
    await raiseFence(it.deps);
    await it.grant();
    expect(it.server.canWrite("application")).toBe(true);
    const { fence, reused } = await raiseFence(it.deps);
    expect([fence.number, reused]).toEqual([2, false]);
  });

  test("killed between demotion and fence: the proof is made again on connections opened as writers", async () => {
    using it = setUp({ staleMs: 1000 });
    await it.grant();
    const cut = { ...it.deps, writeSentinel: () => Promise.reject(new Error("killed")) };
    await expect(raiseFence(cut)).rejects.toThrow("killed");
    expect(it.server.canWrite("application")).toBe(false);
    it.server.calls.length = 0;
    const { fence } = await raiseFence(it.deps);
    expect(it.server.calls.slice(1, 2)).toEqual(["open application as writer"]);
    expect(fence.refusals[0]!.afterMs).toBeGreaterThanOrEqual(1000);
    expect(it.server.canWrite("application")).toBe(false);
  });

  test("a broken fence is followed by another, without giving anybody rights", async () => {
    using it = setUp();
    await it.grant();
    await raiseFence(it.deps);
    it.server.calls.length = 0;
    const { fence, reused } = await raiseFence(it.deps, 1);
    expect([fence.number, reused]).toEqual([2, false]);
    expect(it.server.calls.filter((call) => call.startsWith("setRoles"))).toEqual([]);
  });

  test("remembers which manifest was the newest before the sentinel", async () => {
    using it = setUp();
    const manifest = await new LogBuilder(it.world.store, worldFailbackId).commit({ kind: "scope" });
    const { fence } = await raiseFence(it.deps);
    expect(fence.afterManifest?.number).toBe(manifest.number);
  });

  test("an unlisted user that can write stops it by name", async () => {
    using it = setUp();
    it.server.users.set("stranger", [{ role: "dbOwner", db: "shop" }]);
    await expect(raiseFence(it.deps)).rejects.toThrow(/stranger can write through dbOwner@shop/);
    expect(it.sentinels).toEqual([]);
  });

  test("two drains at once raise two fences, neither overwriting the other", async () => {
    using it = setUp();
    const [one, two] = await Promise.all([raiseFence(it.deps), raiseFence(it.deps)]);
    expect([one.fence.number, two.fence.number].sort()).toEqual([1, 2]);
  });
});
