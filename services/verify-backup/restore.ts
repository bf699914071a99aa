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
import { compareRestored, isRestored, notRestored } from "./restored.ts";
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
  const { clock } = service;
  const { collections, id } = manifest;
  await guarded(scratch, "make the scratch server ready", () => claim(service, scratch, id));
  let cleaning: string[] = [];
  let result: Pick<LevelResult, "verdict" | "findings">;
  try {
    const startedMs = clock.monotonicMs();
    await restore(tools, scratch, manifest);
    const seconds = Math.round((clock.monotonicMs() - startedMs) / 100) / 10;
    const differences = await guarded(scratch, "compare what was restored", () =>
      compareRestored(service, scratch.client, collections, id),
    );
    const restored = collections.filter(isRestored);
    const documents = restored.reduce((sum, one) => sum + one.documents, 0);
    const left = collections.length - restored.length;
    const equal = `${restored.length} collections with ${documents} documents restored in ${seconds} s: counts, options, indexes and content are those of the backup`;
    result = {
      verdict: differences.length > 0 ? "DIFFERS" : "PROVEN",
      findings: [
        ...(differences.length > 0 ? bounded(differences) : [equal]),
        ...(left > 0
          ? [`${left} collections of users, roles and the server's own are not restored here`]
          : []),
        ...(await sourceCounts(databases, collections)),
      ],
    };
  } finally {
    cleaning = await cleanAgain(service, scratch);
  }
  return { ...result, findings: [...result.findings, ...cleaning] };
}

async function restore(
  { service, executable, directory }: RestoreTools,
  scratch: Scratch,
  { id, archive }: BackupManifest,
): Promise<void> {
  const { store, signal, logger } = service;
  const head = await store.head(archive.key);
  if (!head) throw gone(archive.key);
  const progress = new Progress(service, "bytes", head.size, { backupId: id, stage: "restore" });
  const stored = counted(objectPieces(store, archive.key, head), progress);
  const path = join(directory, "mongorestore-scratch.yaml");
  await withPrivateFile(path, configurationText(scratch.uri), () =>
    restoreArchive(archiveStream(stored, archive.compression), {
      executable,
      configurationPath: path,
      words: notRestored.map((pattern) => `--nsExclude=${pattern}`),
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
