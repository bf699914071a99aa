/** The backup itself into the target: every collection it has is dropped there and made again. */
import { archiveStream } from "../../adapters/dump/archive-stream.ts";
import { restoreArchive } from "../../adapters/dump/mongorestore.ts";
import { objectPieces } from "../../adapters/state/object-pieces.ts";
import { ArchiveFilter } from "../../core/backup/archive-filter.ts";
import type { BackupManifest } from "../../core/backup/documents.ts";
import { isRestored } from "../../core/backup/replay.ts";
import { findElement, textIn } from "../../core/bson/raw.ts";
import { RoundtripError } from "../../core/errors.ts";
import { readOplogEntry } from "../../core/oplog/entry.ts";
import type { ServiceContext } from "../runtime/definition.ts";
import { Progress } from "../runtime/progress.ts";
import type { Target } from "./target.ts";

export interface DumpTools {
  readonly executable: string;
  readonly configurationPath: string;
}

/**
 * Restores the archive with the oplog it holds, so that the data stands at one moment. Gives the namespaces that were
 * written to while it was dumped; one that ends with a dot is a whole database. Fails as mongorestore and the store do.
 */
export async function restoreDump(
  service: ServiceContext,
  target: Target,
  { id, archive }: BackupManifest,
  tools: DumpTools,
): Promise<ReadonlySet<string>> {
  const { store, signal, logger } = service;
  const head = await store.head(archive.key);
  if (!head) throw gone(archive.key);
  const written = new Set<string>();
  let entries = 0;
  const filter = new ArchiveFilter(`archive ${archive.key}`, {
    keepsCollection: isRestored,
    keepsEntry: (entry) => {
      // The first one is the newest from before the dump: where it begins to keep what is written.
      if (entries++ > 0) for (const { namespace } of readOplogEntry(entry)) written.add(namespace);
      return isRestored(textIn(findElement(entry, "ns")) ?? "");
    },
  });
  const progress = new Progress(service, "bytes", head.size, { backupId: id, stage: "restore" });
  const stored = counted(objectPieces(store, archive.key, head), progress);
  await restoreArchive(filtered(archiveStream(stored, archive.compression), filter), {
    ...tools,
    words: ["--drop", "--oplogReplay", "--bypassDocumentValidation"],
    what: `restore backup ${id} into ${target.hosts} (secret ${target.secretName})`,
    signal,
    oplogSettlesDuplicates: true,
    onLine: (line) => logger.debug({ line }, "mongorestore"),
  });
  return written;
}

async function* filtered(
  archive: AsyncIterable<Uint8Array>,
  filter: ArchiveFilter,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of archive) {
    const kept = filter.push(chunk);
    if (kept.length > 0) yield kept;
  }
  filter.end();
}

async function* counted(pieces: AsyncIterable<Uint8Array>, progress: Progress): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    progress.add(piece.length);
    yield piece;
  }
}

function gone(key: string): RoundtripError {
  return new RoundtripError({
    kind: "logCorrupt",
    what: `restore ${key}`,
    expected: "the archive that was checked just now",
    got: "no such object",
    wayOut: "the bucket keeps versions: bring the object back, then run this again",
  });
}
