/** Which times can be restored: a backup, and from its end on as far as the oplog's archive reaches without a hole. */

import { RoundtripError } from "../errors.ts";
import { compareTimes } from "../failback/recorded-tasks.ts";
import type { OperationTime } from "../ports.ts";
import type { BackupManifest } from "./documents.ts";
import { reaches } from "./oplog-chain.ts";
import type { OplogSource } from "./oplog-era.ts";
import type { PointInTime } from "./point-in-time.ts";

/** What an era's oldest and newest manifest say; `numbers` contiguous between them. */
export interface EraBounds {
  readonly era: string;
  readonly source: OplogSource;
  /** The entry before the oldest one that is still kept. */
  readonly after: OperationTime;
  readonly last: OperationTime;
}

export interface RestorableSpan {
  readonly backupId: string;
  /** The backup itself. */
  readonly from: OperationTime;
  /** The newest operation that can be restored to; equal to `from` where there is only the backup. */
  readonly through: OperationTime;
  /** The era that leads from the backup on. */
  readonly era?: string;
  /** Why there is only the backup; absent when an era leads on. */
  readonly why?: string;
}

type Dump = Pick<BackupManifest, "id" | "oplog" | "source">;

/** The times that a backup and the archive can be restored to. */
export function restorableSpan(dump: Dump, eras: readonly EraBounds[]): RestorableSpan {
  const from = dump.oplog.last;
  const alone = { backupId: dump.id, from, through: from };
  const own = eras.filter(({ source }) => source.replicaSetId === dump.source.replicaSetId);
  if (own.length === 0) return { ...alone, why: whyNone(eras) };
  const holding = own.filter(
    ({ after, last }) => compareTimes(after, from) <= 0 && compareTimes(from, last) <= 0,
  );
  const best = holding.sort((one, other) => compareTimes(other.last, one.last))[0];
  if (best) return { ...alone, through: best.last, era: best.era };
  const newest = [...own].sort((one, other) => compareTimes(other.last, one.last))[0]!;
  return compareTimes(newest.last, from) < 0
    ? { ...alone, why: `the archive ends at ${words(newest.last)}, before the backup's end ${words(from)}` }
    : { ...alone, why: `the archive has a gap at the backup's end ${words(from)}` };
}

/** That a point in time lies in the span. Fails `refused`, saying what can be restored. */
export function assertRestorable(span: RestorableSpan, point: PointInTime): void {
  if (compareTimes(point.limit, span.from) <= 0) {
    throw refused(
      span,
      point,
      "it lies before the end of the backup",
      "choose an older backup: roundtrip backups list",
    );
  }
  if (reaches(span.through, point.limit)) return;
  const wayOut = span.era
    ? `restore to operation ${span.through.t}:${span.through.i} or before; where the oplog archive runs it is seconds behind: wait for it`
    : `restore the backup itself, or use another one: roundtrip backups list. Here ${span.why}`;
  throw refused(span, point, "the archive does not reach it", wayOut);
}

function refused(span: RestorableSpan, point: PointInTime, why: string, wayOut: string): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what: `restore backup ${span.backupId} to ${point.words}`,
    expected: `a time from ${words(span.from)} through ${words(span.through)}`,
    got: why,
    wayOut,
  });
}

function whyNone(eras: readonly EraBounds[]): string {
  return eras.length === 0
    ? "no oplog is archived"
    : "the archived oplog is that of another replica set: MongoDB was built anew";
}

/** `1795255200:7 (2026-11-21T10:00:00Z)` */
export function words({ t, i }: OperationTime): string {
  return `${t}:${i} (${new Date(t * 1000).toISOString().replace(".000Z", "Z")})`;
}
