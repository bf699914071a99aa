import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Arena, joined } from "./arena.ts";

describe("memory for events on their way", () => {
  test("bytes stay as they were until their flush is released, in whatever order flushes end", () => {
    const step = fc.oneof(
      fc.record({ keep: fc.integer({ min: 1, max: 120 }) }),
      fc.constant({ seal: true }),
      fc.record({ release: fc.nat({ max: 3 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const arena = new Arena(100);
        let inHand: { given: Uint8Array; kept: Uint8Array }[] = [];
        const flushes: { release: () => void; parts: typeof inHand }[] = [];
        let fill = 0;
        for (const each of steps) {
          if ("keep" in each) {
            fill = (fill + 1) % 256;
            const given = new Uint8Array(each.keep).fill(fill);
            inHand.push({ given: given.slice(), kept: arena.keep(given) });
            given.fill(0);
          } else if ("seal" in each) {
            flushes.push({ release: arena.seal(), parts: inHand });
            inHand = [];
          } else if (flushes.length > 0) {
            flushes.splice(each.release % flushes.length, 1)[0]!.release();
          }
          for (const parts of [inHand, ...flushes.map((flush) => flush.parts)]) {
            for (const { given, kept } of parts) expect(kept).toEqual(given);
          }
        }
      }),
    );
  });

  test("a flush that fits into a block is one body without copying, and the block is used again", () => {
    const arena = new Arena(1000);
    const parts = Array.from({ length: 9 }, () => arena.keep(new Uint8Array(100).fill(7)));
    const body = joined(parts);
    expect(body.length).toBe(900);
    expect(body.buffer).toBe(parts[0]!.buffer);
    arena.seal()();
    const again = arena.keep(new Uint8Array(100));
    expect(again.buffer).toBe(body.buffer);
  });

  test("large flushes alternate between two blocks, also after a small one", () => {
    const arena = new Arena(1000);
    arena.keep(new Uint8Array(300));
    let before = arena.seal();
    const buffers = new Set<ArrayBufferLike>();
    for (let flush = 0; flush < 20; flush++) {
      const parts = Array.from({ length: 10 }, () => arena.keep(new Uint8Array(95)));
      expect(joined(parts).buffer).toBe(parts[0]!.buffer);
      buffers.add(parts[0]!.buffer);
      const release = arena.seal();
      before();
      before = release;
    }
    expect(buffers.size).toBeLessThanOrEqual(3);
  });

  test("parts from several places are put together in order", () => {
    const parts = [Uint8Array.of(1, 2), Uint8Array.of(3), Uint8Array.of(), Uint8Array.of(4)];
    expect([...joined(parts)]).toEqual([1, 2, 3, 4]);
    expect(joined([]).length).toBe(0);
  });
});
