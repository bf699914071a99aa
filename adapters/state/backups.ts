/** Backups of MongoDB as they lie in the bucket: one whose manifest is not there does not exist. */
import type { BackupManifest, BackupRun, BackupSchedule } from "../../core/backup/documents.ts";
import { backupKeys, dumpsPrefix, type RunKind, runKey, scheduleKey } from "../../core/backup/layout.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { ObjectStore } from "../../core/ports.ts";
import type { LastRun } from "../../core/readiness/records.ts";
import { readJson } from "./json.ts";

type Reading = Pick<ObjectStore, "get" | "list">;

/** What lies in the folder of one backup. */
export interface BackupFolder {
  readonly id: string;
  /** Without one there is no such backup: a run that was killed left the rest. */
  readonly hasManifest: boolean;
  /** Every object's key and size in bytes. */
  readonly objects: readonly { readonly key: string; readonly size: number }[];
}

/** Every folder of backups, the oldest first. */
export async function backupFolders(store: Pick<ObjectStore, "list">): Promise<BackupFolder[]> {
  const folders = new Map<string, { key: string; size: number }[]>();
  for await (const { key, size } of store.list(dumpsPrefix)) {
    const [id = ""] = key.slice(dumpsPrefix.length).split("/");
    const objects = folders.get(id) ?? [];
    folders.set(id, [...objects, { key, size }]);
  }
  return [...folders].map(([id, objects]) => ({
    id,
    hasManifest: objects.some(({ key }) => key === backupKeys(id).manifest),
    objects,
  }));
}

/** Ids of all backups, the oldest first. */
export async function backupIds(store: Pick<ObjectStore, "list">): Promise<string[]> {
  return (await backupFolders(store)).filter(({ hasManifest }) => hasManifest).map(({ id }) => id);
}

/** Its manifest; `undefined` when there is no such backup. A torn one is `logCorrupt`. */
export async function readBackup(
  store: Pick<ObjectStore, "get">,
  id: string,
): Promise<BackupManifest | undefined> {
  return (await readJson<BackupManifest>(store, backupKeys(id).manifest))?.value;
}

/** The newest backup, or the newest before an id. */
export async function newestBackup(store: Reading, before?: string): Promise<BackupManifest | undefined> {
  const id = (await backupIds(store)).findLast((each) => before === undefined || each < before);
  return id === undefined ? undefined : readBackup(store, id);
}

/** What runbook `reschedule` set, if it ever did. */
export async function readSchedule(store: Pick<ObjectStore, "get">): Promise<BackupSchedule | undefined> {
  return (await readJson<BackupSchedule>(store, scheduleKey))?.value;
}

/** The failure for a backup that isn't there. */
export function noBackup(what: string, id: string): RoundtripError {
  return new RoundtripError({
    kind: "configuration",
    what,
    expected: "a backup with that id",
    got: `no manifest ${backupKeys(id).manifest}`,
    wayOut: "see roundtrip backups list",
  });
}

/** How the last run of a kind ended, for readiness; one that is at its work, or was refused in a failback, has not ended. */
export async function lastRun(store: Pick<ObjectStore, "get">, kind: RunKind): Promise<LastRun | undefined> {
  const run = (await readJson<BackupRun>(store, runKey(kind)))?.value;
  if (!run?.finishedAt || (run.state !== "finished" && run.state !== "failed")) return undefined;
  return { version: 1, finishedAt: run.finishedAt, ok: run.state === "finished" };
}

/** How old the newest backup is, and whether one failed since. */
export async function lastBackup(store: Reading): Promise<LastRun | undefined> {
  const [newest, run] = await Promise.all([newestBackup(store), lastRun(store, "backup")]);
  if (run && !run.ok && (!newest || newest.finishedAt < run.finishedAt)) return run;
  return newest && { version: 1, finishedAt: newest.finishedAt, ok: true };
}
