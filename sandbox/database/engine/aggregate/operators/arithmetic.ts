import { add, fitsInt64, multiply, numericRank, toBigInt, toNumber } from "../../arithmetic.ts";
import {
  addDecimals,
  type DecimalNumber,
  decimalOf,
  decimalToNumber,
  divideDecimals,
  negateDecimal,
  remainderDecimals,
  roundDecimal,
  toDecimal128,
} from "../../decimal.ts";
import { describeValue } from "../../describe.ts";
import { ServerError } from "../../errors.ts";
import { exactInteger } from "../../match/numbers.ts";
import {
  bigIntToLong,
  DateTime,
  Double,
  Int32,
  isNumber,
  type NumberValue,
  type Value,
} from "../../value.ts";
import { binary, isNullish, type OperatorCompiler, typeNameOf, unary, variadic } from "../expression.ts";

const mismatch = (message: string): ServerError => new ServerError("TypeMismatch", message);

/** a − b with the rules of addition. */
export function subtract(a: NumberValue, b: NumberValue): NumberValue {
  const rank = Math.max(numericRank(a), numericRank(b));
  if (rank === 3) return toDecimal128(addDecimals(decimalOf(a), negateDecimal(decimalOf(b))));
  if (rank === 2) return new Double(toNumber(a) - toNumber(b));
  const difference = toBigInt(a) - toBigInt(b);
  return ofInteger(difference, rank);
}

/** An integer as int (rank 0, when it fits), long or double. */
function ofInteger(value: bigint, rank: number): NumberValue {
  if (rank === 0 && value >= -2147483648n && value <= 2147483647n) return new Int32(Number(value));
  return fitsInt64(value) ? bigIntToLong(value) : new Double(Number(value));
}

function addAll(values: (Value | undefined)[]): Value | null {
  let total: NumberValue = new Int32(0);
  let date: DateTime | undefined;
  for (const value of values) {
    if (isNullish(value)) return null;
    if (value instanceof DateTime) {
      if (date !== undefined) throw new ServerError(16612, "only one date allowed in an $add expression");
      date = value;
    } else if (isNumber(value)) total = add(total, value)!;
    else throw mismatch(`$add only supports numeric or date types, not ${typeNameOf(value)}`);
  }
  return date === undefined ? total : shiftDate(date, total);
}

function shiftDate(date: DateTime, milliseconds: NumberValue): DateTime {
  const shift =
    numericRank(milliseconds) < 2 ? toBigInt(milliseconds) : BigInt(Math.round(toNumber(milliseconds)));
  return new DateTime(BigInt.asIntN(64, date.milliseconds + shift));
}

function subtractValues(a: Value | undefined, b: Value | undefined): Value | null {
  if (isNullish(a) || isNullish(b)) return null;
  if (isNumber(a) && isNumber(b)) return subtract(a, b);
  if (a instanceof DateTime && b instanceof DateTime) return bigIntToLong(a.milliseconds - b.milliseconds);
  if (a instanceof DateTime && isNumber(b)) return shiftDate(a, subtract(new Int32(0), b));
  throw mismatch(`can't $subtract ${typeNameOf(b)} from ${typeNameOf(a)}`);
}

function multiplyAll(values: (Value | undefined)[]): Value | null {
  let product: NumberValue = new Int32(1);
  for (const value of values) {
    if (isNullish(value)) return null;
    if (!isNumber(value)) throw mismatch(`$multiply only supports numeric types, not ${typeNameOf(value)}`);
    product = multiply(product, value)!;
  }
  return product;
}

function divide(a: Value | undefined, b: Value | undefined): Value | null {
  if (isNullish(a) || isNullish(b)) return null;
  if (!isNumber(a) || !isNumber(b)) {
    throw mismatch(`$divide only supports numeric types, not ${typeNameOf(a)} and ${typeNameOf(b)}`);
  }
  if (toNumber(b) === 0) throw new ServerError("BadValue", "can't $divide by zero");
  if (Math.max(numericRank(a), numericRank(b)) === 3)
    return toDecimal128(divideDecimals(decimalOf(a), decimalOf(b)));
  return new Double(toNumber(a) / toNumber(b));
}

function modulo(a: Value | undefined, b: Value | undefined): Value | null {
  if (isNullish(a) || isNullish(b)) return null;
  if (!isNumber(a) || !isNumber(b)) {
    throw new ServerError(
      16611,
      `$mod only supports numeric types, not ${typeNameOf(a)} and ${typeNameOf(b)}`,
    );
  }
  if (toNumber(b) === 0) throw new ServerError(16610, "can't $mod by zero");
  const rank = Math.max(numericRank(a), numericRank(b));
  if (rank === 3) return toDecimal128(remainderDecimals(decimalOf(a), decimalOf(b)));
  if (rank === 2) return new Double(toNumber(a) % toNumber(b));
  return ofInteger(toBigInt(a) % toBigInt(b), rank);
}

