/** Times never go back, entries read back as written from any point, and the size limit drops the oldest only. */
import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { OplogSource } from "../cursors/oplog-source.ts";
import { decode, encode, fromObject } from "../engine/codec.ts";
import { compileFilter } from "../engine/match/index.ts";
import { Storage } from "./storage.ts";
import { Clock, packTs, tsIncrement, tsSeconds } from "./timestamp.ts";

test("a clock's times strictly increase whatever the wall clock does, and come apart into what they were made of", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }), {
        minLength: 1,
        maxLength: 50,
      }),
      (walls) => {
        let at = 0;
        const clock = new Clock(0, () => walls[at % walls.length]!);
        let last = 0;
        for (; at < walls.length * 3; at++) {
          const ts = clock.next();
          expect(ts).toBeGreaterThan(last);
          expect(packTs(tsSeconds(ts), tsIncrement(ts))).toBe(ts);
          expect(tsIncrement(ts)).toBeGreaterThan(0);
          last = ts;
        }
      },
    ),
  );
});

function withStorage<T>(oplogBytes: number, work: (open: () => Storage) => T): T {
  const directory = mkdtempSync(join(tmpdir(), "oplog-"));
  let current: Storage | undefined;
  const open = (): Storage => {
    current?.close();
    current = new Storage({ directory, oplogBytes, compileFilter: (filter) => compileFilter(filter) });
    return current;
  };
  try {
    return work(open);
  } finally {
    current?.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function write(storage: Storage, count: number, pad: string): number[] {
  return storage.write((unit) =>
    Array.from({ length: count }, (_, n) =>
      unit.log({
        operation: "n",
        ns: "",
        uuid: undefined,
        body: encode(fromObject({ n, pad })),
        key: undefined,
      }),
    ),
  );
}

function readFrom(storage: Storage, from: number): number[] {
  const source = new OplogSource(storage, { from, to: Number.MAX_SAFE_INTEGER }, undefined, false);
  const times: number[] = [];
  for (let entry = source.next(); entry; entry = source.next()) {
    const ts = decode(entry).get("ts") as { high: number; low: number };
    times.push(packTs(ts.high >>> 0, ts.low >>> 0));
  }
  return times;
}

describe("the oplog", () => {
  test("reads back from any entry on, from memory and after a restart from the file", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 12 }),
        fc.nat(),
        (batches, pick) => {
          withStorage(100_000_000, (open) => {
            const storage = open();
            const times = batches.flatMap((count) => write(storage, count, "x"));
            const from = pick % times.length;
            expect(readFrom(storage, times[from]!)).toEqual(times.slice(from));
            const again = open();
            expect(readFrom(again, times[from]!)).toEqual(times.slice(from));
            expect(again.clock.next()).toBeGreaterThan(times.at(-1)!);
          });
        },
      ),
      { numRuns: 30 },
    );
  }, 60_000);

  test("drops the oldest entries beyond its size, says that they are lost, and keeps every later one", () => {
    withStorage(200_000, (open) => {
      const storage = open();
      const times = Array.from({ length: 40 }, () => write(storage, 10, "x".repeat(1000))).flat();
      expect(storage.oplog.bytes).toBeLessThanOrEqual(200_000);
      expect(storage.oplog.isLost(times[0]!)).toBe(true);
      const kept = readFrom(storage, 0);
      expect(kept).toEqual(times.slice(times.length - kept.length));
      expect(kept.length).toBeGreaterThan(100);
      const again = open();
      expect(again.oplog.isLost(times[0]!)).toBe(true);
      expect(again.oplog.isLost(kept[0]!)).toBe(false);
    });
  });

  test("a change that throws leaves neither rows nor entries behind", () => {
    withStorage(1_000_000, (open) => {
      const storage = open();
      const [first] = write(storage, 1, "kept");
      expect(() =>
        storage.write((unit) => {
          unit.log({
            operation: "n",
            ns: "new.namespace",
            uuid: undefined,
            body: encode(new Map()),
            key: undefined,
          });
          throw new Error("stop");
        }),
      ).toThrow("stop");
      const [second] = write(storage, 1, "kept too");
      expect(readFrom(storage, 0)).toEqual([first!, second!]);
    });
  });
});
