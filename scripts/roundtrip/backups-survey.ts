/** What there is of backups, read from the bucket. */
import { readEraBounds } from "../../adapters/backup/oplog-archive.ts";
import {
  type BackupFolder,
  backupFolders,
  noBackup,
  readBackup,
  readSchedule,
} from "../../adapters/state/backups.ts";
import { readJson } from "../../adapters/state/json.ts";
import type { BackupManifest, BackupRun, Verification } from "../../core/backup/documents.ts";
import { backupKeys, runKey } from "../../core/backup/layout.ts";
import { pruningOf } from "../../core/backup/pruning.ts";
import { effectiveSchedule } from "../../core/backup/settings.ts";
import { type EraBounds, type RestorableSpan, restorableSpan } from "../../core/backup/span.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { RunbookDependencies } from "../../runbooks/engine/execution.ts";

type Reading = Pick<RunbookDependencies, "environment" | "store">;

export interface FoundBackup {
  readonly manifest: BackupManifest;
  /** The archive is there with the size the manifest says; the bucket's lifecycle may have taken it first. */
  readonly isWhole: boolean;
  readonly verification?: Verification;
  /** Which times can be restored from it: the backup itself, and on as far as the oplog's archive leads. */
  readonly restorable: RestorableSpan;
}

export interface BackupsReport {
  readonly environment: string;
  readonly schedule: string;
  readonly scheduleFrom: string;
  readonly lastRun?: BackupRun;
  /** Why nothing is known of the oplog's archive. */
  readonly oplogUnknown?: string;
  /** The newest first. */
  readonly backups: readonly FoundBackup[];
}

/** Every backup with how the last run went. */
export async function surveyBackups({ environment, store }: Reading): Promise<BackupsReport> {
  const [folders, { eras, oplogUnknown }] = await Promise.all([backupFolders(store), readEras(store)]);
  const backups: FoundBackup[] = [];
  for (const folder of folders.reverse())
    if (folder.hasManifest) backups.push(await read(store, folder, eras));
  const lastRun = (await readJson<BackupRun>(store, runKey("backup")))?.value;
  const { schedule, from } = effectiveSchedule(environment, await readSchedule(store));
  return {
    environment: environment.environment,
    schedule: schedule.text,
    scheduleFrom: from,
    ...(lastRun ? { lastRun } : {}),
    ...(oplogUnknown === undefined ? {} : { oplogUnknown }),
    backups,
  };
}

/** An archive that can't be read hides no backup. */
async function readEras(store: Reading["store"]): Promise<{ eras: EraBounds[]; oplogUnknown?: string }> {
  try {
    return { eras: await readEraBounds(store) };
  } catch (error) {
    if (error instanceof RoundtripError && error.kind === "logCorrupt")
      return { eras: [], oplogUnknown: error.message };
    throw error;
  }
}

/** One backup. Fails `configuration` when there is none with that id. */
export async function findBackup({ store }: Reading, id: string): Promise<FoundBackup> {
  const folder = (await backupFolders(store)).find((each) => each.id === id);
  if (!folder?.hasManifest) throw noBackup("describe a backup", id);
  return read(store, folder, (await readEras(store)).eras);
}

async function read(
  store: Reading["store"],
  { id, objects }: BackupFolder,
  eras: readonly EraBounds[],
): Promise<FoundBackup> {
  const manifest = await readBackup(store, id);
  if (!manifest) throw noBackup("read a backup", id);
  const { archive } = manifest;
  const verification = (await readJson<Verification>(store, backupKeys(id).verification))?.value;
  return {
    manifest,
    isWhole: objects.some(({ key, size }) => key === archive.key && size === archive.bytes),
    ...(verification ? { verification } : {}),
    restorable: restorableSpan(manifest, eras),
  };
}

export interface PruneReport {
  readonly environment: string;
  readonly before: string;
  /** False: nothing was deleted, this is what would be. */
  readonly pruned: boolean;
  readonly remove: readonly string[];
  readonly spared: readonly { readonly id: string; readonly why: string }[];
  /** What killed runs left: archives that no manifest names. */
  readonly leftovers: readonly string[];
  readonly bytes: number;
}

/**
 * What pruning would delete, or with `act` deletes: a backup's manifest first, so that one whose removal breaks off does
 * not exist, and what is left of it is a leftover of the next time.
 */
export async function pruneBackups(
  { environment, store }: Reading,
  before: Date,
  act: boolean,
): Promise<PruneReport> {
  const folders = await backupFolders(store);
  const found: FoundBackup[] = [];
  for (const folder of folders) if (folder.hasManifest) found.push(await read(store, folder, []));
  const { remove, spared } = pruningOf(
    found.map(({ manifest: { id, startedAt }, verification, isWhole }) => ({
      id,
      startedAt,
      isProven: isWhole && verification?.verdict === "PROVEN",
    })),
    before,
  );
  const leftovers = folders.filter(({ id, hasManifest }) => !hasManifest && isBefore(id, before));
  const going = [...folders.filter(({ id }) => remove.includes(id)), ...leftovers];
  if (act) {
    for (const { id, objects } of going) {
      const { manifest } = backupKeys(id);
      await store.delete([manifest]);
      await store.delete(objects.map(({ key }) => key).filter((key) => key !== manifest));
    }
  }
  return {
    environment: environment.environment,
    before: before.toISOString(),
    pruned: act,
    remove,
    spared,
    leftovers: leftovers.map(({ id }) => id),
    bytes: going.flatMap(({ objects }) => objects).reduce((sum, { size }) => sum + size, 0),
  };
}

/** By the time that the id is: `2026-11-21T00-00-00Z`. What has another form is nobody's to prune. */
function isBefore(id: string, before: Date): boolean {
  const time = Date.parse(id.replace(/T(\d{2})-(\d{2})-(\d{2})Z$/, "T$1:$2:$3Z"));
  return time < before.getTime();
}
