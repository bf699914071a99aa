import { expect, test } from "bun:test";
import fc from "fast-check";
import { appendSequence, countSequences, firstHole, sequencesOf } from "./sequence.ts";

const ascending = fc
  .uniqueArray(fc.integer({ min: 1, max: 200 }), { maxLength: 100 })
  .map((numbers) => numbers.toSorted((left, right) => left - right));

test("runs stand for exactly the numbers that were appended", () => {
  fc.assert(
    fc.property(ascending, (numbers) => {
      const runs: number[] = [];
      for (const number of numbers) appendSequence(runs, number);
      expect([...sequencesOf(runs)]).toEqual(numbers);
      expect(countSequences(runs)).toBe(numbers.length);
    }),
  );
});

test("runs that overlap, go back, are empty or odd are refused", () => {
  for (const runs of [[1], [0, 1], [1, 0], [3, 2, 4, 1], [5, 1, 2, 1], [1, 1.5], [1, -1], [Number.NaN, 1]]) {
    expect(countSequences(runs)).toBeUndefined();
  }
});

test("numbers dealt to objects in any way have no hole; taking or repeating one is found", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 60 }),
      fc.nat(),
      fc.integer({ min: 1, max: 1000 }),
      (deal, pick, first) => {
        const objectsOf = (skip: number, repeat: number) => {
          const lists: number[][] = [[], [], [], [], [], []];
          for (const [index, object] of deal.entries())
            if (index !== skip) lists[object]!.push(first + index);
          if (repeat >= 0) lists[5]!.push(first + repeat);
          return lists.map((numbers) => {
            const sequences: number[] = [];
            for (const number of numbers) appendSequence(sequences, number);
            return { sequences };
          });
        };
        const last = first + deal.length - 1;
        const at = pick % deal.length;
        expect(firstHole(objectsOf(-1, -1), first, last)).toBeUndefined();
        expect(firstHole(objectsOf(at, -1), first, last)).toBe(first + at);
        expect(firstHole(objectsOf(-1, at), first, last)).toBeDefined();
      },
    ),
  );
});

test("a flush without events has no hole", () => {
  expect(firstHole([], 5, 4)).toBeUndefined();
  expect(firstHole([], 5, 5)).toBe(5);
});
