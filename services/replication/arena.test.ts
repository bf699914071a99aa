import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Part } from "../../core/changes/flush.ts";
import { Arena, joined } from "./arena.ts";

function keep(arena: Arena, raw: Uint8Array): Part {
  const start = arena.keep(raw);
  return { block: arena.block, start, end: start + raw.length };
}

interface Kept {
  readonly given: Uint8Array;
  readonly part: Part;
}

/** Flushes in hand and on their way, checked after each step. */
class Flushes {
  private readonly arena = new Arena(100);
  private inHand: Kept[] = [];
  private readonly onTheirWay: { readonly release: () => void; readonly kept: Kept[] }[] = [];
  private fill = 0;

  keep(length: number): void {
    this.fill = (this.fill + 1) % 256;
    const given = new Uint8Array(length).fill(this.fill);
    this.inHand.push({ given, part: keep(this.arena, given.slice()) });
  }

  seal(): void {
    this.onTheirWay.push({ release: this.arena.seal(), kept: this.inHand });
    this.inHand = [];
  }

  release(which: number): void {
    if (this.onTheirWay.length === 0) return;
    this.onTheirWay.splice(which % this.onTheirWay.length, 1)[0]!.release();
  }

  check(): void {
    for (const kept of [this.inHand, ...this.onTheirWay.map((flush) => flush.kept)]) {
      for (const { given, part } of kept) expect(part.block.subarray(part.start, part.end)).toEqual(given);
    }
  }
}

describe("memory for events on their way", () => {
  test("bytes stay as they were until their flush is released, in whatever order flushes end", () => {
    const step = fc.oneof(
      fc.integer({ min: 1, max: 120 }).map((length) => (flushes: Flushes) => flushes.keep(length)),
      fc.constant((flushes: Flushes) => flushes.seal()),
      fc.nat({ max: 3 }).map((which) => (flushes: Flushes) => flushes.release(which)),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const flushes = new Flushes();
        for (const take of steps) {
          take(flushes);
          flushes.check();
        }
      }),
    );
  });

  test("what was released is used again", () => {
    const arena = new Arena(1000);
    const { block } = keep(arena, new Uint8Array(900));
    arena.seal()();
    expect(keep(arena, new Uint8Array(100)).block).toBe(block);
  });

  test("large flushes alternate between blocks and lie in one each, also after a small one", () => {
    const arena = new Arena(1000);
    keep(arena, new Uint8Array(300));
    let before = arena.seal();
    const blocks = new Set<Uint8Array>();
    for (let flush = 0; flush < 20; flush++) {
      const parts = Array.from({ length: 10 }, () => keep(arena, new Uint8Array(95)));
      expect(new Set(parts.map(({ block }) => block)).size).toBe(1);
      blocks.add(parts[0]!.block);
      const release = arena.seal();
      before();
      before = release;
    }
    expect(blocks.size).toBeLessThanOrEqual(3);
  });

  test("one part is not copied; parts from several places are put together in order", () => {
    const block = Uint8Array.of(1, 2, 3, 4, 5);
    const one = joined([{ block, start: 1, end: 3 }]);
    expect([one.buffer, [...one]]).toEqual([block.buffer, [2, 3]]);
    const other = Uint8Array.of(9);
    expect([
      ...joined([
        { block, start: 3, end: 5 },
        { block: other, start: 0, end: 1 },
      ]),
    ]).toEqual([4, 5, 9]);
  });
});
