/** Sums and products with the server's rules for the type of the result. */
import { addDecimals, decimalOf, decimalToNumber, multiplyDecimals, toDecimal128 } from "./decimal.ts";
import { decimalParts } from "./numeric.ts";
import { bigIntToLong, Double, Int32, longToBigInt, type NumberValue } from "./value.ts";

/** Order of the numeric types: the wider one gives the type of a result. */
export function numericRank(value: NumberValue): number {
  switch (value._bsontype) {
    case "Int32":
      return 0;
    case "Long":
      return 1;
    case "Double":
      return 2;
    case "Decimal128":
      return 3;
  }
}

/** Nearest JavaScript number. */
export function toNumber(value: NumberValue): number {
  switch (value._bsontype) {
    case "Int32":
    case "Double":
      return value.value;
    case "Long":
      return value.high * 4294967296 + (value.low >>> 0);
    case "Decimal128":
      return decimalToNumber(decimalParts(value));
  }
}

/** Exact integer of an Int32 or Long. */
export function toBigInt(value: NumberValue): bigint {
  return value._bsontype === "Long" ? longToBigInt(value) : BigInt((value as Int32).value);
}

export function fitsInt32(value: bigint): boolean {
  return value >= -2147483648n && value <= 2147483647n;
}

export function fitsInt64(value: bigint): boolean {
  return BigInt.asIntN(64, value) === value;
}

/** What to do with an integer result beyond 64 bits: undefined, or a double. */
export type Overflow = "undefined" | "double";

function integerResult(result: bigint, rank: number, overflow: Overflow): NumberValue | undefined {
  if (rank === 0 && fitsInt32(result)) return new Int32(Number(result));
  if (fitsInt64(result)) return bigIntToLong(result);
  return overflow === "double" ? new Double(Number(result)) : undefined;
}

/** a + b: int becomes long when it doesn't fit, a double or decimal makes the result one. */
export function add(a: NumberValue, b: NumberValue, overflow: Overflow = "double"): NumberValue | undefined {
  const rank = Math.max(numericRank(a), numericRank(b));
  if (rank === 3) return toDecimal128(addDecimals(decimalOf(a), decimalOf(b)));
  if (rank === 2) return new Double(toNumber(a) + toNumber(b));
  if (rank === 0) {
    const sum = (a as Int32).value + (b as Int32).value;
    if ((sum | 0) === sum) return new Int32(sum);
  }
  return integerResult(toBigInt(a) + toBigInt(b), rank, overflow);
}

/** a × b with the rules of {@link add}. */
export function multiply(
  a: NumberValue,
  b: NumberValue,
  overflow: Overflow = "double",
): NumberValue | undefined {
  const rank = Math.max(numericRank(a), numericRank(b));
  if (rank === 3) return toDecimal128(multiplyDecimals(decimalOf(a), decimalOf(b)));
  if (rank === 2) return new Double(toNumber(a) * toNumber(b));
  return integerResult(toBigInt(a) * toBigInt(b), rank, overflow);
}
