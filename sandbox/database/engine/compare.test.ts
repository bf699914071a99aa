import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { numberArbitrary, valueArbitrary } from "./arbitraries.ts";
import { regExp } from "./codec.ts";
import { compareValues, equalValues, identicalValues } from "./compare.ts";
import { keyOf } from "./keystring.ts";
import {
  Binary,
  bigIntToLong,
  DateTime,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  UNDEFINED,
  type Value,
} from "./value.ts";

const sign = (n: number) => Math.sign(n);
const bytesOrder = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b);

describe("compareValues", () => {
  test("types come in the server's order", () => {
    const ordered: Value[] = [
      new MinKey(),
      UNDEFINED,
      null,
      new Double(Number.NaN),
      new Double(-Infinity),
      Decimal128.fromString("-1E400"),
      new Int32(-1),
      new Double(0.5),
      Long.fromNumber(1),
      bigIntToLong(2n ** 53n),
      bigIntToLong(2n ** 53n + 1n),
      Decimal128.fromString("1E400"),
      new Double(Infinity),
      "",
      "a",
      "a\0",
      "\uffff",
      "\u{10000}",
      new Map(),
      new Map([["a", new Int32(1)]]),
      new Map([["a", "x"]]),
      [],
      [new Int32(1)],
      new Binary(new Uint8Array([9]), 0),
      new Binary(new Uint8Array([0, 0]), 0),
      new ObjectId("000000000000000000000001"),
      false,
      true,
      new DateTime(-1n),
      new DateTime(1n),
      new Timestamp({ t: 1, i: 1 }),
      new Timestamp({ t: 4294967295, i: 1 }),
      regExp("a", ""),
      new MaxKey(),
    ];
    for (let i = 0; i < ordered.length; i++) {
      for (let j = 0; j < ordered.length; j++) {
        expect([i, j, sign(compareValues(ordered[i]!, ordered[j]!))]).toEqual([i, j, sign(i - j)]);
        expect([i, j, sign(bytesOrder(keyOf([ordered[i]!]), keyOf([ordered[j]!])))]).toEqual([
          i,
          j,
          sign(i - j),
        ]);
      }
    }
  });

  test("numbers of all types are equal when their values are, and have one key", () => {
    const ones: Value[] = [
      new Int32(1),
      new Double(1),
      Long.fromNumber(1),
      Decimal128.fromString("1"),
      Decimal128.fromString("1.0"),
    ];
    for (const a of ones) {
      for (const b of ones) {
        expect(equalValues(a, b)).toBe(true);
        expect(bytesOrder(keyOf([a]), keyOf([b]))).toBe(0);
      }
    }
    expect(identicalValues(new Int32(1), new Double(1))).toBe(false);
    expect(equalValues(new Double(0.1), Decimal128.fromString("0.1"))).toBe(false);
    expect(equalValues(new Double(-0), Decimal128.fromString("0E+3"))).toBe(true);
  });

  test("is a total order: antisymmetric and transitive", () => {
    fc.assert(
      fc.property(valueArbitrary, valueArbitrary, valueArbitrary, (a, b, c) => {
        expect(sign(compareValues(a, b))).toBe(-sign(compareValues(b, a)) + 0);
        const sorted = [a, b, c].sort(compareValues);
        expect(compareValues(sorted[0]!, sorted[2]!)).toBeLessThanOrEqual(0);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("keyOf", () => {
  const agrees = (a: Value[], b: Value[], directions?: number[]) => {
    let expected = 0;
    for (let i = 0; i < a.length && expected === 0; i++)
      expected = compareValues(a[i]!, b[i]!) * (directions?.[i] ?? 1);
    expect(sign(bytesOrder(keyOf(a, directions), keyOf(b, directions)))).toBe(sign(expected) + 0);
  };

  test("byte order of keys is the order of numbers", () => {
    fc.assert(
      fc.property(numberArbitrary, numberArbitrary, (a, b) => agrees([a], [b])),
      { numRuns: 5000 },
    );
  });

  test("byte order of keys is the order of values", () => {
    fc.assert(
      fc.property(valueArbitrary, valueArbitrary, (a, b) => agrees([a], [b])),
      { numRuns: 3000 },
    );
  });

  test("byte order of compound keys follows the directions", () => {
    const direction = fc.constantFrom(1, -1);
    fc.assert(
      fc.property(
        fc.tuple(valueArbitrary, valueArbitrary),
        fc.tuple(valueArbitrary, valueArbitrary),
        fc.tuple(direction, direction),
        (a, b, directions) => agrees(a, b, directions),
      ),
      { numRuns: 1000 },
    );
  });
});
