import { spawn } from "node:child_process";
import { join } from "node:path";
import { lifeline } from "./lifeline.ts";
import { OutputFile } from "./output-file.ts";

export interface RunOptions {
  readonly program: string;
  readonly parameters: readonly string[];
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** A private folder that exists: what Terraform says is written there, and removed when it has ended. */
  readonly outputFolder: string;
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
const pollMs = 50;
/** As a shell and timeout(1) say it: 126 can't be run, 127 isn't there, 137 killed. */
const [cannotRun, notThere, killed] = [126, 127, 137];

/**
 * Runs Terraform without a shell and in a process group of its own: a Ctrl-C in the terminal reaches this program only,
 * which then interrupts Terraform once. Two interrupts at once make Terraform drop what it is doing.
 * An aborted signal interrupts: SIGINT, after the grace SIGINT again, after another one SIGKILL. When this program is
 * killed, Terraform is interrupted the same way where the system can do that (lifeline.ts): it finishes what is under
 * way, saves the state and frees its lock. It writes to files, since a broken pipe would end it without any of that.
 * @throws the error of starting, such as ENOENT
 */
export function run(options: RunOptions): Promise<Ended> {
  const { promise, resolve, reject } = Promise.withResolvers<Ended>();
  const { signal, outputFolder, interruptGraceSeconds } = options;
  const stderr: string[] = [];
  const outputs = [
    new OutputFile(join(outputFolder, "stdout"), options.onLine),
    new OutputFile(join(outputFolder, "stderr"), (line) => {
      stderr.push(line);
      if (stderr.length > stderrLinesMax) stderr.shift();
    }),
  ] as const;
  const bound = lifeline();
  const [program = "", ...before] = [...(bound?.(2 * interruptGraceSeconds) ?? []), options.program];
  const child = spawn(program, [...before, ...options.parameters], {
    cwd: options.directory,
    env: options.environment as NodeJS.ProcessEnv,
    stdio: ["ignore", outputs[0].descriptor, outputs[1].descriptor],
    detached: true,
  });
  const read = () => {
    for (const output of outputs) output.read();
  };
  const reading = setInterval(read, pollMs);
  const timers: ReturnType<typeof setTimeout>[] = [];
  const interrupt = () => {
    const grace = interruptGraceSeconds * 1000;
    child.kill("SIGINT");
    timers.push(setTimeout(() => child.kill("SIGINT"), grace));
    // A bound Terraform is killed by timeout(1), which would die of this before it.
    if (!bound) timers.push(setTimeout(() => child.kill("SIGKILL"), 2 * grace));
  };
  signal?.addEventListener("abort", interrupt, { once: true });
  const finish = () => {
    clearInterval(reading);
    for (const timer of timers) clearTimeout(timer);
    signal?.removeEventListener("abort", interrupt);
    for (const output of outputs) output.close();
  };
  child.once("error", (error) => {
    finish();
    reject(error);
  });
  child.once("exit", (code) => {
    try {
      read();
    } finally {
      finish();
    }
    if (bound && (code === cannotRun || code === notThere))
      return reject(new Error(`${options.program}: ${stderr.join(" ") || `exit code ${code}`}`));
    resolve({ exitCode: code === killed ? null : code, interrupted: signal?.aborted ?? false, stderr });
  });
  return promise;
}
