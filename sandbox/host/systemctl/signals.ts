import { signalNumber } from "../exit-status.ts";
import { signalProcess } from "../processes.ts";
import { type CommandOutput, failed, type Invocation, ok } from "./invocation.ts";

export function kill({ manager, units, values }: Invocation): CommandOutput {
  const signal = signalNumber(/^\d+$/.test(values.signal ?? "") ? "TERM" : (values.signal ?? "SIGTERM"));
  const number = /^\d+$/.test(values.signal ?? "") ? Number(values.signal) : signal;
  for (const unit of units) {
    const service = manager.services.get(unit);
    if (!manager.load(unit)) return failed(1, `Failed to kill unit ${unit}: Unit ${unit} not loaded.`);
    const whom = values["kill-whom"] ?? values["kill-who"] ?? "all";
    const pids =
      whom === "main"
        ? [service?.status.mainPid ?? 0].filter((pid) => pid > 0)
        : (service?.run?.processes() ?? []);
    if (pids.length === 0) return failed(1, `Failed to kill unit ${unit}: No main process to kill`);
    for (const pid of pids) signalProcess(pid, number);
  }
  return ok();
}

export function resetFailed({ manager, units }: Invocation): CommandOutput {
  const chosen = units.length > 0 ? units : [...manager.services.keys()];
  for (const unit of chosen) {
    if (!manager.load(unit))
      return failed(1, `Failed to reset failed state of unit ${unit}: Unit ${unit} not loaded.`);
    manager.services.get(unit)?.resetFailed();
  }
  return ok();
}
