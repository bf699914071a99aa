import { expect, test } from "bun:test";
import { ServiceWorld } from "../../tests/support/service-world.ts";
import { alwaysOnFrom } from "./runs-from.ts";

const unit = "oplog-archive.service";
const running = (mainPid: number) => ({
  active: "active",
  sub: "running",
  result: "success",
  mainPid,
  exitStatus: 0,
});
/** This process runs from here, its parent from elsewhere. */
const here = process.execPath;

test("a unit that runs another version is started anew; one that runs this one, or is off, stays as it is", async () => {
  using world = new ServiceWorld();
  world.units.states.set(unit, running(1));
  world.units.onStart = () => running(process.pid);
  expect(await alwaysOnFrom(world.service, unit, here)).toBeUndefined();
  expect(world.units.calls).toEqual([`stop ${unit}`, `start ${unit}`]);
  expect(await alwaysOnFrom(world.service, unit, here)).toBeUndefined();
  await world.units.stop(unit);
  expect(await alwaysOnFrom(world.service, unit, here)).toBeUndefined();
  expect(world.units.calls.filter((call) => call.startsWith("start"))).toHaveLength(1);
});

test("what does not come up, or not from this version, is said", async () => {
  using world = new ServiceWorld();
  world.units.states.set(unit, running(1));
  world.units.onStart = () => ({ ...running(0), active: "failed", result: "exit-code", exitStatus: 6 });
  expect(await alwaysOnFrom(world.service, unit, here)).toContain("result exit-code, exit code 6");
  world.units.states.set(unit, running(1));
  world.units.onStart = () => running(1);
  expect(await alwaysOnFrom(world.service, unit, here)).toContain("is active");
});
