import { expect, test } from "bun:test";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import { type DrTestRequest, type DrTestResult, drTestKeys } from "../../core/backup/dr-test.ts";
import { requestKey } from "../../core/backup/layout.ts";
import { FakeWorld, succeeded } from "../engine/fake-world.ts";
import { executeOperation } from "../engine/operation.ts";
import { renderSummary } from "../engine/summary.ts";
import { drTestRunbook } from "./runbook.ts";

function result(id: string, rpoMs: number, more: Partial<DrTestResult> = {}): DrTestResult {
  const objectives = [
    { name: "RTO", what: "back", measuredMs: 4000, maxMs: 3_600_000 },
    { name: "RPO", what: "lost", measuredMs: rpoMs, maxMs: 60_000 },
  ] as const;
  const at = `${id.slice(0, 10)}T03:30:00.000Z`;
  const found = {
    verdict: "PROVEN",
    documents: 10_000,
    objectives,
    findings: ["3 of 200 heartbeats lost"],
  } as const;
  return { version: 1, id, environment: "dev", startedAt: at, finishedAt: at, ...found, ...more };
}

/** A host that answers with a loss of so many milliseconds. */
async function worldWith(rpoMs: number, more: Partial<DrTestResult> = {}): Promise<FakeWorld> {
  const world = new FakeWorld();
  for (let month = 1; month <= 11; month++) {
    const id = `2025-${String(month).padStart(2, "0")}-01T03-30-00Z`;
    await writeJson(world.store, drTestKeys(id).result, result(id, month * 1000));
  }
  await writeJson(
    world.store,
    drTestKeys("2025-12-01T03-30-00Z").result,
    result("2025-12-01T03-30-00Z", 90_000),
  );
  world.answers.set("start-backup-service", () => {
    void (async () => {
      const { value } = (await readJson<DrTestRequest>(world.store, requestKey("dr-test")))!;
      expect(value.documents).toBe(10_000);
      const id = "2026-01-01T03-30-00Z";
      await writeJson(
        world.store,
        drTestKeys(id).result,
        result(id, rpoMs, { ...more, request: value.request }),
      );
    })();
    return succeeded("c", "start-backup-service", { run: "r", startedAt: new Date().toISOString() });
  });
  return world;
}

const run = (world: FakeWorld, database = "shop") =>
  executeOperation(world.dependencies(), {
    operation: drTestRunbook,
    inputs: { documents: "10000" },
    caller: { actor: "ana", commit: "abc" },
    declared: { version: 1, tasks: [{ id: "orders", database, collections: [{ name: "orders" }] }] },
    leaseSeconds: 0.05,
    actionTimeoutSeconds: () => 1,
  });

test("a test that passed stands beside the last twelve, the newest first, with what was measured", async () => {
  const report = await run(await worldWith(2000));
  expect(report.error).toBeUndefined();
  const summary = renderSummary(drTestRunbook, report, "normal");
  expect(summary.split("\n")[0]).toBe("## ✅ PROVEN: dr-test succeeded");
  const rows = summary.split("\n").filter((line) => line.includes("test of 20"));
  expect(rows).toHaveLength(12);
  expect(rows[0]).toContain("2025-12-01 03:30 UTC");
  expect(rows[1]).toContain("2026-01-01 03:30 UTC");
  expect(rows[1]).toContain("PROVEN, RTO 4.0 s (&#60; 1 h), RPO 2.0 s (&#60; 1 min)");
  expect(rows.join()).not.toContain("2025-01-01");
});

test("an objective that is missed, and documents that are not back, fail the run in their words", async () => {
  const missed = await run(await worldWith(75_000));
  expect(missed.error).toMatchObject({ kind: "differs", got: "missed: RPO 1 min 15 s (< 1 min)" });
  const lost = await run(await worldWith(1000, { verdict: "DIFFERS", findings: ["document 7: missing"] }));
  expect(lost.error).toMatchObject({ kind: "differs", got: "DIFFERS: document 7: missing" });
  const unknown = await run(
    await worldWith(1000, { verdict: "UNKNOWN", objectives: [], findings: ["no room"] }),
  );
  expect(unknown.error).toMatchObject({ kind: "unknown", got: "UNKNOWN: no room" });
});

test("a DMS task that selects the test's database refuses it before anything is written", async () => {
  for (const database of ["roundtrip%", "%", "roundtrip_dr_test"]) {
    const world = await worldWith(1000);
    const report = await run(world, database);
    expect(report.error).toMatchObject({ kind: "refused", got: "selected by orders" });
    expect(world.calls.filter((call) => call.startsWith("send"))).toEqual([]);
  }
});
