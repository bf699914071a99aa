import type { ProcessEnd } from "./exit-status.ts";

export type ActiveState = "inactive" | "activating" | "active" | "deactivating" | "failed";
export type ServiceResult =
  | "success"
  | "resources"
  | "protocol"
  | "timeout"
  | "exit-code"
  | "signal"
  | "watchdog"
  | "start-limit-hit"
  | "condition";

/** How a start or stop that somebody waited for came out. */
export type JobResult = "done" | "failed" | "timeout" | "canceled" | "dependency" | "skipped";

/** What `systemctl show` tells of a service; filled in as it happens. */
export interface ServiceStatus {
  activeState: ActiveState;
  subState: string;
  result: ServiceResult;
  mainPid: number;
  /** The last main process, also after its end. */
  execMainPid: number;
  execMainEnd: ProcessEnd | undefined;
  execMainStartedAt: Date | undefined;
  execMainEndedAt: Date | undefined;
  statusText: string;
  restarts: number;
  invocationId: string;
  activeEnteredAt: Date | undefined;
  inactiveEnteredAt: Date | undefined;
  stateChangedAt: Date | undefined;
}

export function newServiceStatus(): ServiceStatus {
  return {
    activeState: "inactive",
    subState: "dead",
    result: "success",
    mainPid: 0,
    execMainPid: 0,
    execMainEnd: undefined,
    execMainStartedAt: undefined,
    execMainEndedAt: undefined,
    statusText: "",
    restarts: 0,
    invocationId: "",
    activeEnteredAt: undefined,
    inactiveEnteredAt: undefined,
    stateChangedAt: undefined,
  };
}
