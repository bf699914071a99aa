/** mongorestore of the MongoDB Database Tools, fed with an archive on its stdin. */
import { mkdir } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { RoundtripError } from "../../core/errors.ts";
import type { OperationTime } from "../../core/ports.ts";
import { startTool } from "./tool-process.ts";

export interface RestoreOptions {
  /** Path, or a name on PATH. */
  readonly executable: string;
  /** File with the connection string, readable by this user only. */
  readonly configurationPath: string;
  /** Further words of its command line, like `--oplogReplay` or `--nsExclude=admin.*`. Nothing secret. */
  readonly words?: readonly string[];
  /** For messages: what is restored into which server. */
  readonly what: string;
  readonly signal: AbortSignal;
  /**
   * Documents that are twice in the archive, because they were deleted and inserted again while it was dumped: one of them
   * can't be inserted, and the archive's oplog, which is applied after, settles which one it is.
   */
  readonly oplogSettlesDuplicates?: boolean;
  onLine?(line: string): void;
}

const duplicateId = /continuing through error: E11000 .*index: _id_ /;
/** The manual asks for the latter, servers of our days mostly do with the former. */
const replayRole = "restore, or for --oplogReplay one with anyAction on anyResource,";
const notRestored = /(\d+) document\(s\) failed to restore/;

/**
 * Restores an archive, uncompressed, as it comes. Fails as {@link startTool} says, `unavailable` when a document was
 * not restored (mongorestore itself ends with 0 then), and with what reading the archive threw. It ends the process,
 * bounded, when the archive breaks or the signal fires.
 */
export async function restoreArchive(
  archive: AsyncIterable<Uint8Array>,
  options: RestoreOptions,
): Promise<void> {
  const wayOut = "see what mongorestore said in the unit's log, mend the cause, and run this again";
  let lost = "";
  let duplicates = 0;
  await using mongorestore = await startTool({
    tool: "mongorestore",
    executable: options.executable,
    words: ["--archive", ...(options.words ?? []), "--config", options.configurationPath],
    what: options.what,
    signal: options.signal,
    role: options.words?.includes("--oplogReplay") ? replayRole : "restore",
    wayOut,
    onLine: (line) => {
      if (options.oplogSettlesDuplicates && duplicateId.test(line)) duplicates++;
      if (Number(notRestored.exec(line)?.[1] ?? 0) > duplicates) lost = line.trim();
      options.onLine?.(line);
    },
  });
  mongorestore.stdout.resume();
  await feed(archive, mongorestore.stdin);
  await mongorestore.finished();
  if (!lost) return;
  const expected = "every document restored";
  throw new RoundtripError({ kind: "unavailable", what: options.what, expected, got: lost, wayOut });
}

/** A mongorestore that has ended takes no more: how it ended is what counts, not that its pipe broke. */
async function feed(archive: AsyncIterable<Uint8Array>, stdin: NodeJS.WritableStream): Promise<void> {
  try {
    await pipeline(Readable.from(archive, { objectMode: false }), stdin);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "";
    if (code !== "EPIPE" && code !== "ERR_STREAM_PREMATURE_CLOSE" && code !== "ECONNRESET") throw cause;
  }
}

export interface ReplayOplogOptions extends Omit<RestoreOptions, "words"> {
  /** Raw entries of the oplog, concatenated. */
  readonly file: string;
  /** Any folder without a dump in it: mongorestore asks for one. */
  readonly directory: string;
  /** The first time that isn't applied any more. */
  readonly limit: OperationTime;
}

/** Applies entries of the oplog (`--oplogReplay --oplogFile`). Fails as {@link startTool} says. */
export async function replayOplog(options: ReplayOplogOptions): Promise<void> {
  const { executable, configurationPath, file, directory, limit, what, signal, onLine } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await using mongorestore = await startTool({
    tool: "mongorestore",
    executable,
    words: [
      "--oplogReplay",
      `--oplogFile=${file}`,
      `--oplogLimit=${limit.t}:${limit.i}`,
      `--dir=${directory}`,
      "--config",
      configurationPath,
    ],
    what,
    signal,
    role: replayRole,
    wayOut: "see what mongorestore said in the unit's log, mend the cause, and run this again",
    ...(onLine ? { onLine } : {}),
  });
  mongorestore.stdin.end();
  mongorestore.stdout.resume();
  await mongorestore.finished();
}