/** An operator on one number; other values are refused, null stays null. */
function onNumber(evaluate: (value: NumberValue, name: string) => Value): OperatorCompiler {
  return unary((value, name) => {
    if (isNullish(value)) return null;
    if (!isNumber(value))
      throw new ServerError(28765, `${name} only supports numeric types, not ${typeNameOf(value)}`);
    return evaluate(value, name);
  });
}

/** An operator computed in doubles; the result of a decimal is a decimal. */
function inDoubles(evaluate: (value: number, name: string, shown: string) => number): OperatorCompiler {
  return onNumber((value, name) => {
    const result = evaluate(toNumber(value), name, describeValue(value));
    return value._bsontype === "Decimal128"
      ? toDecimal128(decimalOf(new Double(result)))
      : new Double(result);
  });
}

/** A function defined between two bounds, which belong to it unless they are infinite. */
function trigonometric(evaluate: (value: number) => number, low: number, high: number): OperatorCompiler {
  const openLow = low === -Infinity;
  const openHigh = high === Infinity;
  const interval = `${openLow ? "(-inf" : `[${low}`},${openHigh ? "inf)" : `${high}]`}`;
  return inDoubles((value, name, shown) => {
    const outside = value < low || value > high || (openLow && value === low) || (openHigh && value === high);
    if (outside)
      throw new ServerError(50989, `cannot apply ${name} to ${shown}, value must be in ${interval}`);
    return evaluate(value);
  });
}

function absolute(value: NumberValue): Value {
  if (value._bsontype === "Double") return new Double(Math.abs(value.value));
  if (value._bsontype === "Decimal128") {
    const decimal = decimalOf(value);
    return toDecimal128(
      typeof decimal === "number"
        ? Math.abs(decimal)
        : decimal.coefficient < 0n
          ? negateDecimal(decimal)
          : decimal,
    );
  }
  const integer = toBigInt(value);
  if (integer === -(2n ** 63n)) throw new ServerError(28680, "can't take $abs of long long min");
  return ofInteger(integer < 0n ? -integer : integer, numericRank(value));
}

const rounding = (inDouble: (value: number) => number, mode: "floor" | "ceil"): OperatorCompiler =>
  onNumber((value) => {
    if (value._bsontype === "Double") return new Double(inDouble(value.value));
    return value._bsontype === "Decimal128" ? toDecimal128(roundDecimal(decimalOf(value), 0, mode)) : value;
  });

/** A double rounded to a number of decimal places, ties to even. */
function roundDouble(value: number, places: number, mode: "even" | "down"): number {
  if (!Number.isFinite(value)) return value;
  const exact: DecimalNumber = decimalOf(new Double(value));
  return decimalToNumber(roundDecimal(exact, places, mode));
}

const roundTo = (mode: "even" | "down"): OperatorCompiler =>
  variadic(
    ([value, places = new Int32(0)], name) => {
      if (isNullish(value) || isNullish(places)) return null;
      if (!isNumber(value))
        throw new ServerError(51081, `${name} only supports numeric types, not ${typeNameOf(value)}`);
      const digits = isNumber(places) ? exactInteger(places) : undefined;
      if (digits === undefined)
        throw new ServerError(51082, `precision argument to  ${name} must be a integral value`);
      if (digits < -20n || digits > 100n) {
        throw new ServerError(
          51083,
          `cannot apply ${name} with precision value ${digits} value must be in [-20, 100]`,
        );
      }
      const count = Number(digits);
      if (value._bsontype === "Decimal128") return toDecimal128(roundDecimal(decimalOf(value), count, mode));
      if (value._bsontype === "Double") return new Double(roundDouble(value.value, count, mode));
      if (count >= 0) return value;
      const rounded = roundDecimal({ coefficient: toBigInt(value), exponent: 0 }, count, mode);
      const { coefficient, exponent } = rounded as { coefficient: bigint; exponent: number };
      return ofInteger(coefficient * 10n ** BigInt(Math.max(0, exponent)), numericRank(value));
    },
    1,
    2,
  );

function power(base: Value | undefined, exponent: Value | undefined): Value | null {
  if (isNullish(base) || isNullish(exponent)) return null;
  if (!isNumber(base)) throw new ServerError(28762, `$pow's base must be numeric, not ${typeNameOf(base)}`);
  if (!isNumber(exponent))
    throw new ServerError(28763, `$pow's exponent must be numeric, not ${typeNameOf(exponent)}`);
  if (toNumber(base) === 0 && toNumber(exponent) < 0) {
    throw new ServerError(28764, "$pow cannot take a base of 0 and a negative exponent");
  }
  const rank = Math.max(numericRank(base), numericRank(exponent));
  const result = toNumber(base) ** toNumber(exponent);
  if (rank === 3) return toDecimal128(decimalOf(new Double(result)));
  if (rank === 2 || toNumber(exponent) < 0) return new Double(result);
  const exponentInteger = toBigInt(exponent);
  if (exponentInteger > 64n && Math.abs(toNumber(base)) > 1) return new Double(result);
  const exact = toBigInt(base) ** (exponentInteger > 64n ? 64n + (exponentInteger & 1n) : exponentInteger);
  return ofInteger(exact, rank);
}

