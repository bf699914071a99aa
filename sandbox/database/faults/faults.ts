/** Faults of the sandbox: armed by `_sandbox`, met by command, namespace and count, before or after the effect. */
import { ServerError } from "../engine/errors.ts";

export type FaultAction =
  | { kind: "error"; code: number; message: string }
  | { kind: "delay"; ms: number }
  | { kind: "closeConnection" }
  /** kill -9 of the server's own process: nothing runs afterwards. */
  | { kind: "exit" };

export interface Fault {
  id: number;
  command: string;
  /** Regular expression on the namespace; every namespace when left out. */
  ns: RegExp | undefined;
  /** Fires on the n-th match (1 is the first). */
  nth: number;
  /** How many matches it stays for, from the n-th on. */
  times: number;
  when: "before" | "after";
  action: FaultAction;
  matched: number;
  fired: number;
}

/** Breaks the connection off instead of an answer. */
export class ConnectionReset extends Error {}

export class Faults {
  private readonly armed: Fault[] = [];
  private lastId = 0;

  arm(fault: Omit<Fault, "id" | "matched" | "fired">): number {
    const id = ++this.lastId;
    this.armed.push({ ...fault, id, matched: 0, fired: 0 });
    return id;
  }

  clear(): void {
    this.armed.length = 0;
  }

  list(): readonly Fault[] {
    return this.armed;
  }

  get none(): boolean {
    return this.armed.length === 0;
  }

  /**
   * Counts a match and does what the fault says.
   * @throws ServerError, ConnectionReset
   */
  async meet(when: "before" | "after", command: string, ns: string): Promise<void> {
    for (const fault of this.armed) {
      if (fault.when !== when || (fault.command !== "*" && fault.command !== command)) continue;
      if (fault.ns && !fault.ns.test(ns)) continue;
      fault.matched++;
      if (fault.matched < fault.nth || fault.fired >= fault.times) continue;
      fault.fired++;
      await this.act(fault.action);
    }
  }

  private async act(action: FaultAction): Promise<void> {
    if (action.kind === "error") throw new ServerError(action.code, action.message);
    if (action.kind === "delay") return Bun.sleep(action.ms);
    if (action.kind === "exit") process.kill(process.pid, "SIGKILL");
    throw new ConnectionReset("a fault of the sandbox closed this connection");
  }
}
