import { newestBackup } from "../../adapters/state/backups.ts";
import { readJson } from "../../adapters/state/json.ts";
import type { BackupManifest, BackupRun } from "../../core/backup/documents.ts";
import { backupKeys, dumpsPrefix, runKey, statusKey } from "../../core/backup/layout.ts";
import { RoundtripError } from "../../core/errors.ts";
import { counted } from "../../core/plan/words.ts";
import type { Operation, OperationContext } from "../engine/runbook.ts";
import { followAt } from "../steps/await-service.ts";
import { operationsHostAsBefore, operationsHostReady } from "../steps/operations-host.ts";
import type { OperationStep } from "../steps/selected-tasks.ts";

const verb = "mongodb-backup";
const unit = `${verb}.service`;
/** A runner has 6 hours; a laptop may run this again as long as the host works. */
const watchSeconds = 5.5 * 3600;

/** The backup that this run is about: the newest, when it was begun by the run that was asked for, or by a later one. */
async function askedFor(context: OperationContext): Promise<BackupManifest | undefined> {
  const since = context.data("start-backup")?.startedAt;
  const newest = typeof since === "string" ? await newestBackup(context.store) : undefined;
  return newest && newest.startedAt >= String(since) ? newest : undefined;
}

const startBackup: OperationStep = {
  name: "start-backup",
  what: "start the backup on the operations host; one that is at its work is the one that is waited for",
  undo: "nothing to undo: a backup more",
  every: true,
  plan: (context) => [context.plannedAction("start-backup-service", { unit })],
  run: async (context) => {
    // Run again after the runner was lost: what was asked for may be done by now.
    const before = context.data("start-backup");
    const done = await askedFor(context);
    if (before && done) return { data: before, note: `${done.id} is complete` };
    const { checks, data } = await context.action("start-backup-service", { unit });
    return { checks, data, note: `run ${String(data.run)}, begun ${String(data.startedAt)}` };
  },
};

const awaitBackup: OperationStep = {
  name: "await-backup",
  what: "follow the backup until its manifest is in the bucket",
  undo: "nothing to undo: a backup more",
  every: true,
  plan: () => [
    { call: "S3 GetObject", target: statusKey(verb) },
    { call: "S3 ListObjectsV2", target: dumpsPrefix },
  ],
  run: async (context) => {
    const since = String(context.data("start-backup")?.startedAt);
    const followed = { services: [verb], keyOf: statusKey, since, timeoutSeconds: watchSeconds };
    const { id } = await followAt(context, followed, () => askedFor(context));
    return { data: { id }, note: id };
  },
};

const prove: OperationStep = {
  name: "prove",
  what: "see that the archive has the size its manifest says, and compare it with the backup before",
  undo: "nothing was changed",
  every: true,
  plan: () => [
    { call: "S3 GetObject", target: `${dumpsPrefix}‹backup›/manifest.json` },
    { call: "S3 HeadObject", target: `${dumpsPrefix}‹backup›/dump.archive` },
    { call: "S3 GetObject", target: runKey("backup") },
  ],
  run: async (context) => {
    const manifest = await askedFor(context);
    const size = manifest && (await context.store.head(manifest.archive.key))?.size;
    if (!manifest || size !== manifest.archive.bytes) throw notWhole(manifest, size);
    const { archive, collections, id } = manifest;
    const documents = collections.reduce((sum, each) => sum + each.documents, 0);
    const run = (await readJson<BackupRun>(context.store, runKey("backup")))?.value;
    const warnings = run?.backupId === id ? (run.warnings ?? []) : [];
    for (const warning of warnings) context.say(`  ! ${warning}`);
    const note = [
      `${id}: ${counted(collections.length, "collection")}, ${counted(documents, "document")}, ${archive.bytes} bytes`,
      ...warnings,
    ];
    return {
      checks: [
        { name: `archive of ${id}`, ok: true, expected: `${archive.bytes} bytes`, got: `${size} bytes` },
      ],
      data: { id, bytes: archive.bytes, sha256: archive.sha256, collections: collections.length, documents },
      note: note.join("; "),
    };
  },
};

function notWhole(manifest: BackupManifest | undefined, size: number | undefined): RoundtripError {
  return new RoundtripError({
    kind: "unknown",
    what: `prove backup ${manifest?.id ?? "that was asked for"}`,
    expected: manifest
      ? `${manifest.archive.bytes} bytes in ${manifest.archive.key}`
      : `${backupKeys("‹id›").manifest}`,
    got: size === undefined ? "no such object" : `${size} bytes`,
    wayOut: "see who writes or deletes below backups/ beside Roundtrip (CloudTrail), then run this again",
  });
}

export const backup: Operation = {
  kind: "operation",
  name: "backup",
  summary: "Back MongoDB up now, beside the schedule: the whole replica set, with what is written meanwhile.",
  inputs: [],
  steps: [operationsHostReady, startBackup, awaitBackup, prove, operationsHostAsBefore],
  next: "verify-backup, if the newest backup is to be proved now and not after its time",
};
