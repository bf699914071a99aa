import { newestBackup, noBackup, readBackup } from "../../adapters/state/backups.ts";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import type { BackupManifest, BackupRun, Verification } from "../../core/backup/documents.ts";
import {
  backupKeys,
  backupTags,
  latestVerificationKey,
  requestKey,
  runKey,
} from "../../core/backup/layout.ts";
import { defaultBackupSettings } from "../../core/backup/settings.ts";
import {
  defaultLevels,
  isVerificationDue,
  type Level,
  type LevelResult,
  reasonsOf,
  type VerificationRequest,
  verdictOf,
} from "../../core/backup/verification.ts";
import { RoundtripError } from "../../core/errors.ts";
import { asForeseen, isPassing } from "../runtime/asked-for.ts";
import { assertNormalTimes, type RunOutcome, recordRun } from "../runtime/backup-run.ts";
import type { ServiceContext } from "../runtime/definition.ts";
import { verifyRestored } from "./restore.ts";
import type { RestoreTools } from "./restore-parts.ts";
import { verifyStored } from "./stored.ts";

const verb = "verify-backup";

/**
 * Verifies what a person asked for, or the newest backup when that is due; otherwise does nothing. Each verification is
 * written and recorded before its verdict ends the run: `differs` and `unknown` are failures. One that was asked for
 * meanwhile is done, too. Killed anywhere, the next run does it anew.
 */
export async function runVerifyBackup(tools: RestoreTools): Promise<void> {
  const { service } = tools;
  const asked = await requestOf(service);
  if (!asked && !(await isDue(service))) {
    service.logger.info({}, "no verification is due");
    return;
  }
  let failure = await verifyOnce(tools, asked);
  for (let next = await requestOf(service); next; next = await requestOf(service)) {
    failure = (await verifyOnce(tools, next)) ?? failure;
  }
  if (failure) throw failure;
}

/** Gives the failure that a later request need not wait for; throws one that another try can mend. */
async function verifyOnce(
  tools: RestoreTools,
  asked: VerificationRequest | undefined,
): Promise<RoundtripError | undefined> {
  const { service } = tools;
  try {
    await recordRun(
      service,
      "verification",
      () => nextDueAt(service),
      async () => {
        await assertNormalTimes(service, "verify a backup of MongoDB");
        return verify(tools, asked);
      },
    );
    await forget(service, asked);
    return undefined;
  } catch (error) {
    service.signal.throwIfAborted();
    if (isPassing(error)) throw error;
    await forget(service, asked);
    return asForeseen(error, "verify a backup of MongoDB");
  }
}

async function verify(tools: RestoreTools, asked: VerificationRequest | undefined): Promise<RunOutcome> {
  const { service } = tools;
  const { clock, environment, logger, status, store } = service;
  const levels = asked?.levels ?? levelsOf(service);
  const manifest = await backupOf(service, asked?.backupId);
  const { id } = manifest;
  const startedAt = clock.now().toISOString();
  status.update({ state: "running", detail: { backupId: id, stage: "begins" } });
  const results = await verifyLevels(tools, manifest, levels);
  const before = (await readJson<Verification>(store, latestVerificationKey))?.value.verdict;
  const verification: Verification = {
    version: 1,
    environment: environment.environment,
    backupId: id,
    ...(asked ? { request: asked.request } : {}),
    startedAt,
    finishedAt: clock.now().toISOString(),
    verdict: verdictOf(levels, results),
    ...(before ? { before } : {}),
    levels: results,
  };
  await recordRestoreTest(service, verification);
  await writeJson(store, backupKeys(id).verification, verification, { tags: backupTags });
  await writeJson(store, latestVerificationKey, verification);
  const { verdict } = verification;
  status.update({ detail: { backupId: id, stage: "written", verdict } });
  logger.info({ backupId: id, verdict, levels }, "verification written");
  if (verdict !== "PROVEN") throw notProven(verification);
  return { backupId: id };
}

