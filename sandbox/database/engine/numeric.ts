/** Exact comparison of numbers of different BSON types. */
import { type Decimal128, longToBigInt, type NumberValue } from "./value.ts";

/** A finite decimal: `coefficient` × 10^`exponent`. */
export interface FiniteDecimal {
  coefficient: bigint;
  exponent: number;
}

/** Reads a Decimal128 (IEEE 754-2008, binary integer coding): finite parts, or NaN and the infinities as numbers. */
export function decimalParts(value: Decimal128): FiniteDecimal | number {
  const view = new DataView(value.bytes.buffer, value.bytes.byteOffset, 16);
  const low = view.getBigUint64(0, true);
  const high = view.getBigUint64(8, true);
  const negative = high >> 63n === 1n;
  const combination = Number((high >> 58n) & 0x1fn);
  if (combination === 0x1f) return Number.NaN;
  if (combination === 0x1e) return negative ? -Infinity : Infinity;
  // Coefficients of the form with the implied prefix 100 exceed 34 digits: they are read as zero.
  if (combination >> 3 === 3) return { coefficient: 0n, exponent: Number((high >> 47n) & 0x3fffn) - 6176 };
  let coefficient = ((high & 0x1ffffffffffffn) << 64n) | low;
  if (coefficient > 9999999999999999999999999999999999n) coefficient = 0n;
  return {
    coefficient: negative ? -coefficient : coefficient,
    exponent: Number((high >> 49n) & 0x3fffn) - 6176,
  };
}

/** Exact decimal of a finite double. */
export function doubleToDecimal(value: number): FiniteDecimal {
  if (Number.isInteger(value)) return { coefficient: BigInt(value), exponent: 0 };
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const mantissa = biased === 0 ? fraction : fraction | 0x10000000000000n;
  const exponent = (biased === 0 ? 1 : biased) - 1075;
  // Not an integer, so the exponent is negative: m × 2^-k = m × 5^k × 10^-k.
  const coefficient = mantissa * 5n ** BigInt(-exponent);
  return { coefficient: value < 0 ? -coefficient : coefficient, exponent };
}

/** Compares two finite decimals exactly. */
export function compareDecimals(a: FiniteDecimal, b: FiniteDecimal): number {
  const signA = a.coefficient === 0n ? 0 : a.coefficient < 0n ? -1 : 1;
  const signB = b.coefficient === 0n ? 0 : b.coefficient < 0n ? -1 : 1;
  if (signA !== signB) return signA < signB ? -1 : 1;
  if (signA === 0) return 0;
  if (a.exponent !== b.exponent) {
    // Compare magnitudes by digits first: scaling by 10^6000 would be costly.
    const digitsA = digitCount(a.coefficient) + a.exponent;
    const digitsB = digitCount(b.coefficient) + b.exponent;
    if (digitsA !== digitsB) return (digitsA < digitsB ? -1 : 1) * signA;
  }
  const exponent = Math.min(a.exponent, b.exponent);
  const left = a.coefficient * 10n ** BigInt(a.exponent - exponent);
  const right = b.coefficient * 10n ** BigInt(b.exponent - exponent);
  return left < right ? -1 : left > right ? 1 : 0;
}

function digitCount(value: bigint): number {
  return (value < 0n ? -value : value).toString().length;
}

/** NaN is equal to itself and below every other number. */
function compareDoubles(a: number, b: number): number {
  if (a === b) return 0;
  if (a < b) return -1;
  if (a > b) return 1;
  return Number.isNaN(a) ? (Number.isNaN(b) ? 0 : -1) : 1;
}

/** The number as a JavaScript number when that is exact, else its exact decimal parts. */
export function exactNumber(value: NumberValue): number | FiniteDecimal {
  switch (value._bsontype) {
    case "Int32":
    case "Double":
      return value.value;
    case "Long": {
      const number = value.high * 4294967296 + (value.low >>> 0);
      return Number.isSafeInteger(number) ? number : { coefficient: longToBigInt(value), exponent: 0 };
    }
    case "Decimal128":
      return decimalParts(value);
  }
}

/** Exact numeric comparison across Int32, Long, Double and Decimal128. */
export function compareNumbers(a: NumberValue, b: NumberValue): number {
  const left = exactNumber(a);
  const right = exactNumber(b);
  if (typeof left === "number") {
    if (typeof right === "number") return compareDoubles(left, right);
    if (!Number.isFinite(left)) return left === Infinity ? 1 : -1;
    return compareDecimals(doubleToDecimal(left), right);
  }
  if (typeof right === "number") {
    if (!Number.isFinite(right)) return right === Infinity ? -1 : 1;
    return compareDecimals(left, doubleToDecimal(right));
  }
  return compareDecimals(left, right);
}
