/** Datagrams are read every 10 ms; a ping that arrived in time but wasn't read yet must still count. */
const graceMs = 50;

/** WatchdogSec=: `expired` settles when no ping came for that long after `start`. Zero turns it off. */
export class Watchdog {
  readonly #expired = Promise.withResolvers<"watchdog">();
  readonly expired: Promise<"watchdog"> = this.#expired.promise;
  #timer: Timer | undefined;
  #running = false;

  constructor(readonly limitMs: number) {}

  start(): void {
    this.#running = true;
    this.ping();
  }

  ping(): void {
    if (!this.#running || this.limitMs <= 0 || !Number.isFinite(this.limitMs)) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.expire(), this.limitMs + graceMs);
  }

  expire(): void {
    if (this.#running) this.#expired.resolve("watchdog");
  }

  stop(): void {
    this.#running = false;
    clearTimeout(this.#timer);
  }
}
