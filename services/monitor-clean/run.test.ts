import { describe, expect, test } from "bun:test";
import { writeJson } from "../../adapters/state/json.ts";
import type { Instances } from "../../core/ports.ts";
import { ServiceWorld, up, worldFailbackId } from "../../tests/support/service-world.ts";
import { type DumpSide, dumpKeys } from "../backup/dump-store.ts";
import { runMonitorClean } from "./run.ts";

/** Only what this monitor uses. */
function instances(): { calls: string[]; port: Instances } {
  const calls: string[] = [];
  const port: Partial<Instances> = {
    setStopProtection: async (id, on) => void calls.push(`protection ${id} ${on}`),
    stop: async (id) => void calls.push(`stop ${id}`),
  };
  return { calls, port: port as Instances };
}

async function dump({ store }: ServiceWorld, side: DumpSide): Promise<void> {
  const keys = dumpKeys(worldFailbackId, side, "run");
  await store.put(keys.archive, new Uint8Array(1));
  await writeJson(store, keys.manifest, { version: 1, side, key: keys.archive, bytes: 1 });
}

describe("monitor-clean", () => {
  test("takes stop protection off and stops the host once clean and both dumps are done, not before", async () => {
    using world = new ServiceWorld();
    const { calls, port } = instances();
    await world.enter("verified");
    world.units.states.set("clean.service", up);
    world.units.states.set("backup.service", { ...up, active: "activating", sub: "start" });
    const running = runMonitorClean(world.service, port);
    await Bun.sleep(10);
    await world.enter("cleaned");
    await dump(world, "mongodb");
    await Bun.sleep(10);
    expect(calls).toEqual([]);
    await dump(world, "documentdb");
    await running;
    expect(calls).toEqual(["protection i-1 false", "stop i-1"]);
  });

  test("a failed clean leaves the host on and is reported with its message", async () => {
    using world = new ServiceWorld();
    const { calls, port } = instances();
    await world.enter("verified");
    world.units.states.set("clean.service", { ...up, active: "failed", exitStatus: 3 });
    const error = {
      what: "clean",
      expected: "nothing written",
      got: "a write to shop.orders",
      wayOut: "find who",
    };
    await writeJson(world.store, world.keys.status("clean"), { state: "failed", exitCode: 3, error });
    await expect(runMonitorClean(world.service, port)).rejects.toThrow("a write to shop.orders");
    expect(calls).toEqual([]);
  });

  test("a backup that ended without its dump leaves the host on", async () => {
    using world = new ServiceWorld();
    const { calls, port } = instances();
    await world.enter("cleaned");
    await dump(world, "mongodb");
    await expect(runMonitorClean(world.service, port)).rejects.toThrow("a complete dump of documentdb");
    expect(calls).toEqual([]);
  });

  test("a host that by now belongs to another failback is not stopped", async () => {
    using world = new ServiceWorld();
    const { calls, port } = instances();
    await world.enter("verified");
    world.units.states.set("clean.service", up);
    const running = runMonitorClean(world.service, port);
    await Bun.sleep(5);
    await world.enter("normal");
    await expect(running).rejects.toThrow("no longer this failback's");
    expect(calls).toEqual([]);
  });
});
