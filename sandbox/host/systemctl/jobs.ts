import { type Manager, UnitRequestError } from "../manager.ts";
import type { JobResult } from "../service-status.ts";
import { propertiesOf } from "../show.ts";
import { type CommandOutput, failed, type Invocation, ok } from "./invocation.ts";

export async function start({ manager, units, values }: Invocation): Promise<CommandOutput> {
  for (const unit of units) if (!manager.load(unit)) throw new UnitRequestError(5, `Unit ${unit} not found.`);
  const jobs = units.map(async (unit) => [unit, await manager.start(unit)] as const);
  if (values["no-block"]) {
    for (const job of jobs) job.catch(() => {});
    return ok();
  }
  return reportJobs(manager, await Promise.all(jobs));
}

export async function restart({ manager, units, values }: Invocation): Promise<CommandOutput> {
  for (const unit of units) if (!manager.load(unit)) throw new UnitRequestError(5, `Unit ${unit} not found.`);
  const jobs = units.map(async (unit) => {
    await manager.stop(unit);
    return [unit, await manager.start(unit)] as const;
  });
  if (values["no-block"]) {
    for (const job of jobs) job.catch(() => {});
    return ok();
  }
  return reportJobs(manager, await Promise.all(jobs));
}

/** Restarts those that run; the others stay as they are. */
export async function tryRestart(invocation: Invocation): Promise<CommandOutput> {
  const running = invocation.units.filter(
    (unit) => propertiesOf(invocation.manager, unit).ActiveState === "active",
  );
  return running.length === 0 ? ok() : restart({ ...invocation, units: running });
}

function reportJobs(manager: Manager, results: readonly (readonly [string, JobResult])[]): CommandOutput {
  const messages = results
    .filter(([, result]) => result !== "done" && result !== "skipped")
    .map(([unit, result]) => {
      if (result === "dependency")
        return `A dependency job for ${unit} failed. See 'journalctl -xe' for details.`;
      if (result === "canceled") return `Job for ${unit} canceled.`;
      const reason =
        reasons[propertiesOf(manager, unit).Result ?? ""] ??
        "because the control process exited with error code";
      return `Job for ${unit} failed ${reason}.\nSee "systemctl status ${unit}" and "journalctl -xeu ${unit}" for details.`;
    });
  return messages.length === 0 ? ok() : failed(1, messages.join("\n"));
}

export async function stop({ manager, units, values }: Invocation): Promise<CommandOutput> {
  const stops = Promise.all(units.map((unit) => manager.stop(unit)));
  if (values["no-block"]) stops.catch(() => {});
  else await stops;
  return ok();
}

const reasons: Readonly<Record<string, string>> = {
  timeout: "because a timeout was exceeded",
  signal: "because a fatal signal was delivered to the control process",
  resources: "because of unavailable resources or another system error",
  protocol: "because the service did not take the steps required by its unit configuration",
  "start-limit-hit": "because start of the service was attempted too often",
};
