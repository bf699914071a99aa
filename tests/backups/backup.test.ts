/** The operations host's timer, unit and runbooks: a backup that can be restored exactly, killed, begun anew, rescheduled. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GetObjectTaggingCommand, ListMultipartUploadsCommand } from "@aws-sdk/client-s3";
import { MongoClient } from "mongodb";
import { backupIds, newestBackup, readBackup } from "../../adapters/state/backups.ts";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import type { BackupManifest } from "../../core/backup/documents.ts";
import { backupKeys, scheduleKey, statusKey } from "../../core/backup/layout.ts";
import { exitCodes } from "../../core/errors.ts";
import type { ServiceStatus } from "../../core/failback/documents.ts";
import { currentKey } from "../../core/failback/layout.ts";
import { compareTimes } from "../../core/failback/recorded-tasks.ts";
import { sha256Of } from "../../core/sha256.ts";
import { startDatabase } from "../../sandbox/up/database.ts";
import { waitFor } from "../support/wait-for.ts";
import { hasTools, tool } from "./backup-world.ts";
import { contentOf, ModelledWriter } from "./modelled-writer.ts";
import { OperationsWorld } from "./operations-world.ts";
import { randomOf } from "./random.ts";

setDefaultTimeout(60_000);

const unit = "mongodb-backup.service";
const timer = "mongodb-backup.timer";
/** A megabyte each: an archive of three parts. */
const pictures = 18;
const dropIn = `etc/systemd/system/${timer}.d/schedule.conf`;
let world: OperationsWorld;
let writer: ModelledWriter;

/** Much that compresses badly, so that an archive takes several parts. */
async function fill(): Promise<void> {
  const megabyte = () => Buffer.from(crypto.getRandomValues(new Uint8Array(65_536)).buffer);
  const blob = () => Buffer.concat(Array.from({ length: 16 }, megabyte));
  const all = Array.from({ length: pictures }, (_, n) => ({ n, blob: blob() }));
  await world.client.db("shop").collection("pictures").insertMany(all);
}

beforeAll(async () => {
  if (!hasTools) return;
  world = await OperationsWorld.start({ schedule: "0 0 * * *" });
  writer = new ModelledWriter(world.client, randomOf(7));
  // mongodump refuses a dump with renames in it: another test's matter.
  writer.renames = false;
  for (let step = 0; step < 50; step++) await writer.step();
});
afterAll(async () => {
  await writer?.end();
  await world?.[Symbol.asyncDispose]();
});

/** Writes until `done`; gives what it gave. */
async function writingUntil<T>(done: () => Promise<T | undefined>): Promise<T> {
  const until = Date.now() + 30_000;
  while (Date.now() < until) {
    for (let step = 0; step < 5; step++) await writer.step();
    const found = await done();
    if (found !== undefined) return found;
  }
  throw new Error("waited 30 s");
}

const unfinishedUploads = async (): Promise<number> =>
  (await world.s3.send(new ListMultipartUploadsCommand({ Bucket: world.bucket }))).Uploads?.length ?? 0;

/** What a person would type (docs/backups.md), into a server that is empty. */
async function restored(manifest: BackupManifest): Promise<{ content: string; kept: number }> {
  const dir = world.sandbox.workspace.at("other");
  // The backup's users take the place of the server's: whoever restores has to be one of them.
  mkdirSync(dir);
  cpSync(world.sandbox.workspace.at("database", "admin-password"), join(dir, "admin-password"));
  await using other = await startDatabase({ dir, name: "other" });
  const archive = (await world.store.get(manifest.archive.key))!.body;
  expect(sha256Of(archive)).toBe(manifest.archive.sha256);
  const words = ["--gzip", "--archive", "--oplogReplay", `--uri=${other.ready.uri}`];
  const child = Bun.spawn([tool("mongorestore"), ...words], {
    stdin: archive,
    stdout: "ignore",
    stderr: "pipe",
  });
  const [said, code] = [await new Response(child.stderr).text(), await child.exited];
  expect([code, code === 0 ? "" : said]).toEqual([0, ""]);
  const client = await new MongoClient(other.ready.uri).connect();
  try {
    const kept = await client.db("shop").collection("pictures").countDocuments();
    await client.db("shop").collection("pictures").drop();
    return { content: await contentOf(client), kept };
  } finally {
    await client.close();
  }
}

