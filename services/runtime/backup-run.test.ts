import { expect, test } from "bun:test";
import { readJson } from "../../adapters/state/json.ts";
import type { BackupRun } from "../../core/backup/documents.ts";
import { runKey } from "../../core/backup/layout.ts";
import { RoundtripError } from "../../core/errors.ts";
import { ServiceWorld } from "../../tests/support/service-world.ts";
import { assertNormalTimes, recordRun } from "./backup-run.ts";

const next = async () => "2026-11-22T00:00:00.000Z";
const recorded = async ({ store }: ServiceWorld) =>
  (await readJson<BackupRun>(store, runKey("backup")))?.value;

test("a run is on record from its begin on, and then how it ended", async () => {
  using world = new ServiceWorld();
  await recordRun(world.service, "backup", next, async () => {
    expect(await recorded(world)).toMatchObject({ state: "running", nextDueAt: await next() });
    return { backupId: "b", warnings: ["smaller"] };
  });
  expect(await recorded(world)).toMatchObject({
    state: "finished",
    backupId: "b",
    warnings: ["smaller"],
    finishedAt: expect.any(String),
  });
  expect(await world.store.head("backups/status/test.json")).toBeDefined();
});

test("a failure is on record in its own words, and thrown on", async () => {
  using world = new ServiceWorld();
  const words = { what: "w", expected: "e", got: "g", wayOut: "o" };
  const failing = recordRun(world.service, "backup", next, () =>
    Promise.reject(new RoundtripError({ kind: "denied", ...words })),
  );
  await expect(failing).rejects.toMatchObject({ kind: "denied" });
  expect(await recorded(world)).toMatchObject({ state: "failed", error: words, nextDueAt: await next() });
});

test("in a failback a backup is refused, which is no failure", async () => {
  using world = new ServiceWorld();
  await world.enter("restoring");
  const refused = recordRun(world.service, "backup", next, async () => {
    await assertNormalTimes(world.service, "back MongoDB up");
    return {};
  });
  await expect(refused).rejects.toThrow("phase restoring of failback fb-1");
  expect(await recorded(world)).toMatchObject({ state: "refused" });
  await world.enter("normal");
  await assertNormalTimes(world.service, "back MongoDB up");
});

test("a bucket that loses the record of a failure does not hide the failure", async () => {
  using world = new ServiceWorld();
  const failing = recordRun(world.service, "backup", next, async () => {
    world.store.put = () => Promise.reject(new Error("away"));
    throw new Error("the cause");
  });
  await expect(failing).rejects.toThrow("the cause");
  expect(world.warnings.length).toBeGreaterThan(0);
});
