import { existsSync, readdirSync } from "node:fs";
import { Journal } from "./journal.ts";
import type { Machine } from "./machine.ts";
import { NotifySocket } from "./notify-socket.ts";
import { ProcessRecord, signalProcess } from "./processes.ts";
import type { RunContext } from "./service-run.ts";
import type { JobResult, ServiceStatus } from "./service-status.ts";
import { ServiceUnit } from "./service-unit.ts";
import { TimerUnit } from "./timer-unit.ts";
import { planStart, type TransactionEntry } from "./transaction.ts";
import { bootUnits } from "./unit-links.ts";
import { BadUnitError, type LoadedUnit, loadUnit } from "./unit-loader.ts";

/** systemctl asked for something that isn't there or can't be obeyed. `status` is its exit status. */
export class UnitRequestError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** What pid 1 does on a real machine: holds the units, runs jobs, boots and powers off. */
export class Manager implements AsyncDisposable {
  readonly journal: Journal;
  readonly record: ProcessRecord;
  readonly #services = new Map<string, ServiceUnit>();
  readonly #timers = new Map<string, TimerUnit>();
  readonly #notify: NotifySocket;
  readonly #context: RunContext;
  #bootedAt: Date | undefined;

  constructor(readonly machine: Machine) {
    this.journal = new Journal(machine.at("var/log/journal"));
    this.record = new ProcessRecord(machine.at("run/host/processes.jsonl"));
    this.#notify = new NotifySocket(machine.at("run/systemd/notify"), (notification) => {
      this.#senderOf(notification.pid)?.notify(notification);
    });
    this.#context = {
      machine,
      journal: this.journal,
      record: this.record,
      notifyAddress: this.#notify.address,
    };
  }

  /** The service a process belongs to; whole groups are only looked through when it is no main process. */
  #senderOf(pid: number): ServiceUnit | undefined {
    const services = [...this.#services.values()];
    return (
      services.find(({ status }) => status.mainPid === pid) ??
      services.find(({ run }) => run?.processes().includes(pid))
    );
  }

  get bootedAt(): Date | undefined {
    return this.#bootedAt;
  }

  get services(): ReadonlyMap<string, ServiceUnit> {
    return this.#services;
  }

  get timers(): ReadonlyMap<string, TimerUnit> {
    return this.#timers;
  }

  /** Power on: every enabled unit is started; failures show in the units, not here. */
  async boot(): Promise<void> {
    if (this.#bootedAt) return;
    this.#bootedAt = new Date();
    await Promise.all(
      bootUnits(this.machine.at("etc/systemd/system")).map((name) =>
        this.start(name).catch((error: Error) => this.#log(name, error.message)),
      ),
    );
  }

  /** Power off: everything is stopped in good order, bounded by each unit's TimeoutStopSec. */
  async halt(): Promise<void> {
    for (const timer of this.#timers.values()) timer.stop();
    await Promise.all([...this.#services.values()].map((service) => service.stop()));
    this.#bootedAt = undefined;
  }

  /** Power cut: every process is killed at once, nothing is tidied. */
  async cut(): Promise<void> {
    for (const timer of this.#timers.values()) timer.stop();
    const ends = [...this.#services.values()].map((service) => {
      const pids = service.run?.processes() ?? [];
      const stopped = service.stop();
      for (const pid of pids) signalProcess(pid, "SIGKILL");
      return stopped;
    });
    await Promise.all(ends);
    this.#bootedAt = undefined;
  }

  /** Starts a unit and what it pulls in; settles when its job is done. Throws UnitRequestError for an unknown unit. */
  async start(name: string): Promise<JobResult> {
    let plan: TransactionEntry[];
    try {
      plan = planStart(
        name,
        (other) => this.load(other),
        (message) => this.#log(name, message),
      );
    } catch (error) {
      if (error instanceof UnitRequestError || error instanceof BadUnitError) throw error;
      throw new UnitRequestError(5, (error as Error).message);
    }
    const jobs = new Map<string, Promise<JobResult>>();
    for (const entry of plan) jobs.set(entry.name, this.#startEntry(entry, jobs));
    const results = await Promise.all([...jobs].map(async ([unit, job]) => [unit, await job] as const));
    return results.find(([unit]) => unit === name)![1];
  }

  async #startEntry(
    entry: TransactionEntry,
    jobs: ReadonlyMap<string, Promise<JobResult>>,
  ): Promise<JobResult> {
    const waited = await Promise.all(
      entry.waitFor.map(async (other) => [other, await jobs.get(other)!] as const),
    );
    const missing = waited.find(([other, result]) => entry.requires.includes(other) && result !== "done");
    if (missing) {
      this.#log(entry.name, `Dependency failed for ${entry.unit.unit.description}.`);
      return "dependency";
    }
    for (const other of entry.unit.unit.conflicts) await this.#services.get(other)?.stop();
    if (entry.unit.timer) this.#timer(entry.unit).start();
    if (!entry.unit.service) return "done";
    const unmet = entry.unit.unit.conditionPathExists.find((path) => !this.#conditionHolds(path));
    if (unmet) {
      this.#log(
        entry.name,
        `${entry.unit.unit.description} was skipped because of an unmet condition check (ConditionPathExists=${unmet}).`,
      );
      return "skipped";
    }
    return this.#service(entry.unit).start();
  }

  #conditionHolds(path: string): boolean {
    const isNegated = path.startsWith("!");
    const bare = isNegated ? path.slice(1) : path;
    return existsSync(bare.startsWith("/") ? this.machine.at(bare) : bare) !== isNegated;
  }

  /** Stops a unit and those bound to it. */
  async stop(name: string): Promise<void> {
    const unit = this.load(name);
    if (!unit) throw new UnitRequestError(5, `Unit ${name} not loaded.`);
    const dependents = [...this.#services.values()].filter(
      ({ unit: other }) =>
        other.name !== name &&
        [...other.unit.requires, ...other.unit.bindsTo, ...other.unit.partOf].includes(name),
    );
    await Promise.all(dependents.map((dependent) => dependent.stop()));
    this.#timers.get(name)?.stop();
    await this.#services.get(name)?.stop();
  }

  /** Loads a unit; a running one keeps the settings it was started with until `reload`. */
  load(name: string): LoadedUnit | undefined {
    const known = this.#services.get(name)?.unit ?? this.#timers.get(name)?.unit;
    if (known) return known;
    const loaded = loadUnit(this.machine, name);
    for (const warning of loaded?.warnings ?? []) this.#log(name, warning);
    if (loaded?.service) this.#service(loaded);
    return loaded;
  }

  /** daemon-reload: reads every unit file again; runs under way go on, their next run takes the new settings. */
  reload(): void {
    for (const [name, service] of this.#services) {
      const loaded = this.#tryLoad(name);
      if (loaded) service.unit = loaded;
      else if (service.status.activeState === "inactive") this.#services.delete(name);
    }
    for (const [name, timer] of this.#timers) {
      const loaded = this.#tryLoad(name);
      if (loaded) timer.unit = loaded;
      timer.arm();
    }
  }

  #tryLoad(name: string): LoadedUnit | undefined {
    try {
      return loadUnit(this.machine, name);
    } catch (error) {
      this.#log(name, (error as Error).message);
      return undefined;
    }
  }

  /** The names of all unit files and of units that are loaded. */
  unitNames(): string[] {
    const folder = this.machine.at("etc/systemd/system");
    const files = readdirSync(folder).filter(
      (file) => /\.(service|timer)$/.test(file) && !file.includes("@."),
    );
    return [...new Set([...files, ...this.#services.keys(), ...this.#timers.keys()])].sort();
  }

  #service(unit: LoadedUnit): ServiceUnit {
    const known = this.#services.get(unit.name);
    if (known) return known;
    const created = new ServiceUnit(unit, this.#context, {
      ended: (name, status, restarts, wasStopped) => this.#ended(name, status, restarts, wasStopped),
    });
    this.#services.set(unit.name, created);
    return created;
  }

  #timer(unit: LoadedUnit): TimerUnit {
    const known = this.#timers.get(unit.name);
    if (known) return known;
    const created = new TimerUnit(unit, {
      stampPath: this.machine.at("var/lib/systemd/timers", `stamp-${unit.name}`),
      bootedAt: this.#bootedAt ?? new Date(),
      trigger: (name) => this.#startInBackground(name),
      activity: (name) => {
        const status = this.#services.get(name)?.status;
        return {
          activeAt: status?.activeEnteredAt ?? status?.execMainStartedAt,
          inactiveAt: status?.inactiveEnteredAt,
        };
      },
    });
    this.#timers.set(unit.name, created);
    return created;
  }

  #ended(name: string, status: ServiceStatus, restarts: boolean, wasStopped: boolean): void {
    for (const timer of this.#timers.values()) if (timer.unit.timer!.unit === name) timer.arm();
    if (!this.#bootedAt || restarts) return;
    const { unit } = this.#services.get(name)!.unit;
    for (const next of status.result === "success" ? unit.onSuccess : unit.onFailure) {
      this.#log(
        name,
        `${name}: Triggering On${status.result === "success" ? "Success" : "Failure"}= dependencies.`,
      );
      this.#startInBackground(next);
    }
    if (wasStopped) return;
    for (const other of this.#services.values())
      if (other.unit.unit.bindsTo.includes(name)) void other.stop();
  }

  #startInBackground(name: string): void {
    this.start(name).catch((error: Error) => this.#log(name, error.message));
  }

  #log(unit: string, message: string): void {
    this.journal.append(unit, 1, "systemd", message);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.halt();
    this.#notify[Symbol.dispose]();
  }
}
