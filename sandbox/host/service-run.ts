import { runControlPhase } from "./control-commands.ts";
import { Deadline } from "./deadline.ts";
import type { Journal } from "./journal.ts";
import type { Machine } from "./machine.ts";
import type { Notification } from "./notify-socket.ts";
import { ProcessGroup } from "./process-group.ts";
import { type ProcessRecord, signalProcess } from "./processes.ts";
import { RunReport } from "./run-report.ts";
import { PrepareError, prepareEnvironment, releaseEnvironment } from "./service-environment.ts";
import type { JobResult, ServiceStatus } from "./service-status.ts";
import type { CommandLine, ServiceSettings } from "./settings.ts";
import { SpawnError, type SupervisedProcess } from "./supervised-process.ts";
import { startCommand } from "./unit-command.ts";
import type { LoadedUnit } from "./unit-loader.ts";
import { Watchdog } from "./watchdog.ts";

export interface RunContext {
  readonly machine: Machine;
  readonly journal: Journal;
  readonly record: ProcessRecord;
  readonly notifyAddress: string;
}

type Event = "ended" | "stop" | "timeout" | "ready" | "watchdog" | "leaving";

/** One run of a service, from its preparation to the end of its last process (systemd.service(5)). */
export class ServiceRun {
  readonly #group = new ProcessGroup(crypto.randomUUID().replaceAll("-", ""));
  readonly #service: ServiceSettings;
  readonly #report: RunReport;
  readonly #ready = Promise.withResolvers<"ready">();
  readonly #stop = Promise.withResolvers<"stop">();
  readonly #leaving = Promise.withResolvers<"leaving">();
  readonly #started = Promise.withResolvers<JobResult>();
  readonly #watchdog: Watchdog;
  #environment: Record<string, string> = {};
  #main: SupervisedProcess | undefined;
  #stopping = false;

  /** Settles once the service is up (or, for a oneshot, done), or has failed to come up. */
  readonly started: Promise<JobResult> = this.#started.promise;

  constructor(
    readonly unit: LoadedUnit,
    readonly status: ServiceStatus,
    readonly context: RunContext,
  ) {
    this.#service = unit.service!;
    this.#report = new RunReport(unit, status, context.journal);
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
    return this.#group.pids();
  }

