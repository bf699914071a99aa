/** What the oplog's archive had of the test's heartbeats when they were lost. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  newestOplogManifest,
  oplogManifests,
  readEra,
  readSegment,
} from "../../adapters/backup/oplog-archive.ts";
import { replayOplog } from "../../adapters/dump/mongorestore.ts";
import { readJson } from "../../adapters/state/json.ts";
import type { OplogManifest } from "../../core/backup/documents.ts";
import { drTestDatabase } from "../../core/backup/dr-test.ts";
import { statusKey } from "../../core/backup/layout.ts";
import { oplogFlushSecondsDefault } from "../../core/backup/oplog-era.ts";
import { findElement, textIn } from "../../core/bson/raw.ts";
import type { ServiceStatus } from "../../core/failback/documents.ts";
import { compareTimes } from "../../core/failback/recorded-tasks.ts";
import { timeOfEntry } from "../../core/oplog/entry.ts";
import type { OperationTime } from "../../core/ports.ts";
import type { ServiceContext } from "../runtime/definition.ts";
import { heartbeatsCollection } from "./database.ts";

const archiver = "oplog-archive";
const endStates: readonly ServiceStatus["state"][] = ["finished", "failed", "stopped"];
const lookEveryMs = 200;
const graceMs = 10_000;
/** No time of an operation is later. */
const endOfTime: OperationTime = { t: 0xffff_ffff, i: 0 };

export function flushMs({ environment }: Pick<ServiceContext, "environment">): number {
  return (environment.backups?.oplogFlushSeconds ?? oplogFlushSecondsDefault) * 1000;
}

/** Waits, bounded, until the archive holds something newer than `after`. False: it isn't being written. */
export async function isArchived(service: ServiceContext, after: OperationTime): Promise<boolean> {
  const { store, clock, signal } = service;
  const deadline = clock.monotonicMs() + 3 * flushMs(service) + graceMs;
  while (clock.monotonicMs() < deadline) {
    if (await hasEnded(service)) return false;
    const era = await readEra(store);
    const newest = era && (await newestOplogManifest(store, era.value.era));
    if (newest && compareTimes(newest.manifest.last, after) > 0) return true;
    service.alive();
    await clock.sleep(lookEveryMs, signal);
  }
  return false;
}

async function hasEnded({ store }: ServiceContext): Promise<boolean> {
  const status = (await readJson<ServiceStatus>(store, statusKey(archiver)))?.value;
  return status === undefined || endStates.includes(status.state);
}

export interface ReplayTools {
  readonly service: ServiceContext;
  readonly executable: string;
  readonly configurationPath: string;
  readonly directory: string;
}

/**
 * Applies the heartbeats after `after` that were in the bucket at a moment: a disaster takes everything else. Gives how
 * many there were.
 */
export async function replayHeartbeats(
  { service, executable, configurationPath, directory }: ReplayTools,
  after: OperationTime,
  lostAt: Date,
): Promise<number> {
  const entries: Uint8Array[] = [];
  for (const manifest of await manifestsOf(service, after, lostAt)) {
    const read = await readSegment(service.store, manifest);
    entries.push(
      ...read.filter((entry) => isHeartbeat(entry) && compareTimes(timeOfEntry(entry), after) > 0),
    );
  }
  if (entries.length === 0) return 0;
  const file = join(directory, "dr-test-oplog.bson");
  await writeFile(file, Buffer.concat(entries), { mode: 0o600 });
  await replayOplog({
    executable,
    configurationPath,
    file,
    directory: join(directory, "dr-test-empty"),
    limit: endOfTime,
    what: `apply the archived oplog of ${drTestDatabase}`,
    signal: service.signal,
  });
  return entries.length;
}

async function manifestsOf(
  { store }: ServiceContext,
  after: OperationTime,
  lostAt: Date,
): Promise<OplogManifest[]> {
  const era = await readEra(store);
  const manifests: OplogManifest[] = [];
  if (!era) return manifests;
  for await (const manifest of oplogManifests(store, era.value.era, { after, limit: endOfTime })) {
    if (Date.parse(manifest.writtenAt) <= lostAt.getTime()) manifests.push(manifest);
  }
  return manifests;
}

function isHeartbeat(entry: Uint8Array): boolean {
  const namespace = `${drTestDatabase}.${heartbeatsCollection}`;
  return textIn(findElement(entry, "op")) === "i" && textIn(findElement(entry, "ns")) === namespace;
}
