import { Deadline } from "./deadline.ts";
import { describeEnd, isCleanEnd, type ProcessEnd } from "./exit-status.ts";
import { signalProcess } from "./processes.ts";
import type { RunReport } from "./run-report.ts";
import type { CommandLine } from "./settings.ts";
import { SpawnError, type SupervisedProcess } from "./supervised-process.ts";

export interface ControlPhase {
  /** systemd's name of it: start-pre, start-post, stop, stop-post. */
  readonly name: string;
  readonly commands: readonly CommandLine[];
  readonly timeoutMs: number;
  /** Ends a phase of the start early; a phase of the stop isn't interrupted. */
  readonly interrupted: Promise<"stop"> | undefined;
  readonly start: (command: CommandLine) => SupervisedProcess;
}

/** Runs the commands of one phase one after the other; the first that fails ends the phase and marks the run. */
export async function runControlPhase(report: RunReport, phase: ControlPhase): Promise<void> {
  for (const command of phase.commands) {
    report.state(phase.interrupted ? "activating" : "deactivating", phase.name);
    const end = await runCommand(report, phase, command);
    if (end === "over") return;
    if (command.ignoreFailure || isCleanEnd(end, report.unit.service!.successExit, true)) continue;
    report.log(`Control process exited, ${describeEnd(end)}`);
    report.failedWith(end);
    return;
  }
}

/** How one command ended; "over" when the phase ends with it: stopped, too slow, or interrupted. */
async function runCommand(
  report: RunReport,
  phase: ControlPhase,
  command: CommandLine,
): Promise<ProcessEnd | "over"> {
  let control: SupervisedProcess;
  try {
    control = phase.start(command);
  } catch (error) {
    if (!(error instanceof SpawnError)) throw error;
    report.log(error.message);
    return { code: error.status, signal: null };
  }
  using deadline = new Deadline(phase.timeoutMs);
  const interrupted = phase.interrupted ? [phase.interrupted] : [];
  const end = await Promise.race([control.ended, deadline.reached, ...interrupted]);
  if (typeof end !== "string") return end;
  if (end === "timeout") report.fail("timeout");
  signalProcess(-control.pid, "SIGTERM");
  return "over";
}
