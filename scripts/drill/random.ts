/** A small seeded generator (mulberry32): the same seed gives the same drill. */
export class Random {
  constructor(private state: number) {}

  /** In [0, 1). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** An integer in [0, below). */
  integer(below: number): number {
    return Math.floor(this.next() * below);
  }

  pick<T>(from: readonly T[]): T {
    const picked = from[this.integer(from.length)];
    if (picked === undefined) throw new Error("pick from an empty list");
    return picked;
  }

  hex(length: number): string {
    let text = "";
    while (text.length < length) text += this.integer(0x1000000).toString(16).padStart(6, "0");
    return text.slice(0, length);
  }

  /** An independent generator, so that workers do not depend on each other's timing. */
  fork(label: number): Random {
    return new Random((this.state ^ Math.imul(label + 1, 0x9e3779b1)) | 0);
  }
}
