import { Deadline } from "./deadline.ts";
import { describeEnd, isCleanEnd, type ProcessEnd } from "./exit-status.ts";
import type { Journal, JournalStream } from "./journal.ts";
import type { Machine } from "./machine.ts";
import type { Notification } from "./notify-socket.ts";
import { type ProcessRecord, processesOf, signalProcess } from "./processes.ts";
import { expandVariables } from "./quoting.ts";
import { PrepareError, prepareEnvironment, releaseEnvironment } from "./service-environment.ts";
import type { JobResult, ServiceResult, ServiceStatus } from "./service-status.ts";
import type { CommandLine } from "./settings.ts";
import { SpawnError, SupervisedProcess } from "./supervised-process.ts";
import type { LoadedUnit } from "./unit-loader.ts";
import { Watchdog } from "./watchdog.ts";

export interface RunContext {
  readonly machine: Machine;
  readonly journal: Journal;
  readonly record: ProcessRecord;
  readonly notifyAddress: string;
}

type Event = "ended" | "stop" | "timeout" | "ready" | "watchdog" | "leaving";
const groupPollMs = 15;

/** One run of a service, from its preparation to the end of its last process (systemd.service(5)). */
export class ServiceRun {
  readonly invocation = crypto.randomUUID().replaceAll("-", "");
  readonly #service;
  readonly #sessions = new Set<number>();
  readonly #ready = Promise.withResolvers<"ready">();
  readonly #stop = Promise.withResolvers<"stop">();
  readonly #leaving = Promise.withResolvers<"leaving">();
  readonly #started = Promise.withResolvers<JobResult>();
  readonly #watchdog: Watchdog;
  #environment: Record<string, string> = {};
  #main: SupervisedProcess | undefined;
  #result: ServiceResult = "success";
  #stopping = false;

  /** Settles once the service is up (or, for a oneshot, done), or has failed to come up. */
  readonly started: Promise<JobResult> = this.#started.promise;

  constructor(
    readonly unit: LoadedUnit,
    readonly status: ServiceStatus,
    readonly context: RunContext,
  ) {
    this.#service = unit.service!;
    this.#watchdog = new Watchdog(this.#service.watchdogMs);
  }

  get wasStopped(): boolean {
    return this.#stopping;
  }

  /** Asks the run to end in good order; it has ended when `execute` has returned. */
  requestStop(): void {
    this.#stopping = true;
    this.#stop.resolve("stop");
  }

  /** The live processes of this run. */
  processes(): number[] {
    return processesOf(new Set([this.invocation]), this.#sessions);
  }

  /** A datagram of one of this run's processes; NotifyAccess= decides whether it counts. */
  notify({ pid, fields }: Notification): void {
    const access = this.#service.notifyAccess;
    if (access === "none" || (access === "main" && pid !== this.status.mainPid)) {
      this.#log(
        `Got notification message from PID ${pid}, but reception only permitted for main PID ${this.status.mainPid || "which is currently not known"}`,
      );
      return;
    }
    if (fields.STATUS !== undefined) this.status.statusText = fields.STATUS;
    if (fields.WATCHDOG === "1") this.#watchdog.ping();
    if (fields.WATCHDOG === "trigger") this.#watchdog.expire();
    if (fields.READY === "1") this.#ready.resolve("ready");
    if (fields.STOPPING === "1" && this.status.subState === "running") {
      this.#state("deactivating", "stop-sigterm");
      this.#leaving.resolve("leaving");
    }
  }

  /** Runs to the end of everything; the result is also in the status. */
  async execute(): Promise<void> {
    const description = this.unit.unit.description;
    this.status.invocationId = this.invocation;
    this.status.result = "success";
    this.#log(`Starting ${description}...`);
    let cameUp = false;
    try {
      this.#prepare();
      await this.#controls("start-pre", this.#service.execStartPre);
      if (this.#isGoing())
        cameUp = this.#service.type === "oneshot" ? await this.#oneshot() : await this.#daemon();
    } finally {
      await this.#end(cameUp);
      this.#watchdog.stop();
      this.#settleStart(cameUp);
    }
  }

  #isGoing(): boolean {
    return this.#result === "success" && !this.#stopping;
  }

