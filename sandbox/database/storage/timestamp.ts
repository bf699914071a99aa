/**
 * Timestamps of the oplog. In storage and in memory one is a single number, `seconds × 2^22 + increment`: exact in a
 * JavaScript number until 2038 and ordered like the BSON type. 4 million operations fit into one second; more move
 * the clock's second on, as the server does when its counter overflows.
 */
const INCREMENTS = 4_194_304;

/** A BSON timestamp as one ordered number. */
export type Ts = number;

export function packTs(seconds: number, increment: number): Ts {
  return seconds * INCREMENTS + Math.min(increment, INCREMENTS - 1);
}

export function tsSeconds(ts: Ts): number {
  return Math.floor(ts / INCREMENTS);
}

export function tsIncrement(ts: Ts): number {
  return ts % INCREMENTS;
}

/** Gives strictly increasing timestamps that follow the wall clock and never go back, also across restarts. */
export class Clock {
  private latest: Ts;
  private readonly now: () => number;

  /** @param now wall clock in milliseconds */
  constructor(latest: Ts, now: () => number = Date.now) {
    this.latest = latest;
    this.now = now;
  }

  /** The newest timestamp given out. */
  get last(): Ts {
    return this.latest;
  }

  next(): Ts {
    const current = Math.floor(this.now() / 1000) * INCREMENTS + 1;
    this.latest = current > this.latest ? current : this.latest + 1;
    if (this.latest % INCREMENTS === 0) this.latest += 1;
    return this.latest;
  }

  /** Takes over a cluster time a client gossiped when it is newer and not absurdly far in the future. */
  advance(ts: Ts): void {
    const limit = (Math.floor(this.now() / 1000) + 365 * 86_400) * INCREMENTS;
    if (ts > this.latest && ts < limit) this.latest = ts;
  }
}
