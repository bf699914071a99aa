import { expect, test } from "bun:test";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import type { LevelVerdict, Verification } from "../../core/backup/documents.ts";
import { latestVerificationKey, requestKey } from "../../core/backup/layout.ts";
import type { VerificationRequest } from "../../core/backup/verification.ts";
import type { RoundtripError } from "../../core/errors.ts";
import { waitFor } from "../../tests/support/wait-for.ts";
import { FakeWorld, succeeded } from "../engine/fake-world.ts";
import { executeOperation } from "../engine/operation.ts";
import { renderSummary } from "../engine/summary.ts";
import { verifyBackup } from "./runbook.ts";

const key = requestKey("verify-backup");

/** A world whose host answers each request with these verdicts of levels, in turn. */
function worldWith(...answers: LevelVerdict[]) {
  const world = new FakeWorld();
  const requests: VerificationRequest[] = [];
  world.answers.set("start-backup-service", () => {
    void answer(world, requests, answers);
    const data = { unit: "verify-backup.service", run: "r", startedAt: new Date().toISOString() };
    return succeeded("c", "start-backup-service", data);
  });
  return { world, requests };
}

async function answer(
  world: FakeWorld,
  requests: VerificationRequest[],
  answers: LevelVerdict[],
): Promise<void> {
  const { value: request } = (await readJson<VerificationRequest>(world.store, key))!;
  requests.push(request);
  const verdict = answers.shift() ?? "PROVEN";
  const findings = ["shop.orders: expected 2 documents, got <b>|1"];
  const verification: Verification = {
    version: 1,
    environment: "dev",
    backupId: request.backupId ?? "2026-11-21T00-00-00Z",
    request: request.request,
    startedAt: "",
    finishedAt: "",
    verdict,
    levels: request.levels.map((level) => ({ level, verdict, findings, seconds: 1 })),
  };
  await writeJson(world.store, latestVerificationKey, verification);
  await world.store.delete([key]);
}

function run(world: FakeWorld, inputs: Record<string, string> = {}, signal?: AbortSignal) {
  return executeOperation(world.dependencies(signal), {
    operation: verifyBackup,
    inputs: { "backup-id": "latest", levels: "1,2,3", ...inputs },
    caller: { actor: "ana", commit: "abc" },
    declared: { version: 1, tasks: [] },
    leaseSeconds: 0.05,
    actionTimeoutSeconds: () => 1,
  });
}

test("the newest backup is verified by all levels, and the verdict is the first thing to read", async () => {
  const { world, requests } = worldWith("PROVEN");
  const report = await run(world);
  expect(report.error).toBeUndefined();
  expect(requests).toMatchObject([{ levels: [1, 2, 3] }]);
  expect(requests[0]).not.toHaveProperty("backupId");
  const summary = renderSummary(verifyBackup, report, "normal");
  expect(summary.split("\n")[0]).toBe("## ✅ PROVEN: verify-backup succeeded");
  expect(summary).toContain("level 3");
  expect(summary).not.toContain("<b>");
});

test("a backup that differs fails the run with its findings, and the next run looks anew", async () => {
  const { world, requests } = worldWith("DIFFERS", "PROVEN");
  const asked = { "backup-id": "2026-11-20T00-00-00Z", levels: "2" };
  const report = await run(world, asked);
  expect(report.error).toMatchObject({ kind: "differs" });
  expect((report.error as RoundtripError).got).toContain(
    "level 2 DIFFERS: shop.orders: expected 2 documents",
  );
  expect(renderSummary(verifyBackup, report, "normal").split("\n")[0]).toBe(
    "## ❌ DIFFERS: verify-backup stopped at step verdict",
  );
  expect((await run(world, asked)).error).toBeUndefined();
  expect(requests.map(({ backupId, levels }) => [backupId, levels])).toEqual([
    ["2026-11-20T00-00-00Z", [2]],
    ["2026-11-20T00-00-00Z", [2]],
  ]);
  expect(new Set(requests.map(({ request }) => request)).size).toBe(2);
});

test("unknown is never success", async () => {
  const { world } = worldWith("UNKNOWN");
  expect((await run(world)).error).toMatchObject({ kind: "unknown" });
});

test("another one's verdict is not taken for one's own; a runner that was lost finds what it asked for", async () => {
  const { world, requests } = worldWith("PROVEN");
  const interrupt = new AbortController();
  const others = { request: "another", verdict: "PROVEN", levels: [] };
  world.answers.set("start-backup-service", () => succeeded("c", "start-backup-service"));
  await writeJson(world.store, latestVerificationKey, others);
  const lost = run(world, {}, interrupt.signal);
  await waitFor("the run to wait for its verdict", () =>
    world.calls.includes("wait roundtrip-dev-start-backup-service"),
  );
  interrupt.abort(new Error("the runner is gone"));
  expect((await lost).succeeded).toBe(false);
  await answer(world, requests, ["PROVEN"]);
  const sent = world.calls.filter((call) => call.startsWith("send")).length;
  const again = await run(world);
  expect(again.error).toBeUndefined();
  expect(requests).toHaveLength(1);
  expect(world.calls.filter((call) => call.startsWith("send"))).toHaveLength(sent);
});
