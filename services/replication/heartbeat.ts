import type { Clock, Logger } from "../../core/ports.ts";

export interface HeartbeatOptions {
  /** Writes one heartbeat to the control namespace. */
  readonly beat: (number: number) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly periodMs: number;
  readonly signal: AbortSignal;
}

const missingMax = 3;

/**
 * Shows that capture sees writes, and keeps the resume token young (invariants.md 10): one write a period, and an alarm
 * when none of them came back through the log for three periods.
 */
export class Heartbeat {
  private seenMs: number;
  private number = 0;
  alarm = false;

  constructor(private readonly options: HeartbeatOptions) {
    this.seenMs = options.clock.monotonicMs();
  }

  /** One of the heartbeats is in the log. */
  seen(): void {
    this.seenMs = this.options.clock.monotonicMs();
    if (this.alarm) this.options.logger.info({}, "heartbeats are in the log again");
    this.alarm = false;
  }

  get sinceSeenMs(): number {
    return this.options.clock.monotonicMs() - this.seenMs;
  }

  /** Raises the alarm when it is time; to be called about once a second. */
  check(): void {
    if (this.alarm || this.sinceSeenMs < missingMax * this.options.periodMs) return;
    this.alarm = true;
    this.options.logger.error(
      { missingSeconds: Math.round(this.sinceSeenMs / 1000) },
      "heartbeats are missing from the log: capture does not see writes, or cannot write its own",
    );
  }

  /** Beats until the signal fires. A beat that fails is logged: the alarm says when it matters. */
  async run(): Promise<void> {
    const { beat, clock, logger, periodMs, signal } = this.options;
    while (!signal.aborted) {
      try {
        await beat(++this.number);
      } catch (error) {
        logger.warn({ error: String(error) }, "heartbeat was not written");
      }
      await clock.sleep(periodMs, signal).catch(() => {});
    }
  }
}
