/** Arithmetic on Decimal128: 34 digits, ties to even, as IEEE 754-2008. */
import { decimalParts, type FiniteDecimal } from "./numeric.ts";
import { Decimal128, longToBigInt, type NumberValue } from "./value.ts";

/** A finite decimal, or NaN and the infinities as JavaScript numbers. */
export type DecimalNumber = FiniteDecimal | number;

const maxDigits = 34;
const minExponent = -6176;
const maxExponent = 6111;

function power(exponent: number): bigint {
  return 10n ** BigInt(exponent);
}

function magnitudeDigits(coefficient: bigint): number {
  return (coefficient < 0n ? -coefficient : coefficient).toString().length;
}

/** Divides by 10^digits, ties to even. */
function shiftRight(coefficient: bigint, digits: number): bigint {
  const divisor = power(digits);
  const negative = coefficient < 0n;
  const magnitude = negative ? -coefficient : coefficient;
  let quotient = magnitude / divisor;
  const twice = (magnitude % divisor) * 2n;
  if (twice > divisor || (twice === divisor && (quotient & 1n) === 1n)) quotient += 1n;
  return negative ? -quotient : quotient;
}

/** Rounds to what a Decimal128 can hold; overflow gives an infinity. */
function normalize({ coefficient, exponent }: FiniteDecimal): DecimalNumber {
  let result = coefficient;
  let power10 = exponent;
  const excess = magnitudeDigits(result) - maxDigits;
  if (excess > 0) {
    result = shiftRight(result, excess);
    power10 += excess;
    if (magnitudeDigits(result) > maxDigits) {
      result /= 10n;
      power10 += 1;
    }
  }
  if (power10 < minExponent) {
    const digits = minExponent - power10;
    result = digits > 40 ? 0n : shiftRight(result, digits);
    power10 = minExponent;
  }
  while (power10 > maxExponent && result !== 0n && magnitudeDigits(result) < maxDigits) {
    result *= 10n;
    power10 -= 1;
  }
  if (power10 > maxExponent)
    return result === 0n ? { coefficient: 0n, exponent: maxExponent } : result < 0n ? -Infinity : Infinity;
  return { coefficient: result, exponent: power10 };
}

