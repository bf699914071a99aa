import { expect, test } from "bun:test";
import {
  Binary,
  BSON,
  BSONSymbol,
  Code,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from "bson";
import fc from "fast-check";
import { documentKey } from "./equality-key.ts";

function keyOf(value: unknown): string {
  return documentKey(BSON.serialize({ _id: value }))!;
}

test("a number is one key in every type it can be written in", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      fc.integer({ min: 0, max: 5 }),
      (n, zeros) => {
        const decimal = `${n}${zeros > 0 ? `.${"0".repeat(zeros)}` : ""}`;
        const keys = [new Int32(n), new Double(n), Long.fromNumber(n), Decimal128.fromString(decimal)].map(
          keyOf,
        );
        expect(new Set(keys).size).toBe(1);
      },
    ),
  );
});

test("every finite double equals its exact decimal when 34 digits hold it, and only then", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const shortest = value.toString();
      const same = keyOf(new Double(value)) === keyOf(Decimal128.fromString(shortest));
      const exact = exactDecimal(value) === exactDecimalText(shortest);
      expect(same).toBe(exact);
    }),
    { numRuns: 500 },
  );
});

/** Reference by another road: scale both sides to one integer. */
function exactDecimal(value: number): string {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const exponentBits = Number((bits >> 52n) & 0x7ffn);
  const mantissa = (bits & 0xfffffffffffffn) + (exponentBits === 0 ? 0n : 1n << 52n);
  const shift = 1100 + Math.max(exponentBits, 1) - 1075;
  const scaled = mantissa * 2n ** BigInt(shift) * 10n ** 400n * (value < 0 ? -1n : 1n);
  return scaled.toString();
}
function exactDecimalText(text: string): string {
  const [mantissa, exponent = "0"] = text.split("e") as [string, string?];
  const [whole, fraction = ""] = mantissa.split(".") as [string, string?];
  const power = Number(exponent) - fraction.length + 400;
  const digits = BigInt(whole + fraction) * 2n ** 1100n;
  if (power >= 0) return (digits * 10n ** BigInt(power)).toString();
  const divisor = 10n ** BigInt(-power);
  return digits % divisor === 0n ? (digits / divisor).toString() : "no whole number";
}

test("zeros, NaNs and infinities are one key each, whatever their type and sign", () => {
  const zeros = [new Int32(0), new Double(-0), new Double(0), Decimal128.fromString("-0E+10"), Long.ZERO];
  expect(new Set(zeros.map(keyOf)).size).toBe(1);
  expect(keyOf(Number.NaN)).toBe(keyOf(Decimal128.fromString("NaN")));
  expect(keyOf(Infinity)).toBe(keyOf(Decimal128.fromString("Infinity")));
  expect(keyOf(-Infinity)).toBe(keyOf(Decimal128.fromString("-Infinity")));
  expect(keyOf(Infinity)).not.toBe(keyOf(-Infinity));
  expect(keyOf(Long.fromString("9223372036854775807"))).not.toBe(keyOf(new Double(2 ** 63)));
  expect(keyOf(Long.fromString("9007199254740993"))).not.toBe(keyOf(new Double(9007199254740992)));
  expect(keyOf(new Double(2 ** 62))).toBe(keyOf(Long.fromString("4611686018427387904")));
  expect(keyOf(new Double(1e300))).not.toBe(keyOf(Decimal128.fromString("1e300")));
});

test("documents are equal field by field in order, with numbers equal inside", () => {
  expect(keyOf({ a: new Int32(1), b: "x" })).toBe(keyOf({ a: new Double(1), b: new BSONSymbol("x") }));
  expect(keyOf({ a: 1, b: 2 })).not.toBe(keyOf({ b: 2, a: 1 }));
  expect(keyOf({ a: [1, Long.fromNumber(2)] })).toBe(keyOf({ a: [new Double(1), 2] }));
  expect(keyOf({ a: "b", c: "" })).not.toBe(keyOf({ a: "", b: "c" }));
  expect(keyOf({ ab: "c" })).not.toBe(keyOf({ a: "bc" }));
  expect(keyOf({ é: 1 })).not.toBe(keyOf({ "Ã©": 1 }));
});

test("values of different kinds never share a key", () => {
  const id = new ObjectId();
  const values = [
    "1",
    1,
    true,
    false,
    null,
    new Date(1),
    new Timestamp({ t: 0, i: 1 }),
    id,
    id.toHexString(),
    new Binary(id.id),
    new Binary(id.id, 4),
    new Code("1"),
    new Code("1", {}),
    new Code("1", { a: 1 }),
    new MinKey(),
    new MaxKey(),
    {},
    { "0": 1 },
    { a: [1] },
    { a: { "0": 1 } },
    "é",
    "e\u0301",
  ];
  expect(new Set(values.map(keyOf)).size).toBe(values.length);
});

test("text of any kind keeps its own key", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (a, b) => {
      expect(keyOf(a) === keyOf(b)).toBe(Buffer.from(a).equals(Buffer.from(b)));
    }),
  );
});
