/** What a restore would do, found out without changing anything. */
import { readEraBounds } from "../../adapters/backup/oplog-archive.ts";
import { readJson } from "../../adapters/state/json.ts";
import type { BackupManifest, OplogManifest, Verification } from "../../core/backup/documents.ts";
import { backupKeys } from "../../core/backup/layout.ts";
import { type PointInTime, pointInTime } from "../../core/backup/point-in-time.ts";
import { isRestored } from "../../core/backup/replay.ts";
import {
  previewDigest,
  type RestoredNamespace,
  type RestorePreview,
  type RestoreRequest,
} from "../../core/backup/restores.ts";
import { assertRestorable, restorableSpan } from "../../core/backup/span.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { ServiceContext } from "../runtime/definition.ts";
import { replayManifests } from "./material.ts";
import { type Target, type TargetNamespace, targetNamespaces } from "./target.ts";

export interface Previewed {
  readonly preview: RestorePreview;
  /** Segments to apply after the backup, in order. */
  readonly manifests: readonly OplogManifest[];
}

/**
 * Looks at the backup, the oplog's archive and the target. Fails `refused` for a time that can't be restored, `logCorrupt`
 * for an archive with a hole, otherwise as the store or the target do.
 */
export async function previewRestore(
  service: ServiceContext,
  request: RestoreRequest,
  backup: BackupManifest,
  target: Target,
): Promise<Previewed> {
  const { store, clock, environment, signal } = service;
  const span = restorableSpan(backup, await readEraBounds(store));
  const point = pointInTime(request.until);
  if (point) assertRestorable(span, point);
  const manifests = point && span.era ? await replayManifests(store, span.era, backup, point) : [];
  const there = await targetNamespaces(target, signal);
  const namespaces = decide(backup, there, request.drop);
  const verification = (await readJson<Verification>(store, backupKeys(backup.id).verification))?.value;
  const decided = {
    version: 1 as const,
    environment: environment.environment,
    backup: {
      id: backup.id,
      finishedAt: backup.finishedAt,
      sha256: backup.archive.sha256,
      bytes: backup.archive.bytes,
      verified: verification?.verdict ?? ("not verified" as const),
    },
    target: {
      kind: target.kind,
      secret: target.secretName,
      hosts: target.hosts,
      replicaSetId: target.replicaSetId,
    },
    span,
    ...(point ? { point: { ...point, ...sumOf(manifests) } } : {}),
    namespaces,
  };
  const preview: RestorePreview = {
    ...decided,
    id: request.id,
    takenAt: clock.now().toISOString(),
    warnings: warningsOf(decided, backup),
    digest: previewDigest(decided, request.drop),
  };
  return { preview, manifests };
}

/**
 * A point in time is exact only where nothing else stands: what the backup doesn't have may be made by the log, and would
 * then be mixed with what is there. Fails `refused`.
 */
export function assertExact(preview: RestorePreview, point: PointInTime | undefined): void {
  const kept = preview.namespaces
    .filter(({ becomes }) => becomes === "kept")
    .map(({ namespace }) => namespace);
  if (!point || kept.length === 0) return;
  throw new RoundtripError({
    kind: "refused",
    what: `restore to ${point.words} into ${preview.target.hosts}`,
    expected: "nothing there that the backup doesn't have: the log may make it, too",
    got: `${kept.slice(0, 5).join(", ")}${kept.length > 5 ? ` and ${kept.length - 5} more` : ""}`,
    wayOut: "run it with drop=true, into a server beside first if these are still wanted",
  });
}

function decide(
  backup: BackupManifest,
  there: readonly TargetNamespace[],
  drop: boolean,
): RestoredNamespace[] {
  const dumped = dumpedNamespaces(backup);
  const found = new Map(there.map((one) => [one.namespace, one]));
  const restored = [...dumped].map(([namespace, restores]): RestoredNamespace => {
    const before = found.get(namespace);
    if (!before) return { namespace, becomes: "created", restores };
    return { namespace, becomes: "replaced", documents: before.documents, bytes: before.bytes, restores };
  });
  const others = there
    .filter(({ namespace }) => !dumped.has(namespace))
    .map((one): RestoredNamespace => ({ ...one, becomes: drop ? "dropped" : "kept" }));
  return [...restored, ...others].sort((one, other) => (one.namespace < other.namespace ? -1 : 1));
}

/** Namespaces as clients see them, with the documents dumped. */
export function dumpedNamespaces({ collections }: Pick<BackupManifest, "collections">): Map<string, number> {
  const named = collections
    .map(({ database, name, documents }) => ({
      namespace: `${database}.${name.replace(/^system\.buckets\./, "")}`,
      documents,
    }))
    .filter(({ namespace }) => isRestored(namespace) && !/^[^.]+\.system\./.test(namespace));
  return new Map(named.map(({ namespace, documents }) => [namespace, documents]));
}

function sumOf(manifests: readonly OplogManifest[]) {
  return {
    segments: manifests.length,
    entries: manifests.reduce((sum, { entries }) => sum + entries, 0),
    bytes: manifests.reduce((sum, { segment }) => sum + segment.bytes, 0),
  };
}

function warningsOf(
  { backup, target, namespaces }: Pick<RestorePreview, "backup" | "target" | "namespaces">,
  { source }: BackupManifest,
): string[] {
  const dropped = namespaces.filter(({ becomes }) => becomes === "dropped");
  return [
    ...(backup.verified === "PROVEN" ? [] : [`this backup's verification: ${backup.verified}`]),
    ...(target.kind === "in-place" && target.replicaSetId !== source.replicaSetId
      ? ["MongoDB is another replica set than the one that was backed up: it was built anew"]
      : []),
    ...(target.kind === "in-place"
      ? [
          "stop the applications first: what they wrote since is lost, and they can't write meanwhile",
          "afterwards reload each DMS task: resumed, it would carry what the restore dropped and inserted",
        ]
      : []),
    ...(dropped.length > 0 ? [`${dropped.length} namespaces that the backup doesn't have are dropped`] : []),
    "users and roles of the target stay as they are",
  ];
}
