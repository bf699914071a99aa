import type { Machine } from "./machine.ts";
import type { ProcessGroup } from "./process-group.ts";
import type { ProcessRecord } from "./processes.ts";
import { expandVariables } from "./quoting.ts";
import type { CommandLine, ServiceSettings } from "./settings.ts";
import { SupervisedProcess } from "./supervised-process.ts";

export interface CommandContext {
  readonly machine: Machine;
  readonly record: ProcessRecord;
  readonly settings: ServiceSettings;
  readonly group: ProcessGroup;
  readonly onLine: (stream: "stdout" | "stderr", line: string, pid: number) => void;
}

/** Starts one command line of a unit as a process of its run. Throws SpawnError. */
export function startCommand(
  context: CommandContext,
  command: CommandLine,
  environment: Readonly<Record<string, string>>,
  announceWatchdogPid: boolean,
): SupervisedProcess {
  const { machine, group, record, settings } = context;
  const words = command.expand ? expandVariables(command.words, environment) : command.words;
  const started = new SupervisedProcess({
    argv: words.map((word) => (word.startsWith("/") ? machine.map(word) : machine.mapText(word))),
    workingDirectory: workingDirectory(machine, settings, environment),
    environment,
    announceWatchdogPid,
    onLine: context.onLine,
  });
  group.add(started.pid);
  record.add(started.pid, group.invocation);
  return started;
}

function workingDirectory(
  machine: Machine,
  settings: ServiceSettings,
  environment: Readonly<Record<string, string>>,
): string {
  const wanted = settings.workingDirectory.replace(/^-/, "");
  if (wanted === "~") return environment.HOME ?? machine.at("root");
  return wanted === "/" ? machine.root : machine.map(wanted);
}
