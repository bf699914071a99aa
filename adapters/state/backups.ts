/** Backups of MongoDB as they lie in the bucket: one whose manifest is not there does not exist. */
import type { BackupManifest, BackupSchedule } from "../../core/backup/documents.ts";
import { backupKeys, dumpsPrefix, scheduleKey } from "../../core/backup/layout.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { ObjectStore } from "../../core/ports.ts";
import { readJson } from "./json.ts";

type Reading = Pick<ObjectStore, "get" | "list">;

/** Ids of all backups, the oldest first. */
export async function backupIds(store: Pick<ObjectStore, "list">): Promise<string[]> {
  const ids: string[] = [];
  for await (const { key } of store.list(dumpsPrefix)) {
    const [id = "", name, more] = key.slice(dumpsPrefix.length).split("/");
    if (name === "manifest.json" && more === undefined) ids.push(id);
  }
  return ids;
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
