import { describeEnd, isCleanEnd, type ProcessEnd } from "./exit-status.ts";
import type { Journal, JournalStream } from "./journal.ts";
import type { ActiveState, ServiceResult, ServiceStatus } from "./service-status.ts";
import type { LoadedUnit } from "./unit-loader.ts";

/** What a run says of itself: its state for `systemctl show`, its result, its lines in the journal. */
export class RunReport {
  #result: ServiceResult = "success";

  constructor(
    readonly unit: LoadedUnit,
    readonly status: ServiceStatus,
    readonly journal: Journal,
  ) {}

  get result(): ServiceResult {
    return this.#result;
  }

  /** The first failure is the one that stays. */
  fail(result: ServiceResult): void {
    if (this.#result === "success") this.#result = result;
  }

  state(active: ActiveState, sub: string): void {
    this.status.activeState = active;
    this.status.subState = sub;
    this.status.stateChangedAt = new Date();
  }

  mainStarted(pid: number): void {
    Object.assign(this.status, {
      mainPid: pid,
      execMainPid: pid,
      execMainEnd: undefined,
      execMainStartedAt: new Date(),
      execMainEndedAt: undefined,
    });
  }

  mainEnded(end: ProcessEnd, ignoreFailure = false): void {
    const { successExit, type } = this.unit.service!;
    this.status.mainPid = 0;
    this.status.execMainEnd = end;
    this.status.execMainEndedAt = new Date();
    if (end.signal !== null || end.code !== 0) this.log(`Main process exited, ${describeEnd(end)}`);
    if (!ignoreFailure && !isCleanEnd(end, successExit, type === "oneshot")) this.failedWith(end);
  }

  failedWith(end: ProcessEnd): void {
    this.fail(end.signal !== null ? "signal" : "exit-code");
  }

  active(sub: "running" | "exited"): void {
    this.state("active", sub);
    this.status.activeEnteredAt = new Date();
    this.announce(sub === "exited" ? "Finished" : "Started", ".");
  }

  inactive(wasStopped: boolean): void {
    this.status.result = this.#result;
    this.status.mainPid = 0;
    this.status.statusText = "";
    const failed = this.#result !== "success";
    this.log(failed ? `Failed with result '${this.#result}'.` : "Deactivated successfully.");
    if (wasStopped) this.announce("Stopped", ".");
    this.state(failed ? "failed" : "inactive", failed ? "failed" : "dead");
    this.status.inactiveEnteredAt = new Date();
  }

  /** `Starting <description>...` and the like. */
  announce(what: string, end: string): void {
    this.write("systemd", `${what} ${this.unit.unit.description}${end}`, 1);
  }

  /** A line of systemd's own about this unit. */
  log(message: string): void {
    this.write("systemd", `${this.unit.name}: ${message}`, 1);
  }

  write(stream: JournalStream, message: string, pid: number): void {
    this.journal.append(this.unit.name, pid, stream, message);
  }
}
