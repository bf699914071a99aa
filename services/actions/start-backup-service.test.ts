import { expect, test } from "bun:test";
import { writeJson } from "../../adapters/state/json.ts";
import { statusKey } from "../../core/backup/layout.ts";
import type { ServiceState } from "../../core/failback/documents.ts";
import { ServiceWorld } from "../../tests/support/service-world.ts";
import type { Databases } from "../access/databases.ts";
import { run } from "./start-backup-service.ts";

const unit = "mongodb-backup.service";
const working = { active: "activating", sub: "start", result: "success", mainPid: 7, exitStatus: 0 };

function says(world: ServiceWorld, run: string, state: ServiceState): Promise<unknown> {
  const startedAt = "2026-11-21T00:00:00.000Z";
  return writeJson(world.store, statusKey("mongodb-backup"), { version: 1, run, state, startedAt });
}

const start = (world: ServiceWorld) =>
  run({
    service: world.service,
    databases: {} as Databases,
    parameter: () => unit,
    failback: undefined as never,
  });

test("gives the run that began, and not the one before it", async () => {
  using world = new ServiceWorld();
  await says(world, "old", "finished");
  world.units.onStart = () => {
    void says(world, "new", "running");
    return working;
  };
  const { checks, data } = await start(world);
  expect(checks).toMatchObject([{ ok: true }]);
  expect(data).toMatchObject({ unit, run: "new", startedAt: "2026-11-21T00:00:00.000Z" });
});

test("a run that is at its work is taken for the one asked for: nothing is started", async () => {
  using world = new ServiceWorld();
  await says(world, "scheduled", "running");
  world.units.states.set(unit, working);
  expect(await start(world)).toMatchObject({ checks: [{ ok: true }], data: { run: "scheduled" } });
  expect(world.units.calls).toEqual([]);
});

test("a unit whose run has said its last word is started when it has ended, not before", async () => {
  using world = new ServiceWorld();
  await says(world, "old", "finished");
  world.units.states.set(unit, working);
  world.units.onStart = () => {
    void says(world, "new", "running");
    return working;
  };
  const starting = start(world);
  await world.service.clock.sleep(300);
  expect(world.units.calls).toEqual([]);
  await world.units.stop(unit);
  expect(await starting).toMatchObject({ data: { run: "new" } });
});

test("a unit that never says that it began is not taken for started", async () => {
  using world = new ServiceWorld();
  world.units.onStart = () => ({ ...working, active: "failed", result: "exit-code", exitStatus: 6 });
  const { checks } = await start(world);
  expect(checks).toMatchObject([{ ok: false, got: "failed (start), result exit-code, exit code 6" }]);
  expect(world.units.calls).toEqual([`start ${unit}`]);
});
