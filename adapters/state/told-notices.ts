import { RoundtripError } from "../../core/errors.ts";
import type { Clock, ObjectStore } from "../../core/ports.ts";
import { isPrecondition } from "../store-error.ts";
import { readJson, writeJson } from "./json.ts";

/** What was told, and by which run; while one is at it, until when the others leave it to that one. */
interface Told {
  readonly version: 1;
  readonly state: "telling" | "told";
  readonly run: string;
  readonly at: string;
  readonly until?: string;
}

/** A claim holds this much longer than it says: for the record after the telling, and because clocks differ. */
const graceMs = 7_000;
const lookEveryMs = 500;

/**
 * Which notices were told, one document each. Told first, recorded after: a run that dies in between lets the next one tell it
 * again. Runs at the same time tell it once: who put the claim first tells, the others wait for it.
 */
export class ToldNotices {
  /** `run` names this run and no other, a repetition of it neither: a claim is told from another's by it. */
  constructor(
    private readonly store: ObjectStore,
    private readonly clock: Clock,
    private readonly run: string,
    private readonly timeLeftMs: () => number,
  ) {}

  async isTold(key: string): Promise<boolean> {
    return (await this.read(key))?.value.state === "told";
  }

  /** Tells it unless it was told; gives whether it had to. Fails `unavailable` when another run holds it to the end. */
  async once(key: string, tell: () => Promise<void>): Promise<boolean> {
    const claim = await this.claim(key);
    if (claim === undefined) return false;
    try {
      await tell();
    } catch (error) {
      // Whoever comes next needn't wait. That this failed, too, only makes it wait.
      await this.write(key, "telling", { ifMatch: claim, forMs: -graceMs }).catch(() => undefined);
      throw error;
    }
    try {
      await this.write(key, "told", { ifMatch: claim });
    } catch (error) {
      // This run took longer than it had said, and another took over: told twice, and recorded by that one.
      if (!isPrecondition(error)) throw error;
    }
    return true;
  }

  /** The claim's ETag; undefined when it was told. */
  private async claim(key: string): Promise<string | undefined> {
    for (;;) {
      const found = await this.read(key);
      if (found?.value.state === "told") return undefined;
      if (!found || !this.holds(found.value)) {
        try {
          const condition = found ? { ifMatch: found.etag } : { ifNoneMatch: true };
          return (await this.write(key, "telling", { ...condition, forMs: this.timeLeftMs() })).etag;
        } catch (error) {
          if (!isPrecondition(error)) throw error;
        }
      }
      if (this.timeLeftMs() < lookEveryMs) throw stillHeld(key);
      await this.clock.sleep(lookEveryMs);
    }
  }

  private holds({ until = "" }: Told): boolean {
    return Date.parse(until) + graceMs > this.clock.now().getTime();
  }

  private read(key: string): Promise<{ value: Told; etag: string } | undefined> {
    return readJson<Told>(this.store, key);
  }

  private write(
    key: string,
    state: Told["state"],
    { forMs, ...condition }: { ifMatch?: string; ifNoneMatch?: boolean; forMs?: number },
  ): Promise<{ etag: string }> {
    const now = this.clock.now();
    const until = forMs === undefined ? {} : { until: new Date(now.getTime() + forMs).toISOString() };
    const told: Told = { version: 1, state, run: this.run, at: now.toISOString(), ...until };
    return writeJson(this.store, key, told, condition);
  }
}

function stillHeld(key: string): RoundtripError {
  return new RoundtripError({
    kind: "unavailable",
    what: `tell ${key} once`,
    expected: "the run that tells it to end",
    got: "no end of it in this run's time",
    wayOut: "Lambda tries again by itself; then that run has ended",
  });
}
