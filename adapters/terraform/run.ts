import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export interface RunOptions {
  readonly program: string;
  readonly parameters: readonly string[];
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly onLine: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
  /** How long Terraform may finish what is under way after an interrupt, and again after the second one. */
  readonly interruptGraceSeconds: number;
}

export interface Ended {
  /** null: ended by a signal. */
  readonly exitCode: number | null;
  readonly interrupted: boolean;
  /** Its last lines, for when nothing else explains the exit code. */
  readonly stderr: readonly string[];
}

const stderrLinesMax = 20;

/**
 * Runs Terraform without a shell and in a process group of its own: a Ctrl-C in the terminal reaches this program only,
 * which then interrupts Terraform once. Two interrupts at once make Terraform drop what it is doing.
 * An aborted signal interrupts: SIGINT, after the grace SIGINT again, after another one SIGKILL.
 * @throws the error of starting, such as ENOENT
 */
export function run(options: RunOptions): Promise<Ended> {
  const { promise, resolve, reject } = Promise.withResolvers<Ended>();
  const { signal } = options;
  const child = spawn(options.program, [...options.parameters], {
    cwd: options.directory,
    env: options.environment as NodeJS.ProcessEnv,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const stderr: string[] = [];
  createInterface({ input: child.stdout }).on("line", options.onLine);
  createInterface({ input: child.stderr }).on("line", (line) => {
    stderr.push(line);
    if (stderr.length > stderrLinesMax) stderr.shift();
  });
  const timers: ReturnType<typeof setTimeout>[] = [];
  const interrupt = () => {
    const grace = options.interruptGraceSeconds * 1000;
    child.kill("SIGINT");
    timers.push(setTimeout(() => child.kill("SIGINT"), grace));
    timers.push(setTimeout(() => child.kill("SIGKILL"), 2 * grace));
  };
  signal?.addEventListener("abort", interrupt, { once: true });
  const finish = () => {
    for (const timer of timers) clearTimeout(timer);
    signal?.removeEventListener("abort", interrupt);
  };
  child.once("error", (error) => {
    finish();
    reject(error);
  });
  // "close", not "exit": every line has been read by then.
  child.once("close", (exitCode) => {
    finish();
    resolve({ exitCode, interrupted: signal?.aborted ?? false, stderr });
  });
  return promise;
}
