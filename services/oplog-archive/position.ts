import type { MongoClient } from "mongodb";
import { newestOplogManifest, readEra } from "../../adapters/backup/oplog-archive.ts";
import { isInOplog, newestOplogTime } from "../../adapters/mongo/oplog-tail.ts";
import { newestBackup } from "../../adapters/state/backups.ts";
import { writeJson } from "../../adapters/state/json.ts";
import { isPrecondition } from "../../adapters/store-error.ts";
import { currentEraKey, newEraId, type OplogEra, type OplogSource } from "../../core/backup/oplog-era.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { OperationTime } from "../../core/ports.ts";
import type { ServiceContext } from "../runtime/definition.ts";

/** Where an archive goes on. */
export interface ArchivePosition {
  readonly era: OplogEra;
  readonly etag: string;
  /** The last entry archived. */
  readonly after: OperationTime;
  /** Number of the newest manifest, 0 before the first, and its hash. */
  readonly number: number;
  readonly sha256?: string;
  /** When that was written, ISO. */
  readonly writtenAt: string;
}

/** Where the archive stands by the bucket alone; `undefined` before there was one. Fails `logCorrupt`. */
export async function findArchivePosition(
  store: ServiceContext["store"],
): Promise<ArchivePosition | undefined> {
  const found = await readEra(store);
  if (!found) return undefined;
  const { value: era, etag } = found;
  const newest = await newestOplogManifest(store, era.era);
  if (!newest) return { era, etag, after: era.after, number: 0, writtenAt: era.startedAt };
  const { manifest, sha256 } = newest;
  return {
    era,
    etag,
    after: manifest.last,
    number: manifest.number,
    sha256,
    writtenAt: manifest.writtenAt,
  };
}

/**
 * Begins a new era: the chain of segments has no holes, so what can't continue it begins another one. It begins at the
 * end of the newest backup where the oplog still reaches there, so that this backup can be gone on from without a hole;
 * otherwise at the newest entry. Says loudly what is missing. Fails `fenced` when another archive began one meanwhile.
 */
export async function beginEra(
  { store, clock, logger, run }: ServiceContext,
  client: MongoClient,
  {
    source,
    before,
    reason,
  }: {
    readonly source: OplogSource;
    readonly before: ArchivePosition | undefined;
    /** For people: why the chain can't go on. */
    readonly reason: string;
  },
): Promise<ArchivePosition> {
  const after = (await endOfBackup(store, client, source)) ?? (await newestOplogTime(client));
  const now = clock.now();
  const startedAt = now.toISOString();
  const era: OplogEra = {
    version: 1,
    era: newEraId(now, run),
    source,
    startedAt,
    after,
    ...(before
      ? { previous: before.era.era, gap: { from: before.after, to: after, detectedAt: startedAt, reason } }
      : {}),
  };
  try {
    const { etag } = await writeJson(
      store,
      currentEraKey,
      era,
      before ? { ifMatch: before.etag } : { ifNoneMatch: true },
    );
    if (era.gap)
      logger.error({ ...era.gap, era: era.era }, "the oplog's archive has a gap: a new era begins");
    else logger.info({ after, era: era.era }, "the oplog's archive begins");
    return { era, etag, after, number: 0, writtenAt: startedAt };
  } catch (error) {
    throw isPrecondition(error) ? fencedBy(currentEraKey, run, "an era of another archive", error) : error;
  }
}

/** The failure of an archive that is not the only one. */
export function fencedBy(key: string, run: string, got: string, cause?: unknown): RoundtripError {
  return new RoundtripError(
    {
      kind: "fenced",
      what: `write ${key} as run ${run}`,
      expected: "to be the only archive of this oplog",
      got,
      wayOut:
        "another oplog-archive runs: leave it, or stop it and start this one again. Nothing was lost or written twice",
    },
    { cause },
  );
}

async function endOfBackup(
  store: ServiceContext["store"],
  client: MongoClient,
  source: OplogSource,
): Promise<OperationTime | undefined> {
  const backup = await newestBackup(store);
  if (backup?.source.replicaSetId !== source.replicaSetId) return undefined;
  return (await isInOplog(client, backup.oplog.last)) ? backup.oplog.last : undefined;
}
