/**
 * Restores of a backup: what was asked for, what would happen, what happened.
 *
 *     backups/requests/restore-backup.json   what the runbook asks for; with `confirmed` the target may be changed
 *     backups/restores/<id>/preview.json     written by the host; nothing was changed
 *     backups/restores/<id>/begun.json       written before the first change: a rerun begins again from the backup
 *     backups/restores/<id>/outcome.json     written last
 */
import type { OperationTime } from "../ports.ts";
import { sha256Of } from "../sha256.ts";
import { backupsPrefix } from "./layout.ts";
import type { RestorableSpan } from "./span.ts";

const restoresPrefix = `${backupsPrefix}restores/`;
export const restoreVerb = "restore-backup";

export function restoreKeys(id: string) {
  const root = `${restoresPrefix}${id}/`;
  return {
    preview: `${root}preview.json`,
    begun: `${root}begun.json`,
    outcome: `${root}outcome.json`,
  };
}

export interface RestoreRequest {
  readonly version: 1;
  readonly id: string;
  readonly environment: string;
  readonly backupId: string;
  readonly target: { readonly kind: "in-place" } | { readonly kind: "beside"; readonly secret: string };
  /** As core/backup/point-in-time.ts reads it; empty for the backup itself. */
  readonly until: string;
  /** Whether what the target has and the backup doesn't goes. */
  readonly drop: boolean;
  readonly requestedAt: string;
  readonly by: string;
  /** Digest of the preview that a person has seen; without it nothing is written. */
  readonly confirmed?: string;
}

/** What becomes of one namespace of the target. */
export interface RestoredNamespace {
  readonly namespace: string;
  readonly becomes: "created" | "replaced" | "dropped" | "kept";
  /** In the target now; absent where it isn't there. Of a view: 0. */
  readonly documents?: number;
  readonly bytes?: number;
  /** In the backup; absent where it doesn't have it. */
  readonly restores?: number;
}

export interface RestorePreview {
  readonly version: 1;
  readonly id: string;
  readonly takenAt: string;
  readonly environment: string;
  readonly backup: {
    readonly id: string;
    readonly finishedAt: string;
    readonly sha256: string;
    readonly bytes: number;
    /** Of its newest verification. */
    readonly verified: "PROVEN" | "DIFFERS" | "UNKNOWN" | "not verified";
  };
  readonly target: {
    readonly kind: "in-place" | "beside";
    readonly secret: string;
    /** Hosts as the secret names them; no login. */
    readonly hosts: string;
    readonly replicaSetId: string;
  };
  readonly span: RestorableSpan;
  /** The point in time, when it isn't the backup itself. */
  readonly point?: {
    readonly limit: OperationTime;
    readonly words: string;
    readonly segments: number;
    readonly entries: number;
    readonly bytes: number;
  };
  readonly namespaces: readonly RestoredNamespace[];
  /** What a person should know before it is confirmed. */
  readonly warnings: readonly string[];
  /** Of all that was decided on; not of what a living server counts meanwhile. */
  readonly digest: string;
}

export interface RestoreOutcome {
  readonly version: 1;
  readonly id: string;
  readonly environment: string;
  readonly backupId: string;
  readonly target: RestorePreview["target"];
  readonly point?: { readonly limit: OperationTime; readonly words: string };
  readonly state: "restored" | "differs";
  readonly startedAt: string;
  readonly finishedAt: string;
  /** From the first change to the last check. */
  readonly seconds: number;
  /** Oplog entries applied after the backup, without those that are nobody's write; and the last of them. */
  readonly applied: number;
  readonly through: OperationTime;
  /** Documents in the target afterwards. */
  readonly collections: readonly { readonly namespace: string; readonly documents: number }[];
  /** Collections whose count was held against the backup's, and those that differ, a line each. */
  readonly compared: number;
  readonly differences: readonly string[];
}

/** What two previews must agree in to be the same restore. */
export function previewDigest(
  preview: Omit<RestorePreview, "digest" | "warnings" | "takenAt" | "id">,
  drop: boolean,
): string {
  const { environment, backup, target, point, namespaces } = preview;
  const decided = [
    environment,
    backup.id,
    backup.sha256,
    target.kind,
    target.secret,
    target.replicaSetId,
    drop,
    point ? [point.limit.t, point.limit.i, point.segments, point.entries] : "backup",
    namespaces.map(({ namespace, becomes }) => [namespace, becomes]),
  ];
  return sha256Of(JSON.stringify(decided)).slice(0, 16);
}
