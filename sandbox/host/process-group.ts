import { processesOf, signalProcess } from "./processes.ts";

const pollMs = 15;

/** The processes of one run of a unit, in place of a control group: its sessions and whoever has its INVOCATION_ID. */
export class ProcessGroup {
  readonly #sessions = new Set<number>();

  constructor(readonly invocation: string) {}

  /** The session a process of the run has opened. */
  add(session: number): void {
    this.#sessions.add(session);
  }

  pids(): number[] {
    return processesOf(new Set([this.invocation]), this.#sessions);
  }

  signal(signal: NodeJS.Signals): void {
    for (const pid of this.pids()) signalProcess(pid, signal);
  }

  /** Signals what is left and waits until it is gone, for at most `timeoutMs`. */
  async clear(signal: "SIGTERM" | "SIGKILL", timeoutMs: number): Promise<void> {
    const until = Date.now() + timeoutMs;
    this.signal(signal);
    while (this.pids().length > 0 && Date.now() < until) await Bun.sleep(pollMs);
  }
}