function positive(value: number, name: string, code: number, shown: string): void {
  if (value <= 0)
    throw new ServerError(code, `${name}'s argument must be a positive number, but is ${shown}`);
}

function logarithm(value: Value | undefined, base: Value | undefined): Value | null {
  if (isNullish(value) || isNullish(base)) return null;
  if (!isNumber(value))
    throw new ServerError(28756, `$log's argument must be numeric, not ${typeNameOf(value)}`);
  if (!isNumber(base)) throw new ServerError(28757, `$log's base must be numeric, not ${typeNameOf(base)}`);
  positive(toNumber(value), "$log", 28758, describeValue(value));
  if (toNumber(base) <= 0 || toNumber(base) === 1) {
    throw new ServerError(
      28759,
      `$log's base must be a positive number not equal to 1, but is ${describeValue(base)}`,
    );
  }
  return new Double(Math.log(toNumber(value)) / Math.log(toNumber(base)));
}

function bitwise(combine: (a: bigint, b: bigint) => bigint, start: bigint): OperatorCompiler {
  return variadic((values, name) => {
    let result = start;
    let rank = 0;
    for (const value of values) {
      if (isNullish(value)) return null;
      if (!isNumber(value) || numericRank(value) > 1) {
        throw mismatch(`${name} only supports int and long operands.`);
      }
      rank = Math.max(rank, numericRank(value));
      result = combine(result, toBigInt(value));
    }
    return ofInteger(result, rank);
  });
}

export const arithmeticOperators: Record<string, OperatorCompiler> = {
  $add: variadic(addAll),
  $subtract: binary(subtractValues),
  $multiply: variadic(multiplyAll),
  $divide: binary(divide),
  $mod: binary(modulo),
  $abs: onNumber(absolute),
  $ceil: rounding(Math.ceil, "ceil"),
  $floor: rounding(Math.floor, "floor"),
  $round: roundTo("even"),
  $trunc: roundTo("down"),
  $pow: binary(power),
  $exp: inDoubles(Math.exp),
  $sqrt: inDoubles((value, name) => {
    if (value < 0) throw new ServerError(28714, `${name}'s argument must be greater than or equal to 0`);
    return Math.sqrt(value);
  }),
  $ln: inDoubles((value, name, shown) => {
    positive(value, name, 28766, shown);
    return Math.log(value);
  }),
  $log10: inDoubles((value, name, shown) => {
    positive(value, name, 28761, shown);
    return Math.log10(value);
  }),
  $log: binary(logarithm),
  $sin: trigonometric(Math.sin, -Infinity, Infinity),
  $cos: trigonometric(Math.cos, -Infinity, Infinity),
  $tan: trigonometric(Math.tan, -Infinity, Infinity),
  $asin: trigonometric(Math.asin, -1, 1),
  $acos: trigonometric(Math.acos, -1, 1),
  $atan: inDoubles(Math.atan),
  $sinh: inDoubles(Math.sinh),
  $cosh: inDoubles(Math.cosh),
  $tanh: inDoubles(Math.tanh),
  $asinh: inDoubles(Math.asinh),
  $acosh: trigonometric(Math.acosh, 1, Infinity),
  $atanh: trigonometric(Math.atanh, -1, 1),
  $degreesToRadians: inDoubles((value) => (value * Math.PI) / 180),
  $radiansToDegrees: inDoubles((value) => (value * 180) / Math.PI),
  $atan2: binary((a, b) => {
    if (isNullish(a) || isNullish(b)) return null;
    if (!isNumber(a) || !isNumber(b))
      throw new ServerError(
        51044,
        `$atan2 only supports numeric types, not ${typeNameOf(a)} and ${typeNameOf(b)}`,
      );
    return new Double(Math.atan2(toNumber(a), toNumber(b)));
  }),
  $bitAnd: bitwise((a, b) => a & b, -1n),
  $bitOr: bitwise((a, b) => a | b, 0n),
  $bitXor: bitwise((a, b) => a ^ b, 0n),
  $bitNot: unary((value) => {
    if (isNullish(value)) return null;
    if (!isNumber(value) || numericRank(value) > 1)
      throw mismatch(`$bitNot only supports int and long, not: ${typeNameOf(value)}.`);
    return ofInteger(~toBigInt(value), numericRank(value));
  }),
  $rand: () => () => new Double(Math.random()),
};
