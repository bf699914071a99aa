import { describe, expect, test } from "bun:test";
import { readJson } from "../../adapters/state/json.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { ActionResult } from "../../core/failback/documents.ts";
import { ServiceWorld, up, worldFailbackId } from "../../tests/support/service-world.ts";
import type { Databases } from "../access/databases.ts";
import { type Action, check, passed } from "./action.ts";
import { findAction } from "./parameters.ts";
import { loadAction } from "./registry.ts";
import { runAction } from "./run-action.ts";

const databases = {
  open: () => Promise.reject(new Error("no database in this test")),
} as unknown as Databases;
const fine: Action = async () => ({ checks: [passed("it", "holds")], data: { number: 1 } });
const given = (id = worldFailbackId) => ({ failbackId: id, values: new Map<string, string>() });

async function run(world: ServiceWorld, name: string, action: Action, id?: string) {
  return runAction(findAction(name), action, given(id), { service: world.service, databases });
}

const kept = async ({ store, keys }: ServiceWorld, name: string) =>
  (await readJson<ActionResult>(store, keys.action(name)))?.value;

describe("running an action", () => {
  test("its result is kept below the failback", async () => {
    using world = new ServiceWorld();
    await world.enter("capturing");
    const { result, failure } = await run(world, "grant-writers", fine);
    expect(failure).toBeUndefined();
    expect(result).toMatchObject({
      action: "grant-writers",
      failbackId: worldFailbackId,
      ok: true,
      data: { number: 1 },
    });
    expect(await kept(world, "grant-writers")).toEqual(result);
  });

  test("a check that does not hold refuses in its own words, and the result says so", async () => {
    using world = new ServiceWorld();
    await world.enter("capturing");
    const { result, failure } = await run(world, "grant-writers", async () => ({
      checks: [passed("one", "fine"), check("two", false, { expected: "a", got: "b", wayOut: "do c" })],
      data: {},
    }));
    expect(result.ok).toBe(false);
    expect(failure).toMatchObject({ kind: "refused", expected: "a", got: "b", wayOut: "do c", exitCode: 3 });
    expect((await kept(world, "grant-writers"))?.ok).toBe(false);
  });

  test("a failure keeps its exit code and becomes a result that a runbook can show", async () => {
    using world = new ServiceWorld();
    await world.enter("capturing");
    const denied = new RoundtripError({ kind: "denied", what: "w", expected: "e", got: "g", wayOut: "o" });
    const { result, failure } = await run(world, "grant-writers", () => Promise.reject(denied));
    expect(failure).toBe(denied);
    expect(result).toMatchObject({
      ok: false,
      checks: [{ name: "w", ok: false, expected: "e", got: "g", wayOut: "o" }],
    });
  });

  test("a phase it is not allowed in is refused with the legal next step", async () => {
    using world = new ServiceWorld();
    await world.enter("restoring");
    const { failure } = await run(world, "grant-writers", fine);
    expect(failure).toMatchObject({ kind: "refused" });
    expect(failure?.message).toContain("failback-restore");
  });

  test("another failback than the open one is refused by both ids", async () => {
    using world = new ServiceWorld();
    await world.enter("capturing");
    const { failure } = await run(world, "grant-writers", fine, "fb-2");
    expect(failure?.message).toContain("the open failback fb-1, got fb-2");
  });

  test("check-start runs before the failback is open, on its frozen scope", async () => {
    using world = new ServiceWorld();
    await world.enter("normal");
    const { failure } = await run(world, "check-start", async ({ failback }) => {
      expect(failback.scope.databases[0]?.name).toBe("shop");
      return { checks: [], data: {} };
    });
    expect(failure).toBeUndefined();
  });

  test("record-identity is for normal times", async () => {
    using world = new ServiceWorld();
    await world.enter("capturing");
    expect((await run(world, "record-identity", fine, "")).failure).toMatchObject({ kind: "refused" });
  });
});

describe("units", () => {
  const start = async (world: ServiceWorld, unit = "replication.service") =>
    runAction(
      findAction("start-service"),
      await loadAction("start-service"),
      { failbackId: worldFailbackId, values: new Map([["unit", unit]]) },
      { service: world.service, databases },
    );

  test("start-service reports a unit that came up", async () => {
    using world = new ServiceWorld();
    await world.enter("capturing");
    expect((await start(world)).result).toMatchObject({ ok: true, data: { active: "active" } });
  });

  test("a oneshot at its work counts as started", async () => {
    using world = new ServiceWorld();
    await world.enter("capturing");
    world.units.onStart = () => ({ ...up, active: "activating", sub: "start" });
    expect((await start(world, "backup.service")).result.ok).toBe(true);
  });

  test("a unit that is started again and again is not started", async () => {
    using world = new ServiceWorld();
    await world.enter("capturing");
    world.units.onStart = () => ({
      ...up,
      active: "activating",
      sub: "auto-restart",
      mainPid: 0,
      exitStatus: 4,
    });
    const { result, failure } = await start(world);
    expect(result.ok).toBe(false);
    expect(failure?.message).toContain("exit code 4");
  });

  test("capture that is down and silent is reported, each fact by itself", async () => {
    using world = new ServiceWorld();
    await world.enter("capturing");
    const { replicationChecks } = await import("./replication-checks.ts");
    const checks = await replicationChecks({
      service: world.service,
      failback: { keys: world.keys },
    } as unknown as Parameters<Action>[0]);
    expect(checks.map(({ name, ok }) => [name, ok])).toEqual([
      ["capture runs", false],
      ["capture is alive", false],
      ["no gap in the log", true],
    ]);
  });
});
