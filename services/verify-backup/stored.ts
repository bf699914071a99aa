/** Levels 1 and 2: the archive as it is stored, and what is in it, in one reading. */
import { createHash } from "node:crypto";
import { archiveStream } from "../../adapters/dump/archive-stream.ts";
import { objectPieces } from "../../adapters/state/object-pieces.ts";
import { ArchiveReader } from "../../core/backup/archive.ts";
import { compareContent } from "../../core/backup/compare-content.ts";
import type { BackupManifest } from "../../core/backup/documents.ts";
import { bounded, type Level, type LevelResult } from "../../core/backup/verification.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { ServiceContext } from "../runtime/definition.ts";
import { Progress } from "../runtime/progress.ts";

/** The stored bytes on their way: counted and hashed, also those that nobody reads any more. */
class HashedPieces implements AsyncIterableIterator<Uint8Array> {
  private readonly hash = createHash("sha256");
  bytes = 0;
  /** What reading the object threw. */
  failure: unknown;

  constructor(
    private readonly pieces: AsyncGenerator<Uint8Array>,
    private readonly progress: Progress,
  ) {}

  [Symbol.asyncIterator](): this {
    return this;
  }

  // Without `return`: a decompressor that gives up must not end the reading.
  async next(): Promise<IteratorResult<Uint8Array>> {
    try {
      const piece = await this.pieces.next();
      if (!piece.done) {
        this.hash.update(piece.value);
        this.bytes += piece.value.length;
        this.progress.add(piece.value.length);
      }
      return piece;
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }

  /** Reads what is left; gives the sha256 of all. */
  async finish(): Promise<string> {
    while (!(await this.next()).done);
    return this.hash.digest("hex");
  }
}

/**
 * Verifies the archive of a backup by the levels asked for of 1 and 2. What can't be right is a finding; fails only when
 * the bucket doesn't answer.
 */
export async function verifyStored(
  service: ServiceContext,
  manifest: BackupManifest,
  levels: readonly Level[],
): Promise<LevelResult[]> {
  const { clock, store } = service;
  const asked = levels.filter((level) => level !== 3);
  if (asked.length === 0) return [];
  const startedMs = clock.monotonicMs();
  const seconds = () => Math.round((clock.monotonicMs() - startedMs) / 100) / 10;
  const { key, bytes, sha256 } = manifest.archive;
  const head = await store.head(key);
  if (!head) {
    const findings = [`${key}: expected ${bytes} bytes, got no such object`];
    return asked.map((level) => ({ level, verdict: "DIFFERS", findings, seconds: seconds() }));
  }
  const detail = { backupId: manifest.id, stage: "read" };
  const progress = new Progress(service, "bytes", head.size, detail);
  const pieces = new HashedPieces(objectPieces(store, key, head), progress);
  let content: Awaited<ReturnType<typeof contentFindings>> | undefined;
  let got: string;
  try {
    content = asked.includes(2) ? await contentFindings(manifest, pieces) : undefined;
    got = await pieces.finish();
  } catch (error) {
    // An object that S3 itself calls torn, or that is replaced while it is read, is not what was dumped.
    if (!(error instanceof RoundtripError) || error.kind !== "logCorrupt") throw error;
    const findings = [`${error.what}: expected ${error.expected}, got ${error.got}`];
    return asked.map((level) => ({ level, verdict: "DIFFERS", findings, seconds: seconds() }));
  }
  const stored: string[] = [];
  if (pieces.bytes !== bytes) stored.push(`${key}: expected ${bytes} bytes, got ${pieces.bytes}`);
  if (got !== sha256) stored.push(`${key}: expected sha256 ${sha256}, got ${got}`);
  return asked.map((level) => {
    const differences = level === 1 ? stored : (content?.differences ?? []);
    const equal = level === 1 ? `${bytes} bytes, sha256 ${sha256}` : (content?.equal ?? "");
    return {
      level,
      verdict: differences.length > 0 ? "DIFFERS" : "PROVEN",
      findings: differences.length > 0 ? bounded(differences) : [equal],
      seconds: seconds(),
    };
  });
}

async function contentFindings(
  manifest: BackupManifest,
  pieces: HashedPieces,
): Promise<{ differences: string[]; equal: string }> {
  const { key, compression } = manifest.archive;
  const reader = new ArchiveReader(`archive ${key}`);
  try {
    for await (const chunk of archiveStream(pieces, compression)) reader.push(chunk as Uint8Array);
    const content = reader.end();
    const { entries } = manifest.oplog;
    const equal = `${content.collections.length} collections with ${reader.documents - entries} documents, ${entries} entries of the oplog, ${content.bytes} bytes`;
    return { differences: compareContent(manifest, content), equal };
  } catch (error) {
    if (pieces.failure !== undefined) throw pieces.failure;
    const said =
      error instanceof RoundtripError
        ? `${error.what}: expected ${error.expected}, got ${error.got}`
        : `archive ${key}, behind ${reader.documents} documents: can't be decompressed: ${(error as Error).message}`;
    return { differences: [said], equal: "" };
  }
}
