import { expect, test } from "bun:test";
import { BSON, Double, Int32, Long } from "bson";
import fc from "fast-check";
import { type Difference, type MatchCounts, Matcher, TooManyWaiting } from "./matcher.ts";

const id = fc.oneof(
  fc.nat(20).map((n) => new Int32(n)),
  fc.nat(20).map((n) => new Double(n)),
  fc.nat(20).map((n) => Long.fromNumber(n)),
  fc.string({ maxLength: 2 }),
  fc.nat(20).map((n) => ({ k: n, long: "x".repeat(80) })),
);
const document = fc.record({ _id: id, value: fc.nat(2) }).map((each) => BSON.serialize(each));
const collection = fc.array(document, { maxLength: 40 });

function equalityOf(bytes: Uint8Array): string {
  const { _id } = BSON.deserialize(bytes, { promoteValues: true });
  return typeof _id === "number" ? `n${_id}` : JSON.stringify(_id);
}

/** One document a key, as in a collection. */
function unique(documents: readonly Uint8Array[]): Uint8Array[] {
  return [...new Map(documents.map((each) => [equalityOf(each), each])).values()];
}

function reference(source: readonly Uint8Array[], target: readonly Uint8Array[]): string[] {
  const byKey = (documents: readonly Uint8Array[]) =>
    new Map(documents.map((each) => [equalityOf(each), each]));
  const [left, right] = [byKey(source), byKey(target)];
  const keys = new Set([...left.keys(), ...right.keys()]);
  return [...keys].filter((key) => !same(left.get(key), right.get(key))).sort();
}
function same(left: Uint8Array | undefined, right: Uint8Array | undefined): boolean {
  return left !== undefined && right !== undefined && Buffer.from(left).equals(right);
}

interface Outcome {
  readonly differing: string[];
  readonly counts: MatchCounts;
}

function match(
  source: readonly Uint8Array[],
  target: readonly Uint8Array[],
  options: { batch: number; waitingBytesMax?: number; part?: { index: number; count: number } },
): Outcome {
  const differences: Difference[] = [];
  const matcher = new Matcher({
    waitingBytesMax: options.waitingBytesMax ?? 1e9,
    ...(options.part && { part: options.part }),
    difference: (difference) => differences.push(difference),
  });
  const rest = { source: [...source], target: [...target] };
  while (matcher.wants("source") || matcher.wants("target")) {
    for (const side of ["source", "target"] as const) {
      if (matcher.wants(side)) matcher.add(side, rest[side].splice(0, options.batch));
    }
  }
  const counts = matcher.finish();
  return { differing: differences.map((each) => equalityOf(each.id)).sort(), counts };
}

test("two collections in any order and any batches differ in exactly the documents that differ", () => {
  fc.assert(
    fc.property(collection, collection, fc.integer({ min: 1, max: 9 }), (left, right, batch) => {
      const [source, target] = [unique(left), unique([...left.slice(0, 20), ...right])];
      const { differing, counts } = match(source, target, { batch });
      expect(differing).toEqual(reference(source, target));
      expect(counts.source).toBe(source.length);
      expect(counts.target).toBe(target.length);
      expect(counts.differing).toBe(differing.length);
    }),
    { numRuns: 500 },
  );
});

test("in parts, the parts together say what the whole says", () => {
  fc.assert(
    fc.property(collection, collection, fc.integer({ min: 2, max: 5 }), (left, right, count) => {
      const [source, target] = [unique(left), unique([...left.slice(0, 20), ...right])];
      const whole = match(source, target, { batch: 3 });
      const parts = Array.from({ length: count }, (_, index) =>
        match(source, target, { batch: 3, part: { index, count } }),
      );
      expect(parts.flatMap(({ differing }) => differing).sort()).toEqual(whole.differing);
      expect(parts.reduce((sum, { counts }) => sum + counts.equal, 0)).toBe(whole.counts.equal);
    }),
  );
});

const numbered = (count: number) =>
  Array.from({ length: count }, (_, n) => BSON.serialize({ _id: n, value: 1 }));

test("streams that agree keep nothing, also after a document that only one side has", () => {
  const source = numbered(1000);
  const target = source.filter((_, index) => index !== 3 && index !== 500);
  const { differing } = match(source, target, { batch: 100, waitingBytesMax: 1000 });
  expect(differing).toEqual(["n3", "n500"]);
});

test("an order that disagrees beyond memory is said, not guessed", () => {
  const source = numbered(1000);
  expect(() => match(source, [...source].reverse(), { batch: 100, waitingBytesMax: 10_000 })).toThrow(
    TooManyWaiting,
  );
  expect(match(source, [...source].reverse(), { batch: 100 }).differing).toEqual([]);
});

test("the same id twice on one side is a difference", () => {
  const [one] = numbered(1);
  expect(match([one!, one!], [one!], { batch: 2 }).counts).toMatchObject({
    source: 2,
    target: 1,
    differing: 1,
  });
});

test("a value's type is part of equality: 1 is not 1.0, and field order counts", () => {
  const pairs = [
    [
      { _id: 1, a: new Int32(1) },
      { _id: 1, a: new Double(1) },
    ],
    [
      { _id: 1, a: 1, b: 2 },
      { _id: 1, b: 2, a: 1 },
    ],
    [{ _id: new Int32(1) }, { _id: new Double(1) }],
    [
      { _id: 1, a: new Double(0) },
      { _id: 1, a: new Double(-0) },
    ],
  ];
  for (const [left, right] of pairs) {
    const { counts } = match([BSON.serialize(left!)], [BSON.serialize(right!)], { batch: 1 });
    expect(counts).toMatchObject({ equal: 0, differing: 1 });
  }
});
