import type { Collection } from "mongodb";
import type { Clock } from "../../core/ports.ts";

const everyMs = 100;

export interface Heartbeat {
  readonly _id: number;
  readonly at: Date;
}

/** Writes the time, again and again, until it is stopped: by the newest one that is back, what was lost is measured. */
export class Heartbeats {
  private readonly stopping = new AbortController();
  private readonly ended: Promise<void>;
  private failure: unknown;
  /** Confirmed by the server. */
  written = 0;

  constructor(
    private readonly collection: Collection<Heartbeat>,
    private readonly clock: Clock,
  ) {
    this.ended = this.beat().catch((error: unknown) => {
      this.failure = error;
    });
  }

  /** Waits for the write in hand. Fails with what a write threw. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.ended;
    if (this.failure !== undefined) throw this.failure;
  }

  private async beat(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      await this.collection.insertOne({ _id: this.written, at: this.clock.now() });
      this.written++;
      await this.clock.sleep(everyMs, this.stopping.signal).catch(() => {});
    }
  }
}
