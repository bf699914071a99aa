/** The documents of backups in the bucket (core/backup/layout.ts). Schemas lie in `schemas/`. */
import type { OperationTime } from "../ports.ts";
import type { Compression, RunKind } from "./layout.ts";
import type { OplogGap } from "./oplog-era.ts";

/** What was dumped of one collection, counted and hashed as the archive went by. */
export interface DumpedCollection {
  readonly database: string;
  readonly name: string;
  readonly documents: number;
  /** Of the documents, uncompressed. */
  readonly bytes: number;
  /** Digest of the documents whatever their order (core/backup/content-digest.ts). */
  readonly content: string;
  /** Options and indexes as mongodump keeps them: extended JSON. */
  readonly metadata: string;
}

/** `backups/dumps/<id>/manifest.json`: written last, by If-None-Match. */
export interface BackupManifest {
  readonly version: 1;
  readonly id: string;
  readonly environment: string;
  readonly source: { readonly setName: string; readonly replicaSetId: string };
  readonly startedAt: string;
  readonly finishedAt: string;
  /** Version text of mongodump. */
  readonly tool: string;
  readonly archive: {
    readonly key: string;
    readonly compression: Compression;
    readonly bytes: number;
    readonly sha256: string;
  };
  readonly collections: readonly DumpedCollection[];
  /**
   * The oplog that mongodump kept in the archive (`--oplog`). Restored with it the data stands exactly at `last`,
   * from where the oplog archive goes on. `entries` 0: nothing was written meanwhile, and `last` is the newest entry
   * before the dump began.
   */
  readonly oplog: { readonly entries: number; readonly last: OperationTime };
}

/** `backups/oplog/<era>/manifests/<number>.json`: commit, checkpoint and fence of the archive in one, by If-None-Match. */
export interface OplogManifest {
  readonly version: 1;
  readonly era: string;
  readonly number: number;
  readonly source: { readonly setName: string; readonly replicaSetId: string };
  /** The entry before the first of this segment: equals `last` of the manifest before. */
  readonly after: OperationTime;
  readonly first: OperationTime;
  readonly last: OperationTime;
  readonly entries: number;
  readonly segment: { readonly key: string; readonly bytes: number; readonly sha256: string };
  /** sha256 of the manifest before; absent in the first of an era. */
  readonly previous?: string;
  readonly writtenAt: string;
}

export type LevelVerdict = "PROVEN" | "DIFFERS" | "UNKNOWN";

/** `backups/dumps/<id>/verification.json` and, the newest, `backups/verification.json`. */
export interface Verification {
  readonly version: 1;
  readonly environment: string;
  readonly backupId: string;
  /** The operation that asked for it; absent when it was due by itself. */
  readonly request?: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  /** PROVEN only when each level that was asked for is. */
  readonly verdict: LevelVerdict;
  /** Verdict of the verification before this one, of whatever backup: people are told when it changes. */
  readonly before?: LevelVerdict;
  readonly levels: readonly {
    /** 1 hashes, 2 parse and counts, 3 restore into a scratch server and compare. */
    readonly level: 1 | 2 | 3;
    readonly verdict: LevelVerdict;
    /** What was found, a line each; what differs first. */
    readonly findings: readonly string[];
    readonly seconds: number;
  }[];
}

/** `backups/runs/<kind>.json`: written when a run begins and when it has ended. */
export interface BackupRun {
  readonly version: 1;
  readonly kind: RunKind;
  /** `refused`: not done, and rightly so, for instance in a failback. A run that was killed stays `running`. */
  readonly state: "running" | "finished" | "refused" | "failed";
  readonly startedAt: string;
  readonly finishedAt?: string;
  readonly backupId?: string;
  readonly error?: {
    readonly what: string;
    readonly expected: string;
    readonly got: string;
    readonly wayOut: string;
  };
  /** What a person should look at although the run is done, a line each. */
  readonly warnings?: readonly string[];
  /** By the schedule: a run that has not begun by then, and a little, did not happen. */
  readonly nextDueAt?: string;
}

/** `backups/schedule.json`: what runbook `reschedule` set. */
export interface BackupSchedule {
  readonly version: 1;
  /** Absent: the environment's own holds again. */
  readonly schedule?: string;
  readonly setAt: string;
}

/** `backups/runs/oplog.json`: written each minute, as long as the archive lives. */
export interface OplogRun extends BackupRun {
  /** When this was written. */
  readonly at: string;
  /** Everything older than this is in the archive. */
  readonly lagSeconds: number;
  readonly lastArchived?: OperationTime;
  readonly era?: string;
  /** What is missing before this era. */
  readonly gap?: OplogGap;
}