describe.skipIf(!hasTools)("backups of MongoDB on the operations host", () => {
  test("a backup that was due while the host was off is made when it is on, and restores to its oplog's last entry", async () => {
    await fill();
    mkdirSync(world.at("var/lib/systemd/timers"), { recursive: true });
    writeFileSync(world.at(`var/lib/systemd/timers/stamp-${timer}`), "2026-11-01T00:00:00.000Z");
    await world.systemctl("enable", "--now", timer);
    const manifest = await writingUntil(() => newestBackup(world.store));
    expect(manifest).toMatchObject({ environment: "dev", source: { setName: "rs0" } });
    expect(manifest.oplog.entries).toBeGreaterThan(5);
    const { content, kept } = await restored(manifest);
    const last = writer.written.findLast(({ at }) => compareTimes(at, manifest.oplog.last) <= 0);
    expect(writer.written.at(-1)!.at).not.toEqual(last!.at);
    expect(content).toBe(last!.content);
    expect(kept).toBe(pictures);
    await world.ended(unit);
    expect(await world.lastRun()).toMatchObject({
      state: "finished",
      backupId: manifest.id,
      nextDueAt: expect.stringMatching(/T00:00:00\.000Z$/),
    });
    const keys = backupKeys(manifest.id);
    for (const Key of [keys.archive("gzip"), keys.manifest]) {
      const { TagSet } = await world.s3.send(new GetObjectTaggingCommand({ Bucket: world.bucket, Key }));
      expect(TagSet).toEqual([{ Key: "retention", Value: "backup" }]);
    }
  });

  test("killed in mid-dump there is no backup; systemd begins anew, and that one is whole", async () => {
    const before = await backupIds(world.store);
    await world.fault({
      caller: "mongodb-backup",
      operation: "UploadPart",
      nth: 2,
      action: { kill: "mongodb-backup" },
    });
    await world.systemctl("start", "--no-block", unit);
    await waitFor("the restart", async () => (await world.property(unit, "NRestarts")) === "1", 30_000);
    expect(await backupIds(world.store)).toEqual(before);
    expect(await unfinishedUploads()).toBe(1);
    expect(await world.ended(unit)).toMatchObject({ result: "success" });
    const after = await backupIds(world.store);
    expect(after.length).toBe(before.length + 1);
    const manifest = (await readBackup(world.store, after.at(-1)!))!;
    expect((await world.store.head(manifest.archive.key))?.size).toBe(manifest.archive.bytes);
  });

  test("a bucket that denies leaves no upload behind, stays down and is on record", async () => {
    const [before, uploads] = [await backupIds(world.store), await unfinishedUploads()];
    const denied = { status: 403, code: "AccessDenied" };
    await world.fault({
      caller: "mongodb-backup",
      operation: "UploadPart",
      nth: 2,
      times: 2,
      action: denied,
    });
    await world.systemctl("start", unit);
    expect(await world.ended(unit)).toEqual({ result: "exit-code", code: "5" });
    expect(await backupIds(world.store)).toEqual(before);
    expect(await unfinishedUploads()).toBe(uploads);
    expect(await world.lastRun()).toMatchObject({
      state: "failed",
      error: { got: expect.stringContaining("AccessDenied") },
    });
    const status = (await readJson<ServiceStatus>(world.store, statusKey("mongodb-backup")))?.value;
    expect(status).toMatchObject({ state: "failed", exitCode: 5, failbackId: "" });
  });

  test("in a failback it is refused, says so, and is not tried again", async () => {
    const current = { version: 1, environment: "dev", failbackId: "fb-1", history: [] };
    await writeJson(world.store, currentKey, { ...current, phase: "capturing" });
    await world.systemctl("start", unit);
    expect(await world.ended(unit)).toEqual({ result: "exit-code", code: "3" });
    expect(await world.lastRun()).toMatchObject({
      state: "refused",
      error: { got: expect.stringContaining("capturing") },
    });
    await writeJson(world.store, currentKey, { ...current, phase: "normal" });
  });

  test("runbook backup takes the one that is at its work, waits for it, and proves it", async () => {
    const before = await backupIds(world.store);
    await world.fault({ caller: "mongodb-backup", operation: "UploadPart", action: { delayMs: 2000 } });
    await world.systemctl("start", "--no-block", unit);
    await waitFor("the backup to run", async () => (await world.lastRun())?.state === "running");
    const { code, stdout, stderr } = await world.roundtrip("runbook", "backup", "--env", "dev", "--json");
    expect([code, code === 0 ? "" : stderr]).toEqual([0, ""]);
    const after = await backupIds(world.store);
    expect(after.length).toBe(before.length + 1);
    const report = JSON.parse(stdout) as { steps: { name: string; outcome?: { data?: object } }[] };
    const proved = report.steps.find(({ name }) => name === "prove")?.outcome?.data;
    expect(proved).toMatchObject({ id: after.at(-1), bytes: expect.any(Number) });
  });

  test("runbook verify-backup proves it by the levels asked for; one that can't be looked at here is no success", async () => {
    const verify = (levels: string) =>
      world.roundtrip("runbook", "verify-backup", "--env", "dev", "--input", `levels=${levels}`);
    const proven = await verify("1,2");
    expect([proven.code, proven.code === 0 ? "" : proven.stderr]).toEqual([0, ""]);
    expect(proven.stderr).toContain("✅ PROVEN: verify-backup succeeded");
    const unknown = await verify("3");
    expect(unknown.code).toBe(exitCodes.unknown);
    expect(unknown.stderr).toContain("❌ UNKNOWN: verify-backup stopped at step verdict");
    expect(unknown.stderr).toContain("set backup_scratch_secret_name");
  });

  test("reschedule: the timer elapses at the new times; another host has them, too; given back, Terraform's hold", async () => {
    const ran = (await world.lastRun())?.startedAt;
    const set = (schedule: string) =>
      world.roundtrip("runbook", "reschedule", "--env", "dev", "--input", `schedule=${schedule}`);
    const next = () => world.property(timer, "NextElapseUSecRealtime");
    expect(await set("0 3 1 1 *")).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("the next backups (UTC): 2027-01-01T03:00:00.000Z, 2028-01-01T03"),
    });
    expect(await next()).toBe("Fri 2027-01-01 03:00:00 UTC");

    rmSync(world.at(dropIn));
    await world.systemctl("daemon-reload");
    expect(await next()).toEndWith(" 00:00:00 UTC");
    await world.systemctl("enable", "--now", "backup-schedule.timer");
    await waitFor("the drop-in", () => existsSync(world.at(dropIn)));
    expect(readFileSync(world.at(dropIn), "utf8")).toContain("# 0 3 1 1 *: set by runbook reschedule");
    await world.ended("backup-schedule.service");
    expect(await next()).toBe("Fri 2027-01-01 03:00:00 UTC");

    expect(await set("0 25 * * *")).toMatchObject({ code: 2, stderr: expect.stringContaining("hours") });
    expect(await next()).toBe("Fri 2027-01-01 03:00:00 UTC");
    expect(await set("default")).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("Terraform's backup_schedule"),
    });
    expect(await next()).toEndWith(" 00:00:00 UTC");
    expect((await readJson<object>(world.store, scheduleKey))?.value).not.toHaveProperty("schedule");
    expect((await world.lastRun())?.startedAt).toBe(ran!);
  });

  test("what is listed is what there is", async () => {
    const { code, stdout } = await world.roundtrip("backups", "list", "--env", "dev", "--json");
    expect(code).toBe(0);
    const { backups } = JSON.parse(stdout) as { backups: { manifest: BackupManifest }[] };
    expect(backups.map(({ manifest }) => manifest.id)).toEqual((await backupIds(world.store)).reverse());
    expect(backups.length).toBe(3);
  });
});
