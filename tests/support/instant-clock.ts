import type { Clock } from "../../core/ports.ts";

/** A clock that moves only when somebody sleeps: waits of minutes take no time, and bounds can be tested. */
export class InstantClock implements Clock {
  private ms = Date.parse("2026-11-21T00:00:00.000Z");

  now(): Date {
    return new Date(this.ms);
  }

  monotonicMs(): number {
    return this.ms;
  }

  advance(ms: number): void {
    this.ms += ms;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.ms += ms;
    // Lets everything else that waits have its turn, too.
    await new Promise<void>((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
  }
}
