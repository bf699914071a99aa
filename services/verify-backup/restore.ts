/** Level 3: the backup restored into the scratch server, and everything there compared with what was dumped. */
import { join } from "node:path";
import { archiveStream } from "../../adapters/dump/archive-stream.ts";
import { configurationText } from "../../adapters/dump/configuration.ts";
import { restoreArchive } from "../../adapters/dump/mongorestore.ts";
import { objectPieces } from "../../adapters/state/object-pieces.ts";
import type { BackupManifest } from "../../core/backup/documents.ts";
import { bounded, type LevelResult } from "../../core/backup/verification.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Databases } from "../access/databases.ts";
import { withPrivateFile } from "../dump/private-file.ts";
import type { ServiceContext } from "../runtime/definition.ts";
import { Progress } from "../runtime/progress.ts";
import { ArchiveRest } from "./archive-rest.ts";
import { compareBuiltIndexes, compareDocuments, isRestored, notRestored } from "./restored.ts";
import { assertNotSource, claim, clean, openScratch, type Scratch } from "./scratch.ts";
import { sourceCounts } from "./source-counts.ts";

export interface RestoreTools {
  readonly service: ServiceContext;
  readonly databases: Databases;
  /** Path of mongorestore, or its name on PATH. */
  readonly executable: string;
  /** Where the configuration file lies while mongorestore runs. */
  readonly directory: string;
}

/**
 * Restores the backup and compares. Whatever keeps it from being compared makes it UNKNOWN, with the way out; only the
 * signal is thrown. The scratch server is emptied again; where that fails it is said, and the next verification does it.
 */
export async function verifyRestored(tools: RestoreTools, manifest: BackupManifest): Promise<LevelResult> {
  const { clock, signal } = tools.service;
  const startedMs = clock.monotonicMs();
  let found: Pick<LevelResult, "verdict" | "findings">;
  try {
    await using scratch = await openScratch(tools.service);
    await assertNotSource(tools.service, scratch, manifest);
    found = await restoreAndCompare(tools, scratch, manifest);
  } catch (error) {
    signal.throwIfAborted();
    found = { verdict: "UNKNOWN", findings: [wordsOf(error)] };
  }
  return { level: 3, ...found, seconds: Math.round((clock.monotonicMs() - startedMs) / 100) / 10 };
}

async function restoreAndCompare(
  tools: RestoreTools,
  scratch: Scratch,
  manifest: BackupManifest,
): Promise<Pick<LevelResult, "verdict" | "findings">> {
  const { service, databases } = tools;
  const { collections, id } = manifest;
  await guarded(scratch, "make the scratch server ready", () => claim(service, scratch, id));
  let cleaning: string[] = [];
  let compared: Compared;
  try {
    compared = await compare(tools, scratch, manifest);
  } finally {
    cleaning = await cleanAgain(service, scratch);
  }
  const { differences, notCompared, seconds } = compared;
  const restored = collections.filter(isRestored);
  const documents = restored.reduce((sum, one) => sum + one.documents, 0);
  const left = collections.length - restored.length;
  const equal = `${restored.length} collections with ${documents} documents and ${manifest.oplog.entries} entries of the oplog restored in ${seconds} s: counts, options, indexes and content are those of the backup`;
  return {
    verdict: differences.length > 0 ? "DIFFERS" : "PROVEN",
    findings: [
      ...(differences.length > 0 ? bounded(differences) : [equal]),
      ...notCompared,
      ...(left > 0 ? [`${left} collections of users, roles and the server's own are not restored here`] : []),
      ...(await sourceCounts(databases, collections)),
      ...cleaning,
    ],
  };
}

interface Compared {
  readonly differences: readonly string[];
  readonly notCompared: readonly string[];
  readonly seconds: number;
}

/**
 * First the documents as they were dumped, which are of no one moment: a unique index may not hold among them. What was
 * dumped is compared now. Then the oplog that makes them of one moment, and the indexes.
 */
async function compare(tools: RestoreTools, scratch: Scratch, manifest: BackupManifest): Promise<Compared> {
  const { service } = tools;
  const { collections, id } = manifest;
  const { client } = scratch;
  const began = service.clock.monotonicMs();
  await restore(tools, scratch, manifest, {
    stage: "restore",
    words: ["--noIndexRestore", ...notRestored.map((pattern) => `--nsExclude=${pattern}`)],
    filter: (archive) => archive,
  });
  const readMs = service.clock.monotonicMs();
  const documents = await guarded(scratch, "compare the documents", () =>
    compareDocuments(service, client, collections, id),
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
    compareBuiltIndexes(client, collections, (namespace) => rest.changes(namespace)),
  );
  return { differences, notCompared, seconds: secondsSince(began + readingMs) };
}

interface Part {
  readonly stage: string;
  readonly words: readonly string[];
  filter(archive: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
}

async function restore(
  { service, executable, directory }: RestoreTools,
  scratch: Scratch,
  { id, archive }: BackupManifest,
  { stage, words, filter }: Part,
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
      onLine: (line) => logger.debug({ line }, "mongorestore"),
    }),
  );
}

async function* counted(pieces: AsyncIterable<Uint8Array>, progress: Progress): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    progress.add(piece.length);
    yield piece;
  }
}

/** Also after a signal: what stays is known by its mark, but nobody wants it to stay. */
async function cleanAgain({ logger }: ServiceContext, { client }: Scratch): Promise<string[]> {
  try {
    await clean(client);
    return [];
  } catch (error) {
    logger.warn({ error: String(error) }, "the scratch server was not emptied");
    return [
      `the scratch server was not emptied (${(error as Error).message}): the next verification does it`,
    ];
  }
}

async function guarded<T>(scratch: Scratch, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw scratch.failure(error, what);
  }
}

function wordsOf(error: unknown): string {
  if (!(error instanceof RoundtripError)) return `not compared: ${String(error)}`;
  const { what, expected, got, wayOut } = error;
  return `${what}: expected ${expected}, got ${got}. Way out: ${wayOut}`;
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
