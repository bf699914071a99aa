import { mongodumpVersion } from "../../adapters/dump/mongodump.ts";
import {
  oplogWindow,
  type ReplicaSetIdentity,
  replicaSetIdentity,
} from "../../adapters/mongo/replica-set.ts";
import { newestBackup, readSchedule } from "../../adapters/state/backups.ts";
import { writeJson } from "../../adapters/state/json.ts";
import { isPrecondition } from "../../adapters/store-error.ts";
import { type ArchiveContent, ArchiveReader } from "../../core/backup/archive.ts";
import type { BackupManifest } from "../../core/backup/documents.ts";
import { backupId, backupKeys, backupTags } from "../../core/backup/layout.ts";
import { nextTimes } from "../../core/backup/schedule.ts";
import { defaultBackupSettings, effectiveSchedule } from "../../core/backup/settings.ts";
import { sizeWarning } from "../../core/backup/size-change.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { OperationTime } from "../../core/ports.ts";
import type { Databases, Server } from "../access/databases.ts";
import { dataBytes } from "../dump/data-bytes.ts";
import { dumpToBucket } from "../dump/dump-to-bucket.ts";
import { assertNormalTimes, recordRun } from "../runtime/backup-run.ts";
import type { ServiceContext } from "../runtime/definition.ts";

export interface MongodbBackupOptions {
  readonly service: ServiceContext;
  readonly databases: Databases;
  readonly executable: string;
  /** Where the configuration file lies while mongodump runs. */
  readonly directory: string;
}

/**
 * Takes one backup of MongoDB and records how that went. Fails `refused` in a failback; whatever fails, and whenever it is
 * killed, no manifest is left: there is no such backup, and the next run makes a new one.
 */
export function runMongodbBackup(options: MongodbBackupOptions): Promise<void> {
  const { service } = options;
  return recordRun(
    service,
    "backup",
    () => nextDueAt(service),
    async () => {
      await assertNormalTimes(service, "back MongoDB up");
      const manifest = await takeBackup(options);
      const warning = sizeWarning(manifest, await newestBackup(service.store, manifest.id));
      if (warning) service.logger.warn({ backupId: manifest.id }, warning);
      return { backupId: manifest.id, ...(warning ? { warnings: [warning] } : {}) };
    },
  );
}

/** A schedule that nobody can read is told, and keeps no backup from being made. */
async function nextDueAt({ clock, environment, logger, store }: ServiceContext): Promise<string | undefined> {
  try {
    const { schedule } = effectiveSchedule(environment, await readSchedule(store));
    return nextTimes(schedule, clock.now(), 1)[0]?.toISOString();
  } catch (error) {
    if (!(error instanceof RoundtripError && error.kind === "usage")) throw error;
    logger.warn({ error: error.message }, "when the next backup is due is not known");
    return undefined;
  }
}

async function takeBackup(options: MongodbBackupOptions): Promise<BackupManifest> {
  const { service, executable } = options;
  const { clock, environment, logger, status, store } = service;
  const startedAt = clock.now();
  const id = backupId(startedAt);
  status.update({ state: "running", detail: { backupId: id } });
  const tool = await mongodumpVersion(executable);
  const dumped = await dump(options, id).catch((error) => {
    throw taken(error, id);
  });
  const manifest: BackupManifest = {
    version: 1,
    id,
    environment: environment.environment,
    startedAt: startedAt.toISOString(),
    finishedAt: clock.now().toISOString(),
    tool,
    ...dumped,
  };
  // It expires with its archive.
  const put = { ifNoneMatch: true, tags: backupTags };
  await writeJson(store, backupKeys(id).manifest, manifest, put).catch((error) => {
    throw taken(error, id);
  });
  const { bytes, sha256 } = dumped.archive;
  const documents = dumped.collections.reduce((sum, each) => sum + each.documents, 0);
  status.update({ detail: { backupId: id, collections: dumped.collections.length, documents, bytes } });
  logger.info({ backupId: id, bytes, sha256, documents }, "backup complete");
  return manifest;
}

type Dumped = Pick<BackupManifest, "archive" | "collections" | "oplog" | "source">;

/** Puts the archive into the bucket; an archive that is not whole, or has no oplog, never gets there. */
async function dump(
  { service, databases, executable, directory }: MongodbBackupOptions,
  id: string,
): Promise<Dumped> {
  const { environment } = service;
  const compression = environment.backups?.compression ?? defaultBackupSettings.compression;
  const key = backupKeys(id).archive(compression);
  const server = await databases.open("mongodb");
  const { source, last } = await sourceOf(server);
  const reader = new ArchiveReader(`archive ${key}`);
  let read: Pick<Dumped, "collections" | "oplog"> | undefined;
  const { bytes, sha256 } = await dumpToBucket(service, {
    name: "mongodb",
    secretName: environment.mongodb.secret,
    executable,
    directory,
    oplog: true,
    key,
    compression,
    // Another run of the same second must not replace an archive that a manifest names.
    put: { tags: backupTags, ifNoneMatch: true },
    bytesExpected: await dataBytes(server),
    detail: { backupId: id },
    onArchive: (chunk) => reader.push(chunk),
    onEnd: () => {
      const content = reader.end();
      read = { collections: content.collections, oplog: oplogOf(content, key, last) };
    },
  });
  if (!read) throw new Error(`archive ${key} was uploaded before it had ended`);
  return { source, archive: { key, compression, bytes, sha256 }, ...read };
}

/** Who is dumped, and its newest entry before the dump begins. */
async function sourceOf({
  client,
  failure,
}: Server): Promise<{ source: ReplicaSetIdentity; last: OperationTime }> {
  try {
    const source = await replicaSetIdentity(client);
    const { last } = await oplogWindow(client);
    return { source, last };
  } catch (error) {
    throw failure(error, "find out which replica set is backed up");
  }
}

function oplogOf({ oplog }: ArchiveContent, key: string, before: OperationTime): BackupManifest["oplog"] {
  if (oplog) return { entries: oplog.entries, last: oplog.last ?? before };
  throw new RoundtripError({
    kind: "configuration",
    what: `keep the oplog in archive ${key}`,
    expected: "mongodump --oplog to have written one",
    got: "none in the archive",
    wayOut: "let the secret's connection string name the replica set, no database and no mongos",
  });
}

function taken(error: unknown, id: string): unknown {
  if (!isPrecondition(error)) return error;
  return new RoundtripError(
    {
      kind: "refused",
      what: `back MongoDB up as ${id}`,
      expected: "no backup of that second",
      got: "another run has taken it",
      wayOut: "nothing is to be done: that backup is kept; run it again for another one",
    },
    { cause: error },
  );
}
