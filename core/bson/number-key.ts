/**
 * One canonical text for each number, whatever its BSON type: 1, 1.0, NumberLong(1) and Decimal128("1.00") give "1".
 * Exact: a double stands for its full binary value, so Decimal128("0.1") and the double 0.1 stay apart, as on the server.
 */
import { BsonType } from "./raw.ts";

const exponentBias = 6176;
const infinity = "inf";

/** Canonical text of the number of `type` at `offset`. */
export function numberKey(type: number, view: DataView, offset: number): string {
  switch (type) {
    case BsonType.int32:
      return String(view.getInt32(offset, true));
    case BsonType.int64:
      return view.getBigInt64(offset, true).toString();
    case BsonType.double:
      return doubleKey(view.getFloat64(offset, true), view.getBigUint64(offset, true));
    default:
      return decimalKey(view.getBigUint64(offset, true), view.getBigUint64(offset + 8, true));
  }
}

function doubleKey(value: number, bits: bigint): string {
  if (Number.isNaN(value)) return "nan";
  if (value === Infinity) return infinity;
  if (value === -Infinity) return `-${infinity}`;
  if (Number.isSafeInteger(value)) return String(value === 0 ? 0 : value);
  const rawExponent = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const mantissa = rawExponent === 0 ? fraction : fraction | 0x10000000000000n;
  const exponent = (rawExponent === 0 ? 1 : rawExponent) - 1075;
  // m · 2^-k is m · 5^k · 10^-k: every double is a finite decimal.
  return exponent >= 0
    ? canonical(value < 0, mantissa << BigInt(exponent), 0)
    : canonical(value < 0, mantissa * 5n ** BigInt(-exponent), exponent);
}

function decimalKey(low: bigint, high: bigint): string {
  const negative = high >> 63n === 1n;
  const combination = Number((high >> 58n) & 0x1fn);
  if (combination === 0x1f) return "nan";
  if (combination === 0x1e) return negative ? `-${infinity}` : infinity;
  // The second form's coefficients are all above 10^34 - 1, which the format reads as zero.
  if (combination >> 3 === 3) return "0";
  const exponent = Number((high >> 49n) & 0x3fffn) - exponentBias;
  const coefficient = ((high & 0x1ffffffffffffn) << 64n) | low;
  return canonical(negative, coefficient >= 10n ** 34n ? 0n : coefficient, exponent);
}

/** Below this many digits an integer is written out, as int64 values are. */
const plainDigitsMax = 20;

function canonical(negative: boolean, coefficient: bigint, exponent: number): string {
  if (coefficient === 0n) return "0";
  const digits = coefficient.toString();
  const significant = digits.replace(/0+$/, "");
  const power = exponent + digits.length - significant.length;
  const sign = negative ? "-" : "";
  if (power >= 0 && significant.length + power <= plainDigitsMax) {
    return `${sign}${significant}${"0".repeat(power)}`;
  }
  return `${sign}${significant}e${power}`;
}
