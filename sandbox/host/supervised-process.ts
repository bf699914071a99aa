import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ProcessEnd } from "./exit-status.ts";
import { readLines } from "./lines.ts";

/** A process that could not be started; `status` is the exit status systemd reports for it (203/EXEC, 200/CHDIR). */
export class SpawnError extends Error {
  constructor(
    readonly status: number,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

export interface SpawnRequest {
  readonly argv: readonly string[];
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Set WATCHDOG_PID to the process's own id, which is only known once it runs. */
  readonly announceWatchdogPid?: boolean;
  readonly onLine: (stream: "stdout" | "stderr", line: string, pid: number) => void;
}

/** Gone pipes are waited for this long after the process, so that its last words stand before the news of its end. */
const outputGraceMs = 200;

/** One process in a session of its own, its output read line by line. */
export class SupervisedProcess {
  readonly pid: number;
  readonly ended: Promise<ProcessEnd>;

  /** Starts it. Throws SpawnError when the program or the working directory cannot be used. */
  constructor(request: SpawnRequest) {
    if (!existsSync(request.workingDirectory)) {
      throw new SpawnError(
        200,
        `Changing to the requested working directory failed: ${request.workingDirectory}`,
      );
    }
    const program = findProgram(request.argv[0]!, request.environment.PATH ?? "");
    const argv = [program, ...request.argv.slice(1)];
    const wrapped = request.announceWatchdogPid
      ? ["/bin/sh", "-c", 'WATCHDOG_PID=$$ exec "$0" "$@"', ...argv]
      : argv;
    const child = spawn(wrapped, request);
    this.pid = child.pid;
    const outputs = Promise.all([
      readLines(child.stdout, (line) => request.onLine("stdout", line, child.pid)),
      readLines(child.stderr, (line) => request.onLine("stderr", line, child.pid)),
    ]);
    this.ended = child.exited.then(async () => {
      await Promise.race([outputs, Bun.sleep(outputGraceMs)]);
      return { code: child.exitCode, signal: child.signalCode as NodeJS.Signals | null };
    });
  }
}

function spawn(argv: string[], request: SpawnRequest): Bun.Subprocess<"ignore", "pipe", "pipe"> {
  try {
    return Bun.spawn(argv, {
      cwd: request.workingDirectory,
      env: { ...request.environment },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      detached: true,
    });
  } catch (cause) {
    throw new SpawnError(203, `Failed to execute ${argv[0]}: ${(cause as Error).message}`, { cause });
  }
}

function findProgram(name: string, path: string): string {
  const candidates = name.includes("/") ? [name] : path.split(":").map((folder) => join(folder, name));
  for (const candidate of candidates) {
    const stat = statSync(candidate, { throwIfNoEntry: false });
    if (!stat?.isFile()) continue;
    if ((stat.mode & 0o111) === 0)
      throw new SpawnError(203, `Failed to execute ${candidate}: Permission denied`);
    return candidate;
  }
  throw new SpawnError(203, `Failed to locate executable ${name}: No such file or directory`);
}
