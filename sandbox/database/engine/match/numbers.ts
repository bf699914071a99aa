import { describeElement } from "../describe.ts";
import { ServerError } from "../errors.ts";
import { decimalParts, exactNumber } from "../numeric.ts";
import { isNumber, type NumberValue, type Value } from "../value.ts";

const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;

/** The number as an exact 64 bit integer; undefined when it has a fraction or doesn't fit. */
export function exactInteger(value: NumberValue): bigint | undefined {
  const truncated = truncatedInteger(value);
  if (truncated === undefined) return undefined;
  const number = exactNumber(value);
  if (typeof number === "number") return Number.isInteger(number) ? truncated : undefined;
  if (number.exponent >= 0) return truncated;
  return truncated * 10n ** BigInt(-number.exponent) === number.coefficient ? truncated : undefined;
}

/** The number cut off to a 64 bit integer; undefined for NaN, infinities and what doesn't fit. */
export function truncatedInteger(value: NumberValue): bigint | undefined {
  const number = exactNumber(value);
  let integer: bigint;
  if (typeof number === "number") {
    if (!Number.isFinite(number)) return undefined;
    integer = BigInt(Math.trunc(number));
  } else if (number.exponent > 20 && number.coefficient !== 0n) return undefined;
  else if (number.exponent >= 0) integer = number.coefficient * 10n ** BigInt(Math.min(number.exponent, 20));
  else integer = number.exponent < -40 ? 0n : number.coefficient / 10n ** BigInt(-number.exponent);
  return integer < int64Min || integer > int64Max ? undefined : integer;
}

/** Reads an operand that must be an integer, with the query parser's messages. */
export function parseInteger(name: string, value: Value): bigint {
  const element = describeElement(name, value);
  if (!isNumber(value)) throw new ServerError("FailedToParse", `Expected a number in: ${element}`);
  const parts = value._bsontype === "Decimal128" ? decimalParts(value) : exactNumber(value);
  if (typeof parts === "number" && Number.isNaN(parts) && value._bsontype === "Double") {
    throw new ServerError("FailedToParse", `Expected an integer, but found NaN in: ${element}`);
  }
  const integer = exactInteger(value);
  if (integer !== undefined) return integer;
  if (value._bsontype === "Double" && Math.abs(value.value) < 2 ** 63) {
    throw new ServerError("FailedToParse", `Expected an integer: ${element}`);
  }
  throw new ServerError("FailedToParse", `Cannot represent as a 64-bit integer: ${element}`);
}

/** Reads an operand that must be an integer of at least 0. */
export function parseNonNegative(name: string, value: Value): bigint {
  const integer = parseInteger(name, value);
  if (integer >= 0n) return integer;
  throw new ServerError(
    "FailedToParse",
    `Expected a non-negative number in: ${describeElement(name, value)}`,
  );
}