/** Makes a Decimal128, rounded to 34 digits. */
export function toDecimal128(value: DecimalNumber): Decimal128 {
  if (typeof value === "number")
    return Decimal128.fromString(Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
  const normal = normalize(value);
  if (typeof normal === "number") return toDecimal128(normal);
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  const negative = normal.coefficient < 0n;
  const magnitude = negative ? -normal.coefficient : normal.coefficient;
  const exponent = BigInt(normal.exponent - minExponent);
  view.setBigUint64(0, magnitude & 0xffffffffffffffffn, true);
  view.setBigUint64(8, (magnitude >> 64n) | (exponent << 49n) | (negative ? 1n << 63n : 0n), true);
  return new Decimal128(bytes);
}

/** A double as the server turns it into a decimal: 15 significant digits. */
function decimalOfDouble(value: number): DecimalNumber {
  if (!Number.isFinite(value)) return value;
  if (value === 0) return { coefficient: 0n, exponent: 0 };
  const [digits, exponent] = value.toExponential(14).split("e") as [string, string];
  return { coefficient: BigInt(digits.replace(".", "")), exponent: Number(exponent) - 14 };
}

/** Any number as a decimal. */
export function decimalOf(value: NumberValue): DecimalNumber {
  switch (value._bsontype) {
    case "Decimal128":
      return decimalParts(value);
    case "Long":
      return { coefficient: longToBigInt(value), exponent: 0 };
    case "Int32":
      return { coefficient: BigInt(value.value), exponent: 0 };
    case "Double":
      return decimalOfDouble(value.value);
  }
}

function asDouble(value: DecimalNumber): number {
  return typeof value === "number" ? value : value.coefficient === 0n ? 0 : value.coefficient < 0n ? -1 : 1;
}

export function addDecimals(a: DecimalNumber, b: DecimalNumber): DecimalNumber {
  if (typeof a === "number" || typeof b === "number") return asDouble(a) + asDouble(b);
  // Digits far below the 34th only matter for rounding: bound the work.
  const gap = Math.abs(a.exponent - b.exponent);
  if (gap > 100) {
    const [large, small] = a.exponent > b.exponent ? [a, b] : [b, a];
    if (large.coefficient === 0n) return small;
    if (gap > 100 + magnitudeDigits(small.coefficient)) return large;
  }
  const exponent = Math.min(a.exponent, b.exponent);
  const sum = a.coefficient * power(a.exponent - exponent) + b.coefficient * power(b.exponent - exponent);
  return normalize({ coefficient: sum, exponent });
}

export function negateDecimal(value: DecimalNumber): DecimalNumber {
  return typeof value === "number" ? -value : { coefficient: -value.coefficient, exponent: value.exponent };
}

export function multiplyDecimals(a: DecimalNumber, b: DecimalNumber): DecimalNumber {
  if (typeof a === "number" || typeof b === "number") return asDouble(a) * asDouble(b);
  return normalize({ coefficient: a.coefficient * b.coefficient, exponent: a.exponent + b.exponent });
}

/** Quotient; exact ones get the exponent of the operands, others 34 digits. */
export function divideDecimals(a: DecimalNumber, b: DecimalNumber): DecimalNumber {
  if (typeof a === "number" || typeof b === "number") {
    if (typeof a !== "number" && typeof b === "number" && Number.isFinite(b) === false && !Number.isNaN(b)) {
      return { coefficient: 0n, exponent: minExponent };
    }
    return asDouble(a) / asDouble(b);
  }
  if (b.coefficient === 0n) return asDouble(a) / 0;
  const preferred = a.exponent - b.exponent;
  const scale = maxDigits + 2 + magnitudeDigits(b.coefficient);
  const scaled = a.coefficient * power(scale);
  let quotient = scaled / b.coefficient;
  let exponent = preferred - scale;
  // A rest below the guard digits: make it visible to the rounding.
  if (quotient * b.coefficient !== scaled)
    return normalize({ coefficient: quotient * 10n + (quotient < 0n ? -1n : 1n), exponent: exponent - 1 });
  while (exponent < preferred && quotient % 10n === 0n) {
    quotient /= 10n;
    exponent += 1;
  }
  return normalize({ coefficient: quotient, exponent });
}

/** Remainder with the sign of the dividend. */
export function remainderDecimals(a: DecimalNumber, b: DecimalNumber): DecimalNumber {
  if (typeof a === "number") return Number.NaN;
  if (typeof b === "number") return Number.isNaN(b) ? Number.NaN : a;
  if (b.coefficient === 0n) return Number.NaN;
  const exponent = Math.min(a.exponent, b.exponent);
  return normalize({
    coefficient:
      (a.coefficient * power(a.exponent - exponent)) % (b.coefficient * power(b.exponent - exponent)),
    exponent,
  });
}

/** Rounds to `places` digits after the point (negative: before it). */
export function roundDecimal(
  value: DecimalNumber,
  places: number,
  mode: "even" | "down" | "floor" | "ceil",
): DecimalNumber {
  if (typeof value === "number" || value.exponent >= -places) return value;
  const digits = -places - value.exponent;
  const divisor = power(digits);
  let coefficient = mode === "even" ? shiftRight(value.coefficient, digits) : value.coefficient / divisor;
  const rest = value.coefficient % divisor;
  if (mode === "floor" && rest < 0n) coefficient -= 1n;
  if (mode === "ceil" && rest > 0n) coefficient += 1n;
  return { coefficient, exponent: -places };
}

/** Nearest double. */
export function decimalToNumber(value: DecimalNumber): number {
  return typeof value === "number" ? value : Number(`${value.coefficient}e${value.exponent}`);
}
