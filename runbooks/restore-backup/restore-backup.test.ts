import { expect, test } from "bun:test";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import { requestKey, statusKey } from "../../core/backup/layout.ts";
import {
  type RestoreOutcome,
  type RestorePreview,
  type RestoreRequest,
  restoreKeys,
  restoreVerb,
} from "../../core/backup/restores.ts";
import { restoreObjectives } from "../../core/failback/objectives.ts";
import { FakeWorld, succeeded } from "../engine/fake-world.ts";
import { executeOperation } from "../engine/operation.ts";
import { renderSummary } from "../engine/summary.ts";
import { restoreBackup } from "./runbook.ts";

const backupId = "2026-11-21T00-00-00Z";
const digest = "0123456789abcdef";

/** A world whose host does what is asked of it: a preview, and with `confirmed` a restore with these differences. */
function newWorld(differences: readonly string[] = []) {
  const world = new FakeWorld();
  world.task = { ...world.task, status: "stopped" };
  const requests: RestoreRequest[] = [];
  world.answers.set("start-backup-service", () => {
    const startedAt = new Date().toISOString();
    void host(world, requests, { startedAt, differences });
    return succeeded("c", "start-backup-service", { unit: "restore-backup.service", run: "r", startedAt });
  });
  return { world, requests };
}

async function host(
  { store }: FakeWorld,
  requests: RestoreRequest[],
  { startedAt, differences }: { startedAt: string; differences: readonly string[] },
): Promise<void> {
  const { value: request } = (await readJson<RestoreRequest>(store, requestKey(restoreVerb)))!;
  requests.push(request);
  const target = { kind: request.target.kind, secret: "scratch", hosts: "h:1", replicaSetId: "a" };
  const time = { t: 1_795_255_200, i: 7 };
  const preview: RestorePreview = {
    version: 1,
    id: request.id,
    takenAt: startedAt,
    environment: "dev",
    backup: { id: backupId, finishedAt: startedAt, sha256: "f", bytes: 10, verified: "PROVEN" },
    target,
    span: { backupId, from: time, through: time, why: "no oplog is archived" },
    namespaces: [
      { namespace: "shop.orders", becomes: "replaced", documents: 2, bytes: 9, restores: 1 },
      { namespace: "shop.<b>", becomes: "dropped", documents: 5, bytes: 50 },
    ],
    warnings: ["users and roles of the target stay as they are"],
    digest,
  };
  await writeJson(store, restoreKeys(request.id).preview, preview);
  if (request.confirmed) {
    const outcome: RestoreOutcome = {
      version: 1,
      id: request.id,
      environment: "dev",
      backupId,
      target,
      state: differences.length > 0 ? "differs" : "restored",
      startedAt,
      finishedAt: startedAt,
      seconds: 12.5,
      applied: 0,
      through: time,
      collections: [{ namespace: "shop.orders", documents: 1 }],
      compared: 1,
      differences,
    };
    await writeJson(store, restoreKeys(request.id).outcome, outcome);
  }
  const status = { version: 1, service: restoreVerb, state: "finished", updatedAt: startedAt, startedAt };
  await writeJson(store, statusKey(restoreVerb), status);
}

function run(world: FakeWorld, inputs: Record<string, string> = {}) {
  const defaults = Object.fromEntries(restoreBackup.inputs.map((input) => [input.name, input.default ?? ""]));
  return executeOperation(world.dependencies(), {
    operation: restoreBackup,
    inputs: { ...defaults, backup: backupId, secret: "scratch", ...inputs },
    caller: { actor: "ana", commit: "abc" },
    declared: { version: 1, tasks: [] },
    leaseSeconds: 0.05,
    actionTimeoutSeconds: () => 1,
  });
}

test("without a digest it shows what would be lost and what to confirm, and asks the host for nothing more", async () => {
  const { world, requests } = newWorld();
  const report = await run(world, { until: "2026-11-21T10:00:00Z", drop: "true" });
  expect(report.error).toBeUndefined();
  expect(requests).toMatchObject([{ backupId, until: "2026-11-21T10:00:00Z", drop: true, by: "ana" }]);
  expect(requests[0]).not.toHaveProperty("confirmed");
  const summary = renderSummary(restoreBackup, report, "normal");
  expect(summary.split("\n")[0]).toBe("## ✅ PREVIEW ONLY, nothing was changed: restore-backup succeeded");
  expect(summary).toMatch(new RegExp(`\\*\\*Next\\*\\*: to restore .* confirm=${digest}\n`));
  expect(summary.indexOf("dropped shop.")).toBeLessThan(summary.indexOf("replaced shop."));
  expect(summary).not.toContain("<b>");
});

test("with the preview's digest the host restores, once; the time counts against RTO", async () => {
  const { world, requests } = newWorld();
  const report = await run(world, { confirm: digest });
  expect(report.error).toBeUndefined();
  expect(requests.map(({ confirmed }) => confirmed)).toEqual([undefined, digest]);
  const summary = renderSummary(restoreBackup, report, "normal");
  expect(summary.split("\n")[0]).toBe("## ✅ restore-backup succeeded");
  expect(summary).toContain("1 collection compared, all equal");
  expect(summary).toContain("look at the data in h:1");
  const settings = { rtoSecondsMax: 3600, rpoSecondsMax: 60 };
  expect(restoreObjectives({ seconds: 12.5 }, settings)).toMatchObject([
    { name: "RTO", measuredMs: 12_500, maxMs: 3_600_000 },
    { name: "RPO", maxMs: 60_000 },
  ]);
});

test("another digest than the preview's is refused before the host is asked to restore", async () => {
  const { world, requests } = newWorld();
  const { error } = await run(world, { confirm: "f".repeat(16) });
  expect(error).toMatchObject({ kind: "refused", got: expect.stringContaining(digest) });
  expect(requests.some(({ confirmed }) => confirmed !== undefined)).toBe(false);
});

test("in place it wants the environment's name and stopped tasks; a preview only says so", async () => {
  const { world, requests } = newWorld();
  world.task = { ...world.task, status: "running" };
  const shown = await run(world, { into: "in-place" });
  expect(shown.error).toBeUndefined();
  expect(renderSummary(restoreBackup, shown, "normal")).toContain("before it is confirmed: DMS task");
  const asked = { into: "in-place", confirm: digest, "confirm-environment": "dev" };
  expect((await run(world, asked)).error).toMatchObject({ kind: "refused", got: "running" });
  world.task = { ...world.task, status: "stopped" };
  const unnamed = await run(world, { ...asked, "confirm-environment": "-" });
  expect(unnamed.error).toMatchObject({ kind: "refused", expected: "confirm-environment=dev" });
  expect(requests.length).toBe(1);
  expect((await run(world, asked)).error).toBeUndefined();
  expect(requests.at(-1)).toMatchObject({ target: { kind: "in-place" }, confirmed: digest });
});

test("what differs fails the run; a restore at work on the host is not overwritten by another", async () => {
  const { world, requests } = newWorld(["shop.orders: expected 2 documents, got 1"]);
  expect((await run(world, { confirm: digest })).error).toMatchObject({ kind: "differs" });
  const before = requests.length;
  const now = new Date().toISOString();
  const detail = { restore: "another", stage: "replay" };
  const status = {
    version: 1,
    service: restoreVerb,
    state: "running",
    updatedAt: now,
    startedAt: now,
    detail,
  };
  await writeJson(world.store, statusKey(restoreVerb), status);
  expect((await run(world)).error).toMatchObject({
    kind: "refused",
    got: expect.stringContaining("another"),
  });
  expect(requests.length).toBe(before);
});
