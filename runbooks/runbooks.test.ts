import { expect, test } from "bun:test";
import { writeJson } from "../adapters/state/json.ts";
import { PhaseStore } from "../adapters/state/phase-store.ts";
import { RoundtripError } from "../core/errors.ts";
import type { Verdict } from "../core/failback/documents.ts";
import { currentKey, keysOf } from "../core/failback/layout.ts";
import type { Phase } from "../core/failback/phase.ts";
import { type Applied, appliedKey } from "../core/plan/applied.ts";
import { executeRunbook, type RunbookRequest } from "./engine/execute.ts";
import { FakeWorld } from "./engine/fake-world.ts";
import type { Runbook, RunbookContext } from "./engine/runbook.ts";
import { renderText } from "./engine/summary-text.ts";
import { failbackAbort } from "./failback-abort/runbook.ts";
import { failbackReopen } from "./failback-reopen/runbook.ts";
import { failbackResume } from "./failback-resume/runbook.ts";
import { tablesLoaded } from "./steps/replication-tasks.ts";

function requestFor(runbook: Runbook): RunbookRequest {
  return {
    runbook,
    inputs: Object.fromEntries(runbook.inputs.map((input) => [input.name, input.default ?? ""])),
    caller: { actor: "ana", commit: "abc" },
    declared: { version: 1, tasks: [{ id: "orders", database: "shop", collections: [{ name: "orders" }] }] },
    leaseSeconds: 0.05,
    actionTimeoutSeconds: () => 1,
  };
}

async function worldIn(phase: Phase): Promise<FakeWorld> {
  const world = new FakeWorld();
  await writeJson(world.store, currentKey, {
    version: 1,
    environment: "dev",
    phase,
    failbackId: "fb-1",
    history: [],
  });
  await writeJson(world.store, keysOf("fb-1").scope, { version: 1, failbackId: "fb-1", databases: [] });
  return world;
}

const phaseOf = async (world: FakeWorld) =>
  (await new PhaseStore(world.store, world.clock, "dev").read()).phase;
const sentOf = (world: FakeWorld) =>
  world.calls
    .filter((call) => call.startsWith("send"))
    .map((call) => call.replace("send roundtrip-dev-", ""));

for (const phase of ["draining", "restoring"] as const) {
  test(`failback 26: reopen from ${phase} stops restore, proves capture, and only then gives rights back`, async () => {
    const world = await worldIn(phase);
    const report = await executeRunbook(world.dependencies(), requestFor(failbackReopen));
    expect(report.error).toBeUndefined();
    expect(sentOf(world)).toEqual([
      "stop-service",
      "stop-service",
      "start-service",
      "canary",
      "grant-writers",
    ]);
    expect(await phaseOf(world)).toBe("capturing");
  });
}

test("failback 26: reopen with a canary that is not found leaves the phase and the users as they are", async () => {
  const world = await worldIn("restoring");
  const late = { commandId: "c", status: "timed-out", exitCode: -1, stdout: "", stderr: "late" } as const;
  world.answers.set("canary", () => late);
  const report = await executeRunbook(world.dependencies(), requestFor(failbackReopen));
  expect(report.succeeded).toBe(false);
  expect(sentOf(world)).not.toContain("grant-writers");
  expect(await phaseOf(world)).toBe("restoring");
});

test("failback 26: abort is refused once users have lost their writes for good, naming the legal next step", async () => {
  const world = await worldIn("restoring");
  const report = await executeRunbook(world.dependencies(), requestFor(failbackAbort)).catch((error) => ({
    error,
  }));
  expect(report.error).toBeInstanceOf(RoundtripError);
  expect((report.error as RoundtripError).message).toContain("failback-reopen");
  expect(world.calls).toEqual([]);
});

test("failback 28: unknown is never a start: without a decision of check-resume no DMS task is started", async () => {
  const world = await worldIn("cleaned");
  const report = await executeRunbook(world.dependencies(), requestFor(failbackResume));
  expect((report.error as RoundtripError).kind).toBe("unknown");
  expect(world.calls.filter((call) => call.startsWith("start task"))).toEqual([]);
  expect(await phaseOf(world)).toBe("cleaned");
});

test("failback 30: a runner lost in a step of two commands re-attaches to both, and each unit is stopped once", async () => {
  const world = await worldIn("restoring");
  const interrupt = new AbortController();
  const wait = world.commands.wait;
  let waits = 0;
  world.commands.wait = async (...call) => {
    if (++waits === 2) {
      interrupt.abort(new Error("the runner is gone"));
      return new Promise<never>(() => {});
    }
    return wait(...call);
  };
  await executeRunbook(world.dependencies(interrupt.signal), requestFor(failbackReopen));
  expect(sentOf(world)).toEqual(["stop-service", "stop-service"]);
  world.commands.wait = wait;
  const again = await executeRunbook(world.dependencies(), requestFor(failbackReopen));
  expect(again.error).toBeUndefined();
  expect(sentOf(world)).toEqual(["stop-service", "stop-service", "start-service", "canary", "grant-writers"]);
});

test("at a terminal the outcome comes first, then what stopped it and what to do; a verdict's reasons are named, not flooded", async () => {
  const world = await worldIn("restoring");
  const late = { commandId: "c", status: "timed-out", exitCode: -1, stdout: "", stderr: "late" } as const;
  world.answers.set("canary", () => late);
  const report = await executeRunbook(world.dependencies(), requestFor(failbackReopen));
  const reasons = Array.from({ length: 12 }, (_, index) => `reason ${index + 1}`);
  const counts = { captured: 3, applied: 2, tail: 1, conflicts: 0 };
  const verdict = { failbackId: "fb-1", verdict: "DIFFERS", reasons, ...counts } as unknown as Verdict;
  const lines = renderText(failbackReopen, report, "restoring", verdict).split("\n");
  expect(lines[0]).toBe("❌ failback-reopen stopped at step canary");
  expect(lines[1]).toContain("fb-1, phase restoring");
  expect(lines.find((line) => line.startsWith("  way out"))).toBeDefined();
  expect(lines).toContain("  verdict    DIFFERS: 3 captured, 2 applied, tail 1, conflicts 0");
  expect(lines).toContain("               and 2 more in failback/fb-1/verdict.json");
  expect(lines.at(-2)).toStartWith("  next       mend");
});

test("failback 6: a collection that DMS never loaded stops the start; one that was renamed, with its documents, does not", async () => {
  const world = new FakeWorld();
  const [loaded] = await world.tasks.tables("arn:orders");
  world.tables = [loaded!, { ...loaded!, table: "returns", state: "Before load" }];
  const context = { ...world.dependencies(), store: world.store } as unknown as RunbookContext;
  await expect(tablesLoaded.run(context)).rejects.toThrow("shop.returns: Before load");
  await writeJson(world.store, appliedKey, {
    version: 1,
    environment: "dev",
    tasksText:
      "version: 1\ntasks:\n  - {id: orders, database: shop, owners: [team-shop], collections: [orders, returns]}\n",
    commit: "a".repeat(40),
    tree: "b".repeat(40),
    digest: `sha256:${"c".repeat(64)}`,
    appliedAt: "2026-11-21T10:00:00.000Z",
    by: { actor: "ana" },
    renamed: ["shop.returns"],
  } satisfies Applied);
  expect((await tablesLoaded.run(context)).checks?.map(({ ok }) => ok)).toEqual([true]);
});
