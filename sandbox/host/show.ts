import { signalNumber } from "./exit-status.ts";
import type { Manager } from "./manager.ts";
import { newServiceStatus } from "./service-status.ts";
import { unitFileState } from "./unit-links.ts";
import { BadUnitError, type LoadedUnit } from "./unit-loader.ts";

/** A moment as `systemctl show` writes it: `Sat 2026-11-21 08:19:23 UTC`, empty when it never came. */
export function formatTimestamp(moment: Date | undefined): string {
  if (!moment) return "";
  const weekday = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][moment.getUTCDay()];
  return `${weekday} ${moment.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** The properties of a unit, in the order of `systemctl show`; a unit that isn't there has LoadState=not-found. */
export function propertiesOf(manager: Manager, name: string): Record<string, string> {
  let unit: LoadedUnit | undefined;
  let loadState = "not-found";
  try {
    unit = manager.load(name);
    if (unit) loadState = "loaded";
  } catch (error) {
    if (!(error instanceof BadUnitError)) throw error;
    loadState = "bad-setting";
  }
  return {
    ...serviceProperties(manager, name, unit),
    ...timerProperties(manager, name),
    Id: name,
    Names: name,
    Requires: unit?.unit.requires.join(" ") ?? "",
    Wants: unit?.unit.wants.join(" ") ?? "",
    After: unit?.unit.after.join(" ") ?? "",
    Description: unit?.unit.description ?? name,
    LoadState: loadState,
    ...activeProperties(manager, name),
    FragmentPath: unit?.files[0]?.slice(manager.machine.root.length) ?? "",
    UnitFileState: unit ? unitFileState(manager.machine.at("etc/systemd/system"), unit) : "",
  };
}

function activeProperties(manager: Manager, name: string): Record<string, string> {
  const timer = manager.timers.get(name);
  if (timer)
    return { ActiveState: timer.activeState, SubState: timer.activeState === "active" ? "waiting" : "dead" };
  if (name.endsWith(".target") && manager.bootedAt) return { ActiveState: "active", SubState: "active" };
  const status = manager.services.get(name)?.status ?? newServiceStatus();
  return {
    ActiveState: status.activeState,
    SubState: status.subState,
    StateChangeTimestamp: formatTimestamp(status.stateChangedAt),
    ActiveEnterTimestamp: formatTimestamp(status.activeEnteredAt),
    InactiveEnterTimestamp: formatTimestamp(status.inactiveEnteredAt),
  };
}

function serviceProperties(
  manager: Manager,
  name: string,
  unit: LoadedUnit | undefined,
): Record<string, string> {
  if (!name.endsWith(".service")) return {};
  const status = manager.services.get(name)?.status ?? newServiceStatus();
  const end = status.execMainEnd;
  return {
    Type: unit?.service?.type ?? "simple",
    Restart: unit?.service?.restart ?? "no",
    MainPID: String(status.mainPid),
    Result: status.result === "condition" ? "exec-condition" : status.result,
    NRestarts: String(status.restarts),
    StatusText: status.statusText,
    WatchdogUSec: unit?.service?.watchdogMs ? `${unit.service.watchdogMs / 1000}s` : "0",
    ExecMainStartTimestamp: formatTimestamp(status.execMainStartedAt),
    ExecMainExitTimestamp: formatTimestamp(status.execMainEndedAt),
    ExecMainPID: String(status.execMainPid),
    ExecMainCode: end === undefined ? "0" : end.signal === null ? "1" : "2",
    ExecMainStatus: String(end === undefined ? 0 : end.signal === null ? end.code : signalNumber(end.signal)),
    InvocationID: status.invocationId,
  };
}

function timerProperties(manager: Manager, name: string): Record<string, string> {
  const timer = manager.timers.get(name);
  if (!timer) return {};
  return {
    Unit: timer.unit.timer!.unit,
    NextElapseUSecRealtime: formatTimestamp(timer.nextAt),
    LastTriggerUSec: formatTimestamp(timer.lastTriggerAt),
    Result: "success",
  };
}
