/** A program of the MongoDB Database Tools: its start, its log, and how it ends. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { RoundtripError } from "../../core/errors.ts";

/** One SIGTERM can leave a tool hanging; after this it is killed. */
const killAfterMs = 10_000;
const keptLinesMax = 20;

export interface ToolOptions {
  readonly tool: "mongodump" | "mongorestore";
  /** Path, or a name on PATH. */
  readonly executable: string;
  readonly words: readonly string[];
  /** For messages: what is being done, with the name of the secret. */
  readonly what: string;
  readonly signal: AbortSignal;
  /** Role of the user that does this; part of the way out where rights are missing. */
  readonly role: string;
  /** The way out of any other failure. */
  readonly wayOut: string;
  /** Each line of its log as it comes. */
  onLine?(line: string): void;
}

/** Disposing ends the process, bounded. */
export interface Tool extends AsyncDisposable {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /**
   * Waits for its end. Fails unless that is exit code 0: `denied` for refused credentials or privileges, otherwise
   * `unavailable`, with what it said; with the signal's reason when that had fired.
   */
  finished(): Promise<void>;
}

/** Starts a tool. Fails `configuration` when there is no such program. When the signal fires the tool is ended. */
export async function startTool(options: ToolOptions): Promise<Tool> {
  const child = spawn(options.executable, options.words, { stdio: ["pipe", "pipe", "pipe"] });
  // A tool that has ended takes nothing more; its exit code says why.
  child.stdin.on("error", () => {});
  const ended = endOf(child);
  const notStarted = await startOf(child);
  if (notStarted) throw notRunnable(options, notStarted);
  const stop = () => terminate(child);
  options.signal.addEventListener("abort", stop, { once: true });
  if (options.signal.aborted) stop();
  const lines = readLines(child.stderr, options.onLine);
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    async finished() {
      const end = await ended;
      options.signal.throwIfAborted();
      if (end !== 0) throw failure(options, end, await lines);
      await lines;
    },
    async [Symbol.asyncDispose]() {
      options.signal.removeEventListener("abort", stop);
      terminate(child);
      await ended;
    },
  };
}

/** First line of `--version`. Fails `configuration` when the program can't be run. */
export function toolVersion(options: Pick<ToolOptions, "tool" | "executable">): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(options.executable, ["--version"], (cause, stdout) => {
      if (cause) reject(notRunnable(options, cause));
      else resolve(stdout.split("\n")[0] ?? "");
    });
  });
}

/** `undefined` once the program runs. */
function startOf(child: ChildProcess): Promise<Error | undefined> {
  return new Promise((resolve) => {
    child.once("spawn", () => resolve(undefined));
    child.once("error", resolve);
  });
}

/** Exit code or signal. */
function endOf(child: ChildProcess): Promise<number | string> {
  return new Promise((resolve) => {
    child.on("close", (code, signal) => resolve(code ?? signal ?? "unknown"));
  });
}

function terminate(child: ChildProcess): void {
  if (child.exitCode !== null || child.signalCode !== null || !child.kill("SIGTERM")) return;
  const timer = setTimeout(() => child.kill("SIGKILL"), killAfterMs);
  child.on("close", () => clearTimeout(timer));
}

/** Reads the log as it comes; gives the last lines, for a message. */
async function readLines(stderr: Readable, onLine: ToolOptions["onLine"]): Promise<string[]> {
  const kept: string[] = [];
  let rest = "";
  const take = (line: string) => {
    onLine?.(line);
    if (line.trim()) kept.push(line.trim());
    if (kept.length > keptLinesMax) kept.shift();
  };
  stderr.setEncoding("utf8");
  for await (const chunk of stderr) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) take(line);
  }
  take(rest);
  return kept;
}

/** mongorestore's last line whatever happened: why it failed stands before it. */
const countLine = /document\(s\) restored successfully/;
const deniedWords = /auth(entication)? (error|failed)|AuthenticationFailed|not authorized|Unauthorized|sasl/i;

function failure(options: ToolOptions, end: number | string, lines: readonly string[]): RoundtripError {
  const failed = lines.filter((line) => /failed|error/i.test(line) && !countLine.test(line));
  const said = failed.at(-1) ?? lines.at(-1) ?? "nothing";
  const denied = deniedWords.test(said);
  return new RoundtripError({
    kind: denied ? "denied" : "unavailable",
    what: options.what,
    expected: `${options.tool} to end with exit code 0`,
    got: `${end}: ${withoutCredentials(said)}`,
    wayOut: denied
      ? `give the user the role ${options.role}, and compare the secret with the user on the server`
      : options.wayOut,
  });
}

/** A tool may quote the address. */
function withoutCredentials(text: string): string {
  return text.replace(/(mongodb(?:\+srv)?:\/\/)[^@\s]*@/g, "$1");
}

function notRunnable(
  { tool, executable }: Pick<ToolOptions, "tool" | "executable">,
  cause: Error,
): RoundtripError {
  return new RoundtripError(
    {
      kind: "configuration",
      what: `run ${executable}`,
      expected: `${tool} of the MongoDB Database Tools (100.11 or older for DocumentDB)`,
      got: cause.message,
      wayOut: `install the tools on the host, or name the program in ${tool.toUpperCase()}`,
    },
    { cause },
  );
}
