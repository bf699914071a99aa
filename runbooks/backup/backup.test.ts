import { expect, test } from "bun:test";
import { writeJson } from "../../adapters/state/json.ts";
import type { BackupManifest } from "../../core/backup/documents.ts";
import { backupId, backupKeys, runKey, statusKey } from "../../core/backup/layout.ts";
import type { ServiceStatus } from "../../core/failback/documents.ts";
import { FakeWorld, succeeded } from "../engine/fake-world.ts";
import { executeOperation } from "../engine/operation.ts";
import { backup } from "./runbook.ts";

const action = "start-backup-service";

function run(world: FakeWorld) {
  return executeOperation(world.dependencies(), {
    operation: backup,
    inputs: {},
    caller: { actor: "ana", commit: "abc" },
    declared: { version: 1, tasks: [] },
    leaseSeconds: 0.05,
    actionTimeoutSeconds: () => 1,
  });
}

/** A backup as the host leaves it; `bytes` is what the archive really has. */
async function leave(world: FakeWorld, startedAt: Date, bytes = 3): Promise<string> {
  const id = backupId(startedAt);
  const archive = {
    key: backupKeys(id).archive("gzip"),
    bytes: 3,
    sha256: "f",
    compression: "gzip",
  } as const;
  const manifest: Partial<BackupManifest> = {
    id,
    startedAt: startedAt.toISOString(),
    finishedAt: startedAt.toISOString(),
    archive,
    collections: [{ database: "shop", name: "orders", documents: 7, bytes: 1, content: "", metadata: "" }],
  };
  await world.store.put(archive.key, new Uint8Array(bytes));
  await writeJson(world.store, backupKeys(id).manifest, manifest);
  return id;
}

async function status(world: FakeWorld, more: Partial<ServiceStatus>): Promise<void> {
  const now = new Date().toISOString();
  await writeJson(world.store, statusKey("mongodb-backup"), {
    service: "mongodb-backup",
    run: "r",
    state: "running",
    startedAt: now,
    updatedAt: now,
    ...more,
  });
}

/** What the host does when it is asked; gives how often it was. */
function onStart(world: FakeWorld, work: (startedAt: Date, times: number) => Promise<unknown>): () => number {
  let times = 0;
  world.answers.set(action, () => {
    const startedAt = new Date();
    void work(startedAt, ++times);
    return succeeded("c", action, { run: `r${times}`, startedAt: startedAt.toISOString() });
  });
  return () => times;
}

test("a backup is started, followed and proved; what is odd about its size is said", async () => {
  const world = new FakeWorld();
  await leave(world, new Date("2026-01-01T00:00:00Z"));
  let id = "";
  onStart(world, async (startedAt) => {
    await status(world, {});
    id = await leave(world, startedAt);
    await writeJson(world.store, runKey("backup"), {
      backupId: id,
      warnings: ["size +80 % against another"],
    });
  });
  const report = await run(world);
  expect(report.error).toBeUndefined();
  const prove = report.steps.find(({ name }) => name === "prove")?.outcome;
  expect(prove).toMatchObject({
    data: { id, bytes: 3, documents: 7 },
    checks: [{ name: `archive of ${id}`, ok: true, got: "3 bytes" }],
  });
  expect(prove?.note).toBe(`${id}: 1 collection, 7 documents, 3 bytes; size +80 % against another`);
});

const error = { what: "dump", expected: "an end", got: "role missing", wayOut: "give it" };

test("a failure on the host ends the run in the host's words, at once; run again it starts another backup", async () => {
  const world = new FakeWorld();
  const asked = onStart(world, async (startedAt, times) => {
    // It has failed before anybody looks.
    if (times === 1) await status(world, { state: "failed", exitCode: 5, error });
    else {
      await status(world, {});
      await leave(world, startedAt);
    }
  });
  const failed = await run(world);
  expect(failed).toMatchObject({ succeeded: false, error: { kind: "denied", got: "role missing" } });
  expect((await run(world)).error).toBeUndefined();
  expect(asked()).toBe(2);
});

test("a failure from before this backup was asked for is not taken for its own", async () => {
  const world = new FakeWorld();
  const longAgo = "2026-01-01T00:00:00.000Z";
  await status(world, { state: "failed", exitCode: 5, error, startedAt: longAgo, updatedAt: longAgo });
  onStart(world, async (startedAt) => {
    await Bun.sleep(50);
    await leave(world, startedAt);
  });
  expect((await run(world)).error).toBeUndefined();
});

test("run again after the runner was lost it finds the backup that was asked for, and starts none", async () => {
  const world = new FakeWorld();
  const asked = onStart(world, async (startedAt) => {
    await status(world, {});
    await leave(world, startedAt, 2);
  });
  // The archive is short, and so the first run ends behind the backup.
  expect(await run(world)).toMatchObject({ succeeded: false, error: { kind: "unknown", got: "2 bytes" } });
  for await (const { key } of world.store.list("backups/dumps/"))
    if (key.endsWith(".gz")) await world.store.put(key, new Uint8Array(3));
  expect((await run(world)).error).toBeUndefined();
  expect(asked()).toBe(1);
});
