/**
 * Where backups of MongoDB lie in the environment's bucket. They belong to no failback and outlive each.
 *
 *     backups/dumps/<id>/dump.archive.gz       the tags by which the bucket's lifecycle expires it are written with it
 *     backups/dumps/<id>/manifest.json         written last: without it there is no such backup
 *     backups/dumps/<id>/verification.json     the newest verification
 *     backups/oplog/<era>/segments/…           raw oplog entries, concatenated
 *     backups/oplog/<era>/manifests/…          one a segment, contiguous numbers: what no manifest names does not exist
 *     backups/runs/<kind>.json                 how the last run of a kind ended, and when the next one is due
 *     backups/status/<verb>.json               what a service is at, while it works
 *     backups/requests/<verb>.json             what a person asked a service for; gone once it is done
 *     backups/schedule.json                    the schedule a person has set; without it the environment's holds
 *     backups/dr-tests/<id>.json               what a test of the way back found (core/backup/dr-test.ts)
 *     backups/verification.json                the newest verification of all: people are told when its verdict changes
 */
import type { OperationTime } from "../ports.ts";

export const backupsPrefix = "backups/";
export const dumpsPrefix = `${backupsPrefix}dumps/`;
export const oplogPrefix = `${backupsPrefix}oplog/`;
export const latestVerificationKey = `${backupsPrefix}verification.json`;

/** Lifecycle of the bucket: dumps 30 days, the oplog archive two (24 hours are wanted; a lifecycle counts days). */
export const backupTags = { retention: "backup" };
export const oplogTags = { retention: "oplog" };

/** In order of time as text: `2026-11-21T00-00-00Z`. */
export function backupId(startedAt: Date): string {
  return startedAt
    .toISOString()
    .replace(/\.\d+Z$/, "Z")
    .replaceAll(":", "-");
}

export type Compression = "gzip" | "zstd";

const archiveExtensions = { gzip: "gz", zstd: "zst" } as const;

export function backupKeys(id: string) {
  const root = `${dumpsPrefix}${id}/`;
  return {
    root,
    archive: (compression: Compression) => `${root}dump.archive.${archiveExtensions[compression]}`,
    manifest: `${root}manifest.json`,
    verification: `${root}verification.json`,
  };
}

/** `era` is new whenever continuity is lost (a gap, another replica set): a chain of segments has no holes. */
export function oplogKeys(era: string) {
  const root = `${oplogPrefix}${era}/`;
  return {
    root,
    segment: (number: number, last: OperationTime) =>
      `${root}segments/${padded(number)}_${last.t}-${last.i}.bson.zst`,
    manifests: `${root}manifests/`,
    manifest: (number: number) => `${root}manifests/${padded(number)}.json`,
  };
}

/** The status of a verb that belongs to no failback (services/runtime/status.ts). */
export function statusKey(verb: string): string {
  return `${backupsPrefix}status/${verb}.json`;
}

/** What a person asks a verb for: systemd starts it without a word. */
export function requestKey(verb: string): string {
  return `${backupsPrefix}requests/${verb}.json`;
}

export const scheduleKey = `${backupsPrefix}schedule.json`;

export type RunKind = "backup" | "verification" | "restore-test" | "oplog" | "dr-test";

export function runKey(kind: RunKind): string {
  return `${backupsPrefix}runs/${kind}.json`;
}

function padded(number: number): string {
  return String(number).padStart(10, "0");
}