async function verifyLevels(
  tools: RestoreTools,
  manifest: BackupManifest,
  levels: readonly Level[],
): Promise<LevelResult[]> {
  const stored = await verifyStored(tools.service, manifest, levels);
  if (!levels.includes(3)) return stored;
  if (!stored.some(({ verdict }) => verdict === "DIFFERS")) {
    return [...stored, await verifyRestored(tools, manifest)];
  }
  const findings = ["not tried: the archive is not what was dumped"];
  return [...stored, { level: 3, verdict: "UNKNOWN", findings, seconds: 0 }];
}

/** That a backup was restored, and when: monitoring asks for one a month at least. */
async function recordRestoreTest(
  service: ServiceContext,
  { backupId, startedAt, finishedAt, levels }: Verification,
): Promise<void> {
  const tested = levels.find(({ level }) => level === 3);
  if (!tested) return;
  const next = await nextDueAt(service);
  const [got = "nothing"] = tested.findings;
  const run: BackupRun = {
    version: 1,
    kind: "restore-test",
    state: tested.verdict === "PROVEN" ? "finished" : "failed",
    startedAt,
    finishedAt,
    backupId,
    ...(tested.verdict === "PROVEN" ? {} : { error: failureWords(backupId, got) }),
    ...(next ? { nextDueAt: next } : {}),
  };
  await writeJson(service.store, runKey("restore-test"), run);
}

async function backupOf({ store }: ServiceContext, id: string | undefined): Promise<BackupManifest> {
  const found = id === undefined ? await newestBackup(store) : await readBackup(store, id);
  if (found) return found;
  if (id !== undefined) throw noBackup(`verify backup ${id}`, id);
  throw new RoundtripError({
    kind: "unknown",
    what: "verify the newest backup",
    expected: "a backup",
    got: "none in the bucket",
    wayOut: "take one: runbook backup",
  });
}

function levelsOf({ environment }: ServiceContext): readonly Level[] {
  return environment.backups?.levels ?? defaultLevels;
}

function afterMinutesOf({ environment }: ServiceContext): number {
  return environment.backups?.verifyAfterMinutes ?? defaultBackupSettings.verifyAfterMinutes;
}

async function requestOf({ store }: ServiceContext): Promise<VerificationRequest | undefined> {
  return (await readJson<VerificationRequest>(store, requestKey(verb)))?.value;
}

/** Takes the request away, unless it is another one by now. */
async function forget(service: ServiceContext, asked: VerificationRequest | undefined): Promise<void> {
  if (!asked || (await requestOf(service))?.request !== asked.request) return;
  await service.store.delete([requestKey(verb)]);
}

async function isDue(service: ServiceContext): Promise<boolean> {
  const { clock, phaseStore, store } = service;
  // In a failback there is nothing to alarm anybody about: MongoDB is down, or being restored.
  if ((await phaseStore.read()).phase !== "normal") return false;
  const manifest = await newestBackup(store);
  if (!manifest) return false;
  const verification = (await readJson<Verification>(store, backupKeys(manifest.id).verification))?.value;
  const run = (await readJson<BackupRun>(store, runKey("verification")))?.value;
  return isVerificationDue(
    manifest,
    { verification, run },
    { now: clock.now(), afterMinutes: afterMinutesOf(service), levels: levelsOf(service) },
  );
}

/** The next backup by its schedule, the time the last one took, and the minutes behind it. */
async function nextDueAt(service: ServiceContext): Promise<string | undefined> {
  const { store } = service;
  const backup = (await readJson<BackupRun>(store, runKey("backup")))?.value;
  if (!backup?.nextDueAt) return undefined;
  const last = await newestBackup(store);
  const tookMs = last ? Date.parse(last.finishedAt) - Date.parse(last.startedAt) : 0;
  return new Date(Date.parse(backup.nextDueAt) + tookMs + afterMinutesOf(service) * 60_000).toISOString();
}

function failureWords(backupId: string, got: string): NonNullable<BackupRun["error"]> {
  return {
    what: `verify backup ${backupId}`,
    expected: "every level that was asked for to be proven",
    got,
    wayOut: `mend what is named, then run runbook verify-backup; until then restore from a backup that is proven (roundtrip backups list)`,
  };
}

function notProven(verification: Verification): RoundtripError {
  const kind = verification.verdict === "DIFFERS" ? "differs" : "unknown";
  return new RoundtripError({ kind, ...failureWords(verification.backupId, reasonsOf(verification)) });
}
