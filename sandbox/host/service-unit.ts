import type { Notification } from "./notify-socket.ts";
import { type RunContext, ServiceRun } from "./service-run.ts";
import { type JobResult, newServiceStatus, type ServiceStatus } from "./service-status.ts";
import type { LoadedUnit } from "./unit-loader.ts";

export interface ServiceEvents {
  /** A run ended; `restarts` says whether another one was scheduled. */
  ended(name: string, status: ServiceStatus, restarts: boolean, wasStopped: boolean): void;
}

/** A service across its runs: start limit, restart policy, and one job at a time. */
export class ServiceUnit {
  readonly status: ServiceStatus = newServiceStatus();
  #run: ServiceRun | undefined;
  #finished: Promise<void> = Promise.resolve();
  #restartTimer: Timer | undefined;
  #starts: number[] = [];

  constructor(
    public unit: LoadedUnit,
    readonly context: RunContext,
    readonly events: ServiceEvents,
  ) {}

  get run(): ServiceRun | undefined {
    return this.#run;
  }

  /** Settles when the service is up, or has failed to come up. Already up: done. */
  async start(): Promise<JobResult> {
    if (this.status.activeState === "active") return "done";
    if (this.status.activeState === "deactivating") await this.#finished;
    if (this.#run) return this.#run.started;
    clearTimeout(this.#restartTimer);
    this.#restartTimer = undefined;
    this.status.restarts = 0;
    return this.#begin();
  }

  /** Settles when no process of the service is left; a pending restart is called off. */
  async stop(): Promise<void> {
    if (this.#restartTimer !== undefined) {
      clearTimeout(this.#restartTimer);
      this.#restartTimer = undefined;
      Object.assign(this.status, { activeState: "inactive", subState: "dead" });
    }
    this.#run?.requestStop();
    await this.#finished;
  }

  resetFailed(): void {
    this.#starts = [];
    this.status.restarts = 0;
    if (this.status.activeState !== "failed") return;
    Object.assign(this.status, { activeState: "inactive", subState: "dead", result: "success" });
  }

  notify(notification: Notification): void {
    this.#run?.notify(notification);
  }

  async #begin(): Promise<JobResult> {
    if (!this.#withinStartLimit()) {
      this.#log(`${this.unit.name}: Start request repeated too quickly.`);
      // A result that stands from the runs before is kept: systemd shows why they failed, not that it gave up.
      const result = this.status.result === "success" ? "start-limit-hit" : this.status.result;
      this.#log(`${this.unit.name}: Failed with result '${result}'.`);
      Object.assign(this.status, { activeState: "failed", subState: "failed", result });
      this.events.ended(this.unit.name, this.status, false, false);
      return "failed";
    }
    const run = new ServiceRun(this.unit, this.status, this.context);
    this.#run = run;
    this.#finished = run.execute().then(() => this.#afterRun(run));
    return run.started;
  }

  #withinStartLimit(): boolean {
    const { startLimitIntervalMs, startLimitBurst } = this.unit.unit;
    if (startLimitIntervalMs <= 0 || startLimitBurst <= 0) return true;
    const now = Date.now();
    this.#starts = this.#starts.filter((moment) => now - moment < startLimitIntervalMs);
    if (this.#starts.length >= startLimitBurst) return false;
    this.#starts.push(now);
    return true;
  }

  #afterRun(run: ServiceRun): void {
    this.#run = undefined;
    const restarts = !run.wasStopped && this.#shallRestart();
    if (restarts) this.#scheduleRestart();
    this.events.ended(this.unit.name, this.status, restarts, run.wasStopped);
  }

  #shallRestart(): boolean {
    const service = this.unit.service!;
    const { result, execMainEnd } = this.status;
    if (execMainEnd && service.restartPrevent.has(execMainEnd)) return false;
    if (execMainEnd && service.restartForce.has(execMainEnd)) return true;
    switch (service.restart) {
      case "no":
        return false;
      case "always":
        return true;
      case "on-success":
        return result === "success";
      case "on-failure":
        return result !== "success";
      case "on-abnormal":
        return result !== "success" && result !== "exit-code";
      case "on-abort":
        return result === "signal";
      case "on-watchdog":
        return result === "watchdog";
    }
  }

  #scheduleRestart(): void {
    Object.assign(this.status, { activeState: "activating", subState: "auto-restart" });
    this.#restartTimer = setTimeout(() => {
      this.#restartTimer = undefined;
      this.status.restarts += 1;
      this.#log(`${this.unit.name}: Scheduled restart job, restart counter is at ${this.status.restarts}.`);
      void this.#begin();
    }, this.unit.service!.restartMs);
  }

  #log(message: string): void {
    this.context.journal.append(this.unit.name, 1, "systemd", message);
  }
}
