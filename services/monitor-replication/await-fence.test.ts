import { describe, expect, test } from "bun:test";
import { addFence } from "../../adapters/state/fences.ts";
import { RolesStore } from "../../adapters/state/roles-store.ts";
import type { Fence } from "../../core/failback/documents.ts";
import { InstantClock } from "../../tests/support/instant-clock.ts";
import { LogBuilder, type LoggedEvent } from "../../tests/support/log-builder.ts";
import { ServiceWorld, worldFailbackId } from "../../tests/support/service-world.ts";
import { awaitDrained, type DrainDependencies, stillDrained } from "./await-fence.ts";

const write: LoggedEvent = { kind: "scope" };
const heartbeat: LoggedEvent = { kind: "control", signal: "heartbeat" };
const sentinel = (number: number): LoggedEvent => ({ kind: "control", signal: `sentinel-${number}` });

function setUp(options: { quietSeconds?: number } = {}) {
  const clock = new InstantClock();
  const world = new ServiceWorld({ clock });
  const log = new LogBuilder(world.store, worldFailbackId);
  const raise = async (number: number, afterManifest?: Fence["afterManifest"]) => {
    const fence: Fence = {
      version: 1,
      failbackId: worldFailbackId,
      number,
      sentinelId: `sentinel-${number}`,
      writtenAt: clock.now().toISOString(),
      refusals: [],
      ...(afterManifest ? { afterManifest } : {}),
    };
    await addFence(world.store, fence);
    return fence;
  };
  const raisedAgain: number[] = [];
  const deps: DrainDependencies = {
    store: world.store,
    failbackId: worldFailbackId,
    roles: new RolesStore(world.store, worldFailbackId),
    clock,
    logger: world.service.logger,
    signal: world.stop.signal,
    quietSeconds: options.quietSeconds ?? 0,
    report() {},
    async raiseAgain(broken) {
      raisedAgain.push(broken);
      const fence = await raise(broken + 1);
      await log.commit(sentinel(broken + 1));
      return fence;
    },
  };
  return { world, log, raise, deps, raisedAgain, clock, [Symbol.dispose]: () => world[Symbol.dispose]() };
}

describe("failback 12: monitor-replication decides", () => {
  test("drained once the sentinel is in the log, with what it needs to prove it", async () => {
    using it = setUp();
    await it.log.commit(write, write);
    await it.raise(1);
    await it.log.commit(write, sentinel(1), heartbeat);
    const drained = await awaitDrained(it.deps);
    expect(drained).toMatchObject({ sentinelSequence: 4, broken: 0 });
    expect(drained.decidedAfterMs).toBeLessThan(2000);
  });

  test("it waits for a fence that is not raised yet, and for a sentinel that is not in the log yet", async () => {
    using it = setUp();
    await it.log.commit(write);
    const deciding = awaitDrained(it.deps);
    await Bun.sleep(5);
    await it.raise(1);
    await Bun.sleep(5);
    await it.log.commit(sentinel(1));
    expect((await deciding).fence.number).toBe(1);
  });

  test("a write behind the sentinel, also one in a later manifest, breaks the fence and raises another", async () => {
    using it = setUp();
    await it.raise(1);
    await it.log.commit(sentinel(1));
    await it.log.commit(heartbeat);
    await it.log.commit(write);
    const drained = await awaitDrained(it.deps);
    expect(it.raisedAgain).toEqual([1]);
    expect(drained).toMatchObject({ broken: 1, fence: { number: 2 } });
  });

  test("fences that break again and again end it loudly", async () => {
    using it = setUp();
    await it.raise(1);
    await it.log.commit(sentinel(1), write);
    const deps = {
      ...it.deps,
      async raiseAgain(broken: number) {
        const fence = await it.deps.raiseAgain(broken);
        await it.log.commit(write);
        return fence;
      },
    };
    await expect(awaitDrained(deps)).rejects.toThrow("8 fences, each broken");
  });

  test("a fence from before a grant does not count", async () => {
    using it = setUp();
    await it.raise(1);
    await it.log.commit(sentinel(1));
    await it.deps.roles.grant({ at: "2026-11-21T00:00:00.000Z", allowRemove: false, fencesBefore: 1 });
    const deciding = awaitDrained(it.deps);
    await Bun.sleep(5);
    await it.raise(2);
    await it.log.commit(sentinel(2));
    expect((await deciding).fence.number).toBe(2);
  });

  test("a fence that names the manifest before it is found from there", async () => {
    using it = setUp();
    const manifest = await it.log.commit(write);
    const { sha256 } = await manifestHash(it.world, manifest.number);
    await it.raise(1, { number: manifest.number, sha256, lastSequence: manifest.lastSequence });
    await it.log.commit(sentinel(1));
    expect((await awaitDrained(it.deps)).sentinelSequence).toBe(2);
  });

  test("with drain: quiet, silence is waited for on top of the fence", async () => {
    using it = setUp({ quietSeconds: 300 });
    await it.raise(1);
    await it.log.commit(sentinel(1));
    const before = it.clock.monotonicMs();
    await awaitDrained(it.deps);
    expect(it.clock.monotonicMs() - before).toBeGreaterThanOrEqual(300_000);
  });

  test("a write while the dump was waited for shows at the second look", async () => {
    using it = setUp();
    await it.raise(1);
    await it.log.commit(sentinel(1));
    const drained = await awaitDrained(it.deps);
    await it.log.commit(heartbeat);
    expect(await stillDrained(it.deps, drained)).toBe(true);
  });

  test("and ends the standing of that fence", async () => {
    using it = setUp();
    await it.raise(1);
    await it.log.commit(sentinel(1));
    const drained = await awaitDrained(it.deps);
    await it.log.commit(write);
    expect(await stillDrained(it.deps, drained)).toBe(false);
  });
});

async function manifestHash({ store, keys }: ServiceWorld, number: number): Promise<{ sha256: string }> {
  const { body } = (await store.get(keys.manifest(number)))!;
  return { sha256: new Bun.CryptoHasher("sha256").update(body).digest("hex") };
}
