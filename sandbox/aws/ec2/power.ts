import type { ServiceContext } from "../service.ts";
import type { Instance, InstanceStore } from "./instance-store.ts";

export interface Ec2Settings extends Readonly<Record<string, number | boolean | string>> {
  /** How long `pending` lasts. */
  readonly pendingMs: number;
  /** How long `stopping` lasts at least; the machine's own shutdown comes on top. */
  readonly stoppingMs: number;
  /** A machine that takes longer than this to shut down loses its power. */
  readonly shutdownMsMax: number;
  /** The SSM agent first reports this long after the instance runs. */
  readonly agentDelayMs: number;
}

export const ec2Defaults: Ec2Settings = {
  pendingMs: 1500,
  stoppingMs: 1000,
  shutdownMsMax: 60_000,
  agentDelayMs: 1000,
};

/** Moves instances through their transitions, and switches their machine on and off. */
export class Power {
  readonly #timers = new Map<string, Timer>();

  constructor(
    readonly context: ServiceContext,
    readonly store: InstanceStore,
    readonly settings: () => Ec2Settings,
  ) {}

  /** Takes up what a restart of the stand-in interrupted. */
  resume(): void {
    for (const instance of this.store.all()) {
      if (instance.state === "pending") this.#boot(instance.id);
      if (instance.state === "stopping" || instance.state === "shutting-down") this.#halt(instance.id, false);
    }
  }

  start(id: string): Instance {
    const instance = this.store.update(id, { state: "pending", launchedAt: this.#now() }, this.#now());
    this.#boot(id);
    return instance;
  }

  stop(id: string, state: "stopping" | "shutting-down", hard: boolean): Instance {
    const instance = this.store.update(id, { state }, this.#now());
    this.#halt(id, hard);
    return instance;
  }

  dispose(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  #boot(id: string): void {
    this.#after(id, this.settings().pendingMs, () => {
      const instance = this.store.update(id, { state: "running" }, this.#now());
      void switchMachine(instance, "boot", {}, this.settings().shutdownMsMax);
    });
  }

  #halt(id: string, hard: boolean): void {
    const { stoppingMs, shutdownMsMax } = this.settings();
    const halted = switchMachine(this.store.get(id), "halt", { hard }, shutdownMsMax).then(async (done) => {
      if (!done && !hard) await switchMachine(this.store.get(id), "halt", { hard: true }, shutdownMsMax);
    });
    this.#after(id, stoppingMs, async () => {
      await halted;
      const { state } = this.store.get(id);
      if (state === "stopping") this.store.update(id, { state: "stopped" }, this.#now());
      if (state === "shutting-down") this.store.update(id, { state: "terminated" }, this.#now());
    });
  }

  #after(id: string, ms: number, act: () => void | Promise<void>): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.set(
      id,
      setTimeout(() => void act(), ms),
    );
  }

  #now(): number {
    return this.context.now().getTime();
  }
}

/** Calls the host stand-in; false when it didn't answer in time. An instance without one has nothing to switch. */
async function switchMachine(
  instance: Instance,
  action: "boot" | "halt",
  body: object,
  timeoutMs: number,
): Promise<boolean> {
  if (instance.control === "") return true;
  try {
    const answer = await fetch(`${instance.control}/${action}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    });
    return answer.ok;
  } catch {
    // The machine's process is gone, or too slow; its own report finds out whether it ought to run.
    return false;
  }
}
