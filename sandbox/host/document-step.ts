import { chmodSync, createWriteStream, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Deadline } from "./deadline.ts";
import type { Machine } from "./machine.ts";
import { processesOf, signalProcess } from "./processes.ts";

export type StepStatus = "Pending" | "InProgress" | "Success" | "Failed" | "TimedOut" | "Cancelled";

export interface StepOutcome {
  readonly status: StepStatus;
  readonly exitCode: number;
}

export interface StepRequest {
  readonly folder: string;
  readonly script: string;
  readonly workingDirectory: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly cancelled: Promise<"cancelled">;
  readonly onStarted: (pid: number) => void;
}

/** The exit code the agent gives a script it had to kill; a script that exits with it counts as timed out, too. */
const stoppedExitCode = 137;

/**
 * Runs one aws:runShellScript step the way the agent does: the lines become a file, run by `sh`, its output goes to
 * `stdout` and `stderr` beside it. On a timeout or a cancellation its whole session is killed.
 */
export async function runStep(machine: Machine, request: StepRequest): Promise<StepOutcome> {
  mkdirSync(request.folder, { recursive: true });
  const path = join(request.folder, "_script.sh");
  writeFileSync(path, machine.mapText(request.script));
  chmodSync(path, 0o700);
  const wanted = request.workingDirectory ? machine.map(request.workingDirectory) : machine.root;
  const child = Bun.spawn(["sh", "-c", path], {
    cwd: existsSync(wanted) ? wanted : machine.root,
    env: { ...request.environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    detached: true,
  });
  request.onStarted(child.pid);
  const outputs = Promise.all([
    save(child.stdout, join(request.folder, "stdout")),
    save(child.stderr, join(request.folder, "stderr")),
  ]);
  using deadline = new Deadline(request.timeoutSeconds * 1000);
  const end = await Promise.race([child.exited, deadline.reached, request.cancelled]);
  if (end === "timeout" || end === "cancelled") {
    for (const pid of processesOf(new Set(), new Set([child.pid]))) signalProcess(pid, "SIGKILL");
    await Promise.race([outputs, Bun.sleep(500)]);
    return { status: end === "timeout" ? "TimedOut" : "Cancelled", exitCode: stoppedExitCode };
  }
  // A daemon the script left behind may hold the pipes; the agent doesn't wait for it for ever either.
  await Promise.race([outputs, Bun.sleep(2000)]);
  if (child.exitCode === 0) return { status: "Success", exitCode: 0 };
  if (child.exitCode === stoppedExitCode) return { status: "TimedOut", exitCode: stoppedExitCode };
  return { status: "Failed", exitCode: child.exitCode ?? -1 };
}

async function save(stream: ReadableStream<Uint8Array>, path: string): Promise<void> {
  const file = createWriteStream(path);
  for await (const chunk of stream)
    if (!file.write(chunk)) await new Promise<void>((resolve) => file.once("drain", () => resolve()));
  await new Promise<void>((resolve) => file.end(() => resolve()));
}
