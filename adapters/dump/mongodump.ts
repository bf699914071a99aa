/** mongodump of the MongoDB Database Tools as a stream: `--archive` on its stdout, never on the disk. */
import { startTool, toolVersion } from "./tool-process.ts";

export interface DumpOptions {
  /** Path, or a name on PATH. */
  readonly executable: string;
  /** File with the connection string, readable by this user only. */
  readonly configurationPath: string;
  /** Keeps what is written meanwhile in the archive, too (`--oplog`): of a replica set, whole. */
  readonly oplog?: boolean;
  /** Only this database. */
  readonly database?: string;
  /** For messages: what is dumped. */
  readonly what: string;
  readonly signal: AbortSignal;
  /** A collection is done. */
  readonly onNamespace: (namespace: string, documents: number) => void;
}

const doneDumping = /done dumping (.+) \((\d+) documents?\)/;

/**
 * Runs mongodump and gives its archive. The stream fails when mongodump ends with anything but 0: `denied` for
 * refused credentials or privileges, `configuration` when there is no such program, otherwise `unavailable`. It ends
 * the process, bounded, when the consumer stops early or the signal fires.
 */
export async function* dumpArchive(options: DumpOptions): AsyncGenerator<Uint8Array> {
  const { executable, what, signal } = options;
  await using mongodump = await startTool({
    tool: "mongodump",
    executable,
    words: [
      "--archive",
      ...(options.oplog ? ["--oplog"] : []),
      ...(options.database === undefined ? [] : [`--db=${options.database}`]),
      "--config",
      options.configurationPath,
    ],
    what,
    signal,
    role: "backup",
    wayOut: "see that the server answers and the bucket takes uploads; the dump starts again",
    onLine: (line) => {
      const done = doneDumping.exec(line);
      if (done) options.onNamespace(done[1] ?? "", Number(done[2]));
    },
  });
  // One that would ask for a password gets an end instead.
  mongodump.stdin.end();
  for await (const chunk of mongodump.stdout) yield chunk as Uint8Array;
  await mongodump.finished();
}

/** First line of `mongodump --version`. Fails `configuration` when the program can't be run. */
export function mongodumpVersion(executable: string): Promise<string> {
  return toolVersion({ tool: "mongodump", executable });
}