  /** A datagram of one of this run's processes; NotifyAccess= decides whether it counts. */
  notify({ pid, fields }: Notification): void {
    const { notifyAccess } = this.#service;
    const { mainPid } = this.status;
    if (notifyAccess === "none" || (notifyAccess === "main" && pid !== mainPid)) {
      this.#report.log(
        `Got notification message from PID ${pid}, but reception only permitted for main PID ${mainPid}`,
      );
      return;
    }
    if (fields.STATUS !== undefined) this.status.statusText = fields.STATUS;
    if (fields.WATCHDOG === "1") this.#watchdog.ping();
    if (fields.WATCHDOG === "trigger") this.#watchdog.expire();
    if (fields.READY === "1") this.#ready.resolve("ready");
    if (fields.STOPPING === "1" && this.status.subState === "running") {
      this.#report.state("deactivating", "stop-sigterm");
      this.#leaving.resolve("leaving");
    }
  }

  /** Runs to the end of everything; the result is also in the status. */
  async execute(): Promise<void> {
    this.status.invocationId = this.#group.invocation;
    this.status.result = "success";
    this.#report.announce("Starting", "...");
    let cameUp = false;
    try {
      this.#prepare();
      await this.#beforeOrAfter("start-pre", this.#service.execStartPre);
      if (this.#isGoing())
        cameUp = this.#service.type === "oneshot" ? await this.#oneshot() : await this.#daemon();
    } finally {
      await this.#end(cameUp);
      this.#watchdog.stop();
      this.#settleStart(cameUp);
    }
  }

  #isGoing(): boolean {
    return this.#report.result === "success" && !this.#stopping;
  }

  #prepare(): void {
    this.#report.state("activating", "start");
    try {
      const warn = (message: string): void => this.#report.log(message);
      this.#environment = {
        ...prepareEnvironment(this.context.machine, this.unit.name, this.#service, warn),
        INVOCATION_ID: this.#group.invocation,
      };
    } catch (error) {
      if (!(error instanceof PrepareError)) throw error;
      this.#report.log(error.message);
      if (error.result === "exit-code") this.#report.mainEnded({ code: error.status, signal: null });
      this.#report.fail(error.result);
    }
  }

  /** Runs a service that stays; true once it had come up, however it ended then. */
  async #daemon(): Promise<boolean> {
    this.#report.state("activating", "start");
    using deadline = new Deadline(this.#service.timeoutStartMs);
    const main = this.#spawnMain(this.#service.execStart[0]!);
    // Type=simple counts as started once the process was forked, whether or not it then finds its program.
    if (!main && this.#service.type === "simple") this.#started.resolve("done");
    if (!main) return false;
    if (this.#service.type === "notify") {
      const event = await this.#waitFor(main, deadline, this.#ready.promise);
      if (event !== "ready") return this.#failedStart(event);
    }
    await this.#beforeOrAfter("start-post", this.#service.execStartPost);
    if (!this.#isGoing()) return false;
    this.#watchdog.start();
    this.#enterActive("running");
    const event = await this.#waitFor(main, undefined, this.#watchdog.expired, this.#leaving.promise);
    if (event === "leaving") await this.#waitUntilGone(main);
    if (event === "watchdog") {
      this.#report.log(`Watchdog timeout (limit ${Math.round(this.#service.watchdogMs)}ms)!`);
      this.#report.fail("watchdog");
    }
    return true;
  }

  /** The service said STOPPING=1: it is given its time to end by itself. */
  async #waitUntilGone(main: SupervisedProcess): Promise<void> {
    using deadline = new Deadline(this.#service.timeoutStopMs);
    if ((await this.#waitFor(main, deadline)) === "timeout") this.#report.fail("timeout");
  }

  #failedStart(event: Event): false {
    if (event === "timeout") {
      this.#report.log("start operation timed out. Terminating.");
      this.#report.fail("timeout");
    } else if (event === "ended") {
      this.#report.fail("protocol");
    }
    return false;
  }

  /** Runs the commands of a oneshot one after the other; true when all succeeded. */
  async #oneshot(): Promise<boolean> {
    using deadline = new Deadline(this.#service.timeoutStartMs);
    for (const command of this.#service.execStart) {
      this.#report.state("activating", "start");
      const main = this.#spawnMain(command);
      if (!main) return false;
      const event = await this.#waitFor(main, deadline);
      if (event === "timeout") this.#failedStart(event);
      if (!this.#isGoing() || event !== "ended") return false;
    }
    await this.#beforeOrAfter("start-post", this.#service.execStartPost);
    if (!this.#isGoing()) return false;
    if (this.#service.remainAfterExit) {
      this.#enterActive("exited");
      await this.#stop.promise;
    }
    return true;
  }

  #waitFor(
    main: SupervisedProcess,
    deadline: Deadline | undefined,
    ...more: readonly Promise<Event>[]
  ): Promise<Event> {
    const ended = main.ended.then(() => "ended" as const);
    return Promise.race<Event>([...more, ended, this.#stop.promise, ...(deadline ? [deadline.reached] : [])]);
  }

  #spawnMain(command: CommandLine): SupervisedProcess | undefined {
    const { watchdogMs, notifyAccess } = this.#service;
    try {
      this.#main = this.#spawn(command, {
        ...(notifyAccess === "none" ? {} : { NOTIFY_SOCKET: this.context.notifyAddress }),
        ...(watchdogMs > 0 ? { WATCHDOG_USEC: String(Math.round(watchdogMs * 1000)) } : {}),
      });
    } catch (error) {
      if (!(error instanceof SpawnError)) throw error;
      this.#report.log(error.message);
      this.#report.mainEnded({ code: error.status, signal: null }, command.ignoreFailure);
      return undefined;
    }
    this.#report.mainStarted(this.#main.pid);
    void this.#main.ended.then((end) => this.#report.mainEnded(end, command.ignoreFailure));
    return this.#main;
  }

  #spawn(command: CommandLine, more: Readonly<Record<string, string>>): SupervisedProcess {
    const context = {
      ...this.context,
      settings: this.#service,
      group: this.#group,
      onLine: (stream: "stdout" | "stderr", line: string, pid: number) =>
        this.#report.write(stream, line, pid),
    };
    return startCommand(context, command, { ...this.#environment, ...more }, "WATCHDOG_USEC" in more);
  }

  /** ExecStartPre= and ExecStartPost=, which a stop interrupts. */
  async #beforeOrAfter(name: string, commands: readonly CommandLine[]): Promise<void> {
    if (!this.#isGoing()) return;
    const timeoutMs = this.#service.timeoutStartMs;
    const start = (command: CommandLine): SupervisedProcess => this.#spawn(command, this.#mainPidVariable());
    await runControlPhase(this.#report, {
      name,
      commands,
      timeoutMs,
      interrupted: this.#stop.promise,
      start,
    });
  }

  /** ExecStop= and ExecStopPost=, which always run to their end. */
  async #whileStopping(
    name: string,
    commands: readonly CommandLine[],
    more: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const timeoutMs = this.#service.timeoutStopMs;
    const start = (command: CommandLine): SupervisedProcess =>
      this.#spawn(command, { ...this.#mainPidVariable(), ...more });
    await runControlPhase(this.#report, { name, commands, timeoutMs, interrupted: undefined, start });
  }

  #mainPidVariable(): Record<string, string> {
    return this.status.mainPid === 0 ? {} : { MAINPID: String(this.status.mainPid) };
  }

  async #end(cameUp: boolean): Promise<void> {
    const { killMode, timeoutStopMs, execStopPost } = this.#service;
    if (this.#main || this.processes().length > 0) await this.#endMain(cameUp);
    const end = this.status.execMainEnd;
    await this.#whileStopping("stop-post", execStopPost, {
      SERVICE_RESULT: this.#report.result,
      EXIT_CODE: end?.signal ? "killed" : "exited",
      EXIT_STATUS: end?.signal?.slice(3) ?? String(end?.code ?? 0),
    });
    if (killMode === "control-group") await this.#group.clear("SIGTERM", timeoutStopMs);
    if (killMode === "control-group" || killMode === "mixed")
      await this.#group.clear("SIGKILL", timeoutStopMs);
    releaseEnvironment(this.context.machine, this.unit.name, this.#service);
    this.#report.inactive(this.#stopping);
  }

  async #endMain(cameUp: boolean): Promise<void> {
    if (this.#stopping) this.#report.announce("Stopping", "...");
    if (this.#report.result === "watchdog") {
      this.#report.state("deactivating", "stop-watchdog");
      this.#signal("SIGABRT");
    } else {
      if (cameUp) await this.#whileStopping("stop", this.#service.execStop);
      this.#report.state("deactivating", "stop-sigterm");
      this.#signal(this.#service.killSignal);
    }
    if (!this.#main || this.#service.killMode === "none") return;
    using deadline = new Deadline(this.#service.timeoutStopMs);
    if ((await Promise.race([this.#main.ended, deadline.reached])) !== "timeout") return;
    this.#report.log("State 'stop-sigterm' timed out. Killing.");
    this.#report.fail("timeout");
    this.#report.state("deactivating", "stop-sigkill");
    if (this.#service.killMode !== "process") this.#group.signal("SIGKILL");
    signalProcess(this.#main.pid, "SIGKILL");
    await this.#main.ended;
  }

  /** To all processes or the main one only, as KillMode= says. */
  #signal(signal: NodeJS.Signals): void {
    const { killMode } = this.#service;
    if (killMode === "control-group") this.#group.signal(signal);
    else if (killMode !== "none" && this.status.mainPid !== 0) signalProcess(this.status.mainPid, signal);
  }

  #enterActive(sub: "running" | "exited"): void {
    this.#report.active(sub);
    this.#started.resolve("done");
  }

  #settleStart(cameUp: boolean): void {
    const { result } = this.#report;
    if (cameUp && result === "success") this.#started.resolve("done");
    else if (this.#stopping) this.#started.resolve("canceled");
    else this.#started.resolve(result === "timeout" ? "timeout" : "failed");
    const isDone = cameUp && result === "success" && this.#service.type === "oneshot";
    if (isDone && !this.#service.remainAfterExit) this.#report.announce("Finished", ".");
  }
}
