/** mongodump of the MongoDB Database Tools as a stream: `--archive` on its stdout, never on the disk. */
import { type ChildProcessByStdio, execFile, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { RoundtripError } from "../../core/errors.ts";

/** One SIGTERM can leave mongodump hanging; after this it is killed. */
const killAfterMs = 10_000;
const keptLinesMax = 20;

export interface DumpOptions {
  /** Path, or a name on PATH. */
  readonly executable: string;
  /** File with the connection string, readable by this user only. */
  readonly configurationPath: string;
  /** Keeps what is written meanwhile in the archive, too (`--oplog`): of a replica set, whole. */
  readonly oplog?: boolean;
  /** For messages: what is dumped. */
  readonly what: string;
  readonly signal: AbortSignal;
  /** A collection is done. */
  readonly onNamespace: (namespace: string, documents: number) => void;
}

/**
 * Runs mongodump and gives its archive. The stream fails when mongodump ends with anything but 0: `denied` for
 * refused credentials or privileges, `configuration` when there is no such program, otherwise `unavailable`. It ends
 * the process, bounded, when the consumer stops early or the signal fires.
 */
export async function* dumpArchive(options: DumpOptions): AsyncGenerator<Uint8Array> {
  const words = ["--archive", ...(options.oplog ? ["--oplog"] : []), "--config", options.configurationPath];
  const child = spawn(options.executable, words, { stdio: ["ignore", "pipe", "pipe"] });
  const ended = endOf(child);
  const notStarted = await startOf(child);
  if (notStarted) throw notRunnable(options.executable, notStarted);
  const stop = () => terminate(child);
  options.signal.addEventListener("abort", stop, { once: true });
  if (options.signal.aborted) stop();
  const lines = readLines(child, options.onNamespace);
  try {
    for await (const chunk of child.stdout) yield chunk as Uint8Array;
    const end = await ended;
    options.signal.throwIfAborted();
    if (end !== 0) throw failure(options, end, await lines);
  } finally {
    options.signal.removeEventListener("abort", stop);
    terminate(child);
    await ended;
  }
}

/** First line of `mongodump --version`. Fails `configuration` when the program can't be run. */
export function mongodumpVersion(executable: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(executable, ["--version"], (cause, stdout) => {
      if (cause) reject(notRunnable(executable, cause));
      else resolve(stdout.split("\n")[0] ?? "");
    });
  });
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

/** `undefined` once the program runs. */
function startOf(child: Child): Promise<Error | undefined> {
  return new Promise((resolve) => {
    child.once("spawn", () => resolve(undefined));
    child.once("error", resolve);
  });
}

/** Exit code or signal. */
function endOf(child: Child): Promise<number | string> {
  return new Promise((resolve) => {
    child.on("close", (code, signal) => resolve(code ?? signal ?? "unknown"));
  });
}

function terminate(child: Child): void {
  if (child.exitCode !== null || child.signalCode !== null || !child.kill("SIGTERM")) return;
  const timer = setTimeout(() => child.kill("SIGKILL"), killAfterMs);
  child.on("close", () => clearTimeout(timer));
}

const doneDumping = /done dumping (.+) \((\d+) documents?\)/;

/** Reads the log lines as they come; gives the last ones, for a message. */
async function readLines(child: Child, onNamespace: DumpOptions["onNamespace"]): Promise<string[]> {
  const kept: string[] = [];
  let rest = "";
  const take = (line: string) => {
    const done = doneDumping.exec(line);
    if (done) onNamespace(done[1] ?? "", Number(done[2]));
    if (line.trim()) kept.push(line.trim());
    if (kept.length > keptLinesMax) kept.shift();
  };
  child.stderr.setEncoding("utf8");
  for await (const chunk of child.stderr) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) take(line);
  }
  take(rest);
  return kept;
}

const deniedWords = /auth(entication)? (error|failed)|AuthenticationFailed|not authorized|Unauthorized|sasl/i;

function failure(
  options: DumpOptions,
  end: number | string | Error,
  lines: readonly string[],
): RoundtripError {
  const said = lines.filter((line) => /failed|error/i.test(line)).at(-1) ?? lines.at(-1) ?? "nothing";
  const denied = deniedWords.test(said);
  return new RoundtripError({
    kind: denied ? "denied" : "unavailable",
    what: options.what,
    expected: "mongodump to end with exit code 0",
    got: `${end}: ${withoutCredentials(said)}`,
    wayOut: denied
      ? "give the user the role backup, and compare the secret with the user on the server"
      : "see that the server answers and the bucket takes uploads; the dump starts again",
  });
}

/** mongodump may quote the address. */
function withoutCredentials(text: string): string {
  return text.replace(/(mongodb(?:\+srv)?:\/\/)[^@\s]*@/g, "$1");
}

function notRunnable(executable: string, cause: Error): RoundtripError {
  return new RoundtripError(
    {
      kind: "configuration",
      what: `run ${executable}`,
      expected: "mongodump of the MongoDB Database Tools (100.11 or older for DocumentDB)",
      got: cause.message,
      wayOut: "install the tools on the host, or name the program in MONGODUMP",
    },
    { cause },
  );
}
