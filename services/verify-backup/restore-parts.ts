/** The two restores of a verification, and what is compared behind each. */
import { join } from "node:path";
import { archiveStream } from "../../adapters/dump/archive-stream.ts";
import { configurationText } from "../../adapters/dump/configuration.ts";
import { restoreArchive } from "../../adapters/dump/mongorestore.ts";
import { objectPieces } from "../../adapters/state/object-pieces.ts";
import type { BackupManifest } from "../../core/backup/documents.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Databases } from "../access/databases.ts";
import { withPrivateFile } from "../dump/private-file.ts";
import type { ServiceContext } from "../runtime/definition.ts";
import { Progress } from "../runtime/progress.ts";
import { ArchiveRest } from "./archive-rest.ts";
import { compareBuiltIndexes, compareDocuments, notRestored } from "./restored.ts";
import type { Scratch } from "./scratch.ts";

/** mongorestore's words for a document whose `_id` is there already. */
const duplicateId = /continuing through error: E11000 .*collection: (\S+) index: _id_ /;

export interface RestoreTools {
  readonly service: ServiceContext;
  readonly databases: Databases;
  /** Path of mongorestore, or its name on PATH. */
  readonly executable: string;
  /** Where the configuration file lies while mongorestore runs. */
  readonly directory: string;
}

export interface Compared {
  readonly differences: readonly string[];
  readonly notCompared: readonly string[];
  readonly seconds: number;
}

/**
 * First the documents as they were dumped, which are of no one moment: a unique index may not hold among them. What was
 * dumped is compared now. Then the oplog that makes them of one moment, and the indexes.
 */
export async function compare(
  tools: RestoreTools,
  scratch: Scratch,
  manifest: BackupManifest,
): Promise<Compared> {
  const { service } = tools;
  const { client } = scratch;
  const twice = new Map<string, number>();
  const began = service.clock.monotonicMs();
  await restore(tools, scratch, manifest, {
    stage: "restore",
    words: ["--noIndexRestore", ...notRestored.map((pattern) => `--nsExclude=${pattern}`)],
    filter: (archive) => archive,
    onLine: (line) => {
      const namespace = duplicateId.exec(line)?.[1];
      if (namespace) twice.set(namespace, (twice.get(namespace) ?? 0) + 1);
    },
  });
  const readMs = service.clock.monotonicMs();
  const documents = await guarded(scratch, "compare the documents", () =>
    compareDocuments(service, client, manifest, twice),
  );
  const readingMs = service.clock.monotonicMs() - readMs;
  const secondsSince = (ms: number) => Math.round((service.clock.monotonicMs() - ms) / 100) / 10;
  // What differs already is not made better, and what comes next may stumble over it.
  if (documents.length > 0) {
    return { differences: documents, notCompared: [], seconds: secondsSince(began + readingMs) };
  }
  const rest = new ArchiveRest(manifest);
  await restore(tools, scratch, manifest, {
    stage: "oplog and indexes",
    words: ["--oplogReplay"],
    filter: (archive) => rest.of(archive),
  });
  const { differences, notCompared } = await guarded(scratch, "compare the indexes", () =>
    compareBuiltIndexes(client, manifest.collections, (namespace) => rest.changes(namespace)),
  );
  const settled = [...twice].map(
    ([namespace, count]) =>
      `${namespace}: ${count} documents are twice in the dump, deleted and inserted again meanwhile: their number is compared, not the content`,
  );
  return { differences, notCompared: [...settled, ...notCompared], seconds: secondsSince(began + readingMs) };
}

interface Part {
  readonly stage: string;
  readonly words: readonly string[];
  filter(archive: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  onLine?(line: string): void;
}

async function restore(
  { service, executable, directory }: RestoreTools,
  scratch: Scratch,
  { id, archive }: BackupManifest,
  { stage, words, filter, onLine }: Part,
): Promise<void> {
  const { store, signal, logger } = service;
  const head = await store.head(archive.key);
  if (!head) throw gone(archive.key);
  const progress = new Progress(service, "bytes", head.size, { backupId: id, stage });
  const stored = counted(objectPieces(store, archive.key, head), progress);
  const path = join(directory, "mongorestore-scratch.yaml");
  await withPrivateFile(path, configurationText(scratch.uri), () =>
    restoreArchive(filter(archiveStream(stored, archive.compression)), {
      executable,
      configurationPath: path,
      words,
      what: `restore backup ${id} into the scratch server of secret ${scratch.secretName}`,
      signal,
      oplogSettlesDuplicates: true,
      onLine: (line) => {
        onLine?.(line);
        logger.debug({ line }, "mongorestore");
      },
    }),
  );
}

async function* counted(pieces: AsyncIterable<Uint8Array>, progress: Progress): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    progress.add(piece.length);
    yield piece;
  }
}

/** A failure of the scratch server named by its secret. */
export async function guarded<T>(scratch: Scratch, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw scratch.failure(error, what);
  }
}

function gone(key: string): RoundtripError {
  return new RoundtripError({
    kind: "logCorrupt",
    what: `restore ${key}`,
    expected: "the archive that the manifest names",
    got: "no such object",
    wayOut: "the bucket keeps versions: bring the object back, or use another backup",
  });
}