  #prepare(): void {
    this.#state("activating", "start");
    try {
      this.#environment = {
        ...prepareEnvironment(this.context.machine, this.unit.name, this.#service, (message) =>
          this.#log(message),
        ),
        INVOCATION_ID: this.invocation,
      };
    } catch (error) {
      if (!(error instanceof PrepareError)) throw error;
      this.#log(error.message);
      if (error.result === "exit-code") this.#recordMainEnd({ code: error.status, signal: null });
      this.#fail(error.result);
    }
  }

  async #daemon(): Promise<boolean> {
    this.#state("activating", "start");
    using deadline = new Deadline(this.#service.timeoutStartMs);
    const main = this.#spawnMain(this.#service.execStart[0]!);
    // Type=simple counts as started once the process was forked, whether or not it then finds its program.
    if (!main && this.#service.type === "simple") this.#started.resolve("done");
    if (!main) return false;
    if (this.#service.type === "notify") {
      const event = await this.#waitFor(main, deadline, this.#ready.promise);
      if (event !== "ready") return this.#failedStart(event);
    }
    await this.#controls("start-post", this.#service.execStartPost);
    if (!this.#isGoing()) return false;
    this.#watchdog.start();
    this.#enterActive("running");
    const event = await Promise.race<Event>([
      main.ended.then(() => "ended" as const),
      this.#stop.promise,
      this.#watchdog.expired,
      this.#leaving.promise,
    ]);
    if (event === "leaving") await this.#waitUntilGone(main);
    if (event === "watchdog") {
      this.#log(`Watchdog timeout (limit ${Math.round(this.#service.watchdogMs)}ms)!`);
      this.#fail("watchdog");
    }
    return true;
  }

  /** The service said STOPPING=1: it is given its time to end by itself. */
  async #waitUntilGone(main: SupervisedProcess): Promise<void> {
    using deadline = new Deadline(this.#service.timeoutStopMs);
    const end = await Promise.race([main.ended, deadline.reached, this.#stop.promise]);
    if (end === "timeout") this.#fail("timeout");
  }

  #failedStart(event: Event): false {
    if (event === "timeout") {
      this.#log("start operation timed out. Terminating.");
      this.#fail("timeout");
    } else if (event === "ended" && this.#result === "success") {
      this.#fail("protocol");
    }
    return false;
  }

  async #oneshot(): Promise<boolean> {
    using deadline = new Deadline(this.#service.timeoutStartMs);
    for (const command of this.#service.execStart) {
      this.#state("activating", "start");
      const main = this.#spawnMain(command);
      if (!main) return false;
      const event = await this.#waitFor(main, deadline);
      if (event === "timeout") this.#failedStart(event);
      if (!this.#isGoing() || event !== "ended") return false;
    }
    await this.#controls("start-post", this.#service.execStartPost);
    if (!this.#isGoing()) return false;
    if (this.#service.remainAfterExit) {
      this.#enterActive("exited");
      await this.#stop.promise;
    }
    return true;
  }

  #waitFor(main: SupervisedProcess, deadline: Deadline, ready?: Promise<"ready">): Promise<Event> {
    return Promise.race<Event>([
      ...(ready ? [ready] : []),
      main.ended.then(() => "ended" as const),
      this.#stop.promise,
      deadline.reached,
    ]);
  }

  #spawnMain(command: CommandLine): SupervisedProcess | undefined {
    this.#main = this.#spawn(command, this.#mainEnvironment(), true);
    if (!this.#main) return undefined;
    const main = this.#main;
    Object.assign(this.status, {
      mainPid: main.pid,
      execMainPid: main.pid,
      execMainEnd: undefined,
      execMainStartedAt: new Date(),
      execMainEndedAt: undefined,
    });
    main.ended.then((end) => {
      this.status.mainPid = 0;
      this.#recordMainEnd(end, command.ignoreFailure);
    });
    return main;
  }

  #mainEnvironment(): Record<string, string> {
    const { watchdogMs, notifyAccess } = this.#service;
    return {
      ...(notifyAccess === "none" ? {} : { NOTIFY_SOCKET: this.context.notifyAddress }),
      ...(watchdogMs > 0 ? { WATCHDOG_USEC: String(Math.round(watchdogMs * 1000)) } : {}),
    };
  }

  #spawn(
    command: CommandLine,
    extra: Record<string, string>,
    isMain: boolean,
  ): SupervisedProcess | undefined {
    const environment: Record<string, string> = { ...this.#environment, ...extra };
    const words = command.expand ? expandVariables(command.words, environment) : command.words;
    const { machine } = this.context;
    try {
      const started = new SupervisedProcess({
        argv: words.map((word) => (word.startsWith("/") ? machine.map(word) : machine.mapText(word))),
        workingDirectory: this.#workingDirectory(environment),
        environment,
        announceWatchdogPid: isMain && this.#service.watchdogMs > 0,
        onLine: (stream, line, pid) => this.#write(stream, line, pid),
      });
      this.#sessions.add(started.pid);
      this.context.record.add(started.pid, this.invocation);
      return started;
    } catch (error) {
      if (!(error instanceof SpawnError)) throw error;
      this.#log(error.message);
      const end = { code: error.status, signal: null };
      if (isMain) this.#recordMainEnd(end, command.ignoreFailure);
      else if (!command.ignoreFailure) this.#fail("exit-code");
      return undefined;
    }
  }

  #workingDirectory(environment: Readonly<Record<string, string>>): string {
    const wanted = this.#service.workingDirectory.replace(/^-/, "");
    if (wanted === "~") return environment.HOME ?? this.context.machine.at("root");
    return wanted === "/" ? this.context.machine.root : this.context.machine.map(wanted);
  }

  #recordMainEnd(end: ProcessEnd, ignoreFailure = false): void {
    this.status.execMainEnd = end;
    this.status.execMainEndedAt = new Date();
    const clean = isCleanEnd(end, this.#service.successExit, this.#service.type === "oneshot");
    if (end.signal !== null || end.code !== 0) this.#log(`Main process exited, ${describeEnd(end)}`);
    if (!clean && !ignoreFailure) this.#fail(end.signal !== null ? "signal" : "exit-code");
  }

  /** Runs the commands of one phase one after the other; the first that fails ends the phase and the run. */
  async #controls(
    phase: string,
    commands: readonly CommandLine[],
    extra: Record<string, string> = {},
  ): Promise<void> {
    const isStop = phase.startsWith("stop");
    for (const command of commands) {
      if (!isStop && !this.#isGoing()) return;
      this.#state(isStop ? "deactivating" : "activating", phase);
      const control = this.#spawn(
        command,
        { ...(this.status.mainPid ? { MAINPID: String(this.status.mainPid) } : {}), ...extra },
        false,
      );
      if (!control) return;
      using deadline = new Deadline(isStop ? this.#service.timeoutStopMs : this.#service.timeoutStartMs);
      const end = await Promise.race([
        control.ended,
        deadline.reached,
        ...(isStop ? [] : [this.#stop.promise]),
      ]);
      if (typeof end === "string") {
        if (end === "timeout") this.#fail("timeout");
        signalProcess(-control.pid, "SIGTERM");
        return;
      }
      if (isCleanEnd(end, this.#service.successExit, true) || command.ignoreFailure) continue;
      this.#log(`Control process exited, ${describeEnd(end)}`);
      this.#fail(end.signal !== null ? "signal" : "exit-code");
      return;
    }
  }

  async #end(cameUp: boolean): Promise<void> {
    if (this.#main || this.processes().length > 0) await this.#endMain(cameUp);
    const end = this.status.execMainEnd;
    await this.#controls("stop-post", this.#service.execStopPost, {
      SERVICE_RESULT: this.#result,
      EXIT_CODE: end?.signal ? "killed" : "exited",
      EXIT_STATUS: end?.signal?.slice(3) ?? String(end?.code ?? 0),
    });
    if (this.#service.killMode === "control-group") await this.#clearGroup("SIGTERM");
    if (this.#service.killMode === "control-group" || this.#service.killMode === "mixed")
      await this.#clearGroup("SIGKILL");
    releaseEnvironment(this.context.machine, this.unit.name, this.#service);
    this.#enterInactive();
  }

  async #endMain(cameUp: boolean): Promise<void> {
    if (this.#stopping) this.#log(`Stopping ${this.unit.unit.description}...`);
    if (this.#result === "watchdog") {
      this.#state("deactivating", "stop-watchdog");
      this.#signalGroup("SIGABRT");
    } else {
      if (cameUp) await this.#controls("stop", this.#service.execStop);
      this.#state("deactivating", "stop-sigterm");
      if (this.#service.killMode !== "none") this.#signalGroup(this.#service.killSignal);
    }
    if (!this.#main || this.#service.killMode === "none") return;
    using deadline = new Deadline(this.#service.timeoutStopMs);
    if ((await Promise.race([this.#main.ended, deadline.reached])) !== "timeout") return;
    this.#log("State 'stop-sigterm' timed out. Killing.");
    this.#fail("timeout");
    this.#state("deactivating", "stop-sigkill");
    if (this.#service.killMode === "process") signalProcess(this.#main.pid, "SIGKILL");
    else this.#signalGroup("SIGKILL", "control-group");
    await this.#main.ended;
  }

  #signalGroup(signal: NodeJS.Signals, mode = this.#service.killMode): void {
    const main = this.status.mainPid;
    const targets = mode === "control-group" ? this.processes() : main ? [main] : [];
    for (const pid of targets) signalProcess(pid, signal);
  }

  async #clearGroup(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const until = Date.now() + this.#service.timeoutStopMs;
    let left = this.processes();
    if (left.length === 0) return;
    this.#state("deactivating", signal === "SIGTERM" ? "final-sigterm" : "final-sigkill");
    for (const pid of left) signalProcess(pid, signal);
    while (left.length > 0 && Date.now() < until) {
      await Bun.sleep(groupPollMs);
      left = this.processes();
    }
  }

  #fail(result: ServiceResult): void {
    if (this.#result === "success") this.#result = result;
  }

  #enterActive(sub: "running" | "exited"): void {
    this.#state("active", sub);
    this.status.activeEnteredAt = new Date();
    this.#log(
      sub === "exited" ? `Finished ${this.unit.unit.description}.` : `Started ${this.unit.unit.description}.`,
    );
    this.#started.resolve("done");
  }

  #enterInactive(): void {
    this.status.result = this.#result;
    this.status.mainPid = 0;
    this.status.statusText = "";
    if (this.#result === "success") this.#log("Deactivated successfully.");
    else this.#log(`Failed with result '${this.#result}'.`);
    if (this.#stopping) this.#log(`Stopped ${this.unit.unit.description}.`);
    const failed = this.#result !== "success";
    this.#state(failed ? "failed" : "inactive", failed ? "failed" : "dead");
    this.status.inactiveEnteredAt = new Date();
  }

  #settleStart(cameUp: boolean): void {
    if (cameUp && this.#result === "success") this.#started.resolve("done");
    else if (this.#stopping) this.#started.resolve("canceled");
    else this.#started.resolve(this.#result === "timeout" ? "timeout" : "failed");
    if (
      this.#result === "success" &&
      cameUp &&
      this.#service.type === "oneshot" &&
      !this.#service.remainAfterExit
    ) {
      this.#log(`Finished ${this.unit.unit.description}.`);
    }
  }

  #state(active: ServiceStatus["activeState"], sub: string): void {
    this.status.activeState = active;
    this.status.subState = sub;
    this.status.stateChangedAt = new Date();
  }

  #log(message: string): void {
    this.#write(
      "systemd",
      message.startsWith("Start") || message.startsWith("Stop") || message.startsWith("Finished")
        ? message
        : `${this.unit.name}: ${message}`,
      1,
    );
  }

  #write(stream: JournalStream, message: string, pid: number): void {
    this.context.journal.append(this.unit.name, pid, stream, message);
  }
}
