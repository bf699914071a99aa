/** What a restore is made of: checked whole before the target is touched. */
import { oplogManifests, readSegment } from "../../adapters/backup/oplog-archive.ts";
import type { BackupManifest, OplogManifest } from "../../core/backup/documents.ts";
import type { PointInTime } from "../../core/backup/point-in-time.ts";
import { words } from "../../core/backup/span.ts";
import { RoundtripError } from "../../core/errors.ts";
import { compareTimes } from "../../core/failback/recorded-tasks.ts";
import type { ObjectStore } from "../../core/ports.ts";
import type { ServiceContext } from "../runtime/definition.ts";
import { Progress } from "../runtime/progress.ts";
import { verifyStored } from "../verify-backup/stored.ts";

const segmentsAhead = 8;

/** Manifests of the segments between a backup's end and a point in time, as one chain. Fails `logCorrupt`. */
export async function replayManifests(
  store: ObjectStore,
  era: string,
  { oplog, id }: BackupManifest,
  { limit }: PointInTime,
): Promise<OplogManifest[]> {
  const manifests: OplogManifest[] = [];
  for await (const manifest of oplogManifests(store, era, { after: oplog.last, limit }))
    manifests.push(manifest);
  const first = manifests[0];
  if (!first || compareTimes(first.after, oplog.last) <= 0) return manifests;
  throw new RoundtripError({
    kind: "logCorrupt",
    what: `go on after backup ${id}`,
    expected: `the archived oplog from ${words(oplog.last)} on`,
    got: `era ${era}, which begins after ${words(first.after)}`,
    wayOut: "what lies between has expired: restore the backup itself, or a newer one",
  });
}

/**
 * Reads everything once: the archive against its sha256 and its own sums, each segment against its manifest. Fails
 * `logCorrupt` naming what is wrong; nothing was written then.
 */
export async function assertWhole(
  service: ServiceContext,
  backup: BackupManifest,
  manifests: readonly OplogManifest[],
): Promise<void> {
  const levels = await verifyStored(service, backup, [1, 2]);
  const wrong = levels.find(({ verdict }) => verdict !== "PROVEN");
  if (wrong) {
    throw new RoundtripError({
      kind: "logCorrupt",
      what: `check backup ${backup.id} before it is restored`,
      expected: "the archive that its manifest names, whole",
      got: wrong.findings[0] ?? wrong.verdict,
      wayOut: "nothing was written: bring the object's version back, or restore another backup",
    });
  }
  const total = manifests.reduce((sum, { segment }) => sum + segment.bytes, 0);
  const progress = new Progress(service, "bytes", total, { backupId: backup.id, stage: "check the oplog" });
  for await (const { manifest } of segmentsOf(service, manifests)) progress.add(manifest.segment.bytes);
}

/** The segments' entries in order, each checked, some read ahead. Fails `logCorrupt`. */
export async function* segmentsOf(
  { store, signal }: Pick<ServiceContext, "store" | "signal">,
  manifests: readonly OplogManifest[],
): AsyncGenerator<{ readonly manifest: OplogManifest; readonly entries: readonly Uint8Array[] }> {
  const ahead: Promise<Uint8Array[]>[] = [];
  let next = 0;
  try {
    for (const manifest of manifests) {
      signal.throwIfAborted();
      while (ahead.length < segmentsAhead && next < manifests.length) {
        const reading = readSegment(store, manifests[next++]!);
        // Reported when its turn comes.
        reading.catch(() => {});
        ahead.push(reading);
      }
      yield { manifest, entries: await ahead.shift()! };
    }
  } finally {
    await Promise.allSettled(ahead);
  }
}
