/** Operators on one value: `$type`, `$mod`, `$bits…`, `$size`. */
import { binaryBytes } from "../compare.ts";
import { describeElement, describeValue } from "../describe.ts";
import { ServerError } from "../errors.ts";
import { type Binary, BsonType, isNumber, typeNumberOf, typeOf, type Value } from "../value.ts";
import { exactInteger, parseInteger, parseNonNegative, truncatedInteger } from "./numbers.ts";
import type { ValueTest } from "./path.ts";

const numberTypes = [BsonType.Double, BsonType.Int32, BsonType.Long, BsonType.Decimal128];

function typesOf(element: Value): number[] {
  if (typeof element === "string") {
    if (element === "number") return numberTypes;
    const number = typeNumberOf(element);
    if (number === undefined) throw new ServerError("BadValue", `Unknown type name alias: ${element}`);
    return [number];
  }
  if (!isNumber(element))
    throw new ServerError("TypeMismatch", "type must be represented as a number or a string");
  const code = exactInteger(element);
  const valid = code !== undefined && ((code >= 1n && code <= 19n) || code === -1n || code === 127n);
  if (!valid) throw new ServerError("BadValue", `Invalid numerical type code: ${describeValue(element)}`);
  return [Number(code)];
}

/** The type numbers of a `$type` operand (alias, number, or array of them). */
export function parseTypeSet(operand: Value): Set<number> {
  const types = (Array.isArray(operand) ? operand : [operand]).flatMap(typesOf);
  if (types.length === 0) throw new ServerError("FailedToParse", "$type must match at least one type");
  return new Set(types);
}

export function compileType(operand: Value): ValueTest {
  const types = parseTypeSet(operand);
  return (value) => value !== undefined && types.has(typeOf(value));
}

export function compileMod(operand: Value): ValueTest {
  const fail = (message: string): never => {
    throw new ServerError("BadValue", `malformed mod, ${message}`);
  };
  if (!Array.isArray(operand)) return fail("needs to be an array");
  if (operand.length < 2) return fail("not enough elements");
  const [divisorValue, remainderValue] = operand;
  if (!isNumber(divisorValue)) return fail("divisor not a number");
  if (!isNumber(remainderValue)) return fail("remainder not a number");
  if (operand.length > 2) return fail("too many elements");
  const divisor = truncatedInteger(divisorValue);
  if (divisor === undefined)
    return fail("divisor value is invalid :: caused by :: Unable to coerce NaN/Inf to integral type");
  const remainder = truncatedInteger(remainderValue);
  if (remainder === undefined)
    return fail("remainder value is invalid :: caused by :: Unable to coerce NaN/Inf to integral type");
  if (divisor === 0n) throw new ServerError("BadValue", "divisor cannot be 0");
  return (value) => {
    if (!isNumber(value)) return false;
    const integer = truncatedInteger(value);
    return integer !== undefined && integer % divisor === remainder;
  };
}

export function compileSize(operand: Value): ValueTest {
  let size: bigint;
  try {
    size = parseNonNegative("$size", operand);
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    throw new ServerError("BadValue", `Failed to parse $size. ${error.message}`);
  }
  return (value) => Array.isArray(value) && BigInt(value.length) === size;
}

export type BitOperator = "$bitsAllSet" | "$bitsAllClear" | "$bitsAnySet" | "$bitsAnyClear";

function positionsOf(operator: BitOperator, operand: Value): number[] {
  if (Array.isArray(operand)) return operand.map((element, index) => bitPosition(String(index), element));
  if (isNumber(operand)) return setBits(parseNonNegative(operator, operand));
  if (typeOf(operand) === BsonType.Binary) {
    const positions: number[] = [];
    binaryBytes(operand as Binary).forEach((byte, index) => {
      for (let bit = 0; bit < 8; bit++) if (byte & (1 << bit)) positions.push(index * 8 + bit);
    });
    return positions;
  }
  throw new ServerError(
    "BadValue",
    `${operator} takes an Array, a number, or a BinData but received: ${describeElement(operator, operand)}`,
  );
}

function setBits(mask: bigint): number[] {
  const positions: number[] = [];
  for (let bit = 0; bit < 64; bit++) if ((mask >> BigInt(bit)) & 1n) positions.push(bit);
  return positions;
}

function bitPosition(name: string, element: Value): number {
  const shown = describeElement(name, element);
  if (!isNumber(element))
    throw new ServerError("BadValue", `bit positions must be an integer but got: ${shown}`);
  const position = exactInteger(element);
  if (position === undefined)
    throw new ServerError("BadValue", `bit positions must be an integer but got: ${shown}`);
  if (position > 2147483647n || position < -2147483648n) {
    throw new ServerError(
      "BadValue",
      `bit positions cannot be represented as a 32-bit signed integer: ${shown}`,
    );
  }
  if (position < 0n) throw new ServerError("BadValue", `bit positions must be >= 0 but got: ${shown}`);
  return Number(position);
}

export function compileBits(operator: BitOperator, operand: Value): ValueTest {
  const positions = positionsOf(operator, operand);
  const wanted = operator.endsWith("Set");
  const all = operator.startsWith("$bitsAll");
  return (value) => {
    const bitAt = bitReader(value);
    if (bitAt === undefined) return false;
    return all
      ? positions.every((position) => bitAt(position) === wanted)
      : positions.some((position) => bitAt(position) === wanted);
  };
}

function bitReader(value: Value | undefined): ((position: number) => boolean) | undefined {
  if (isNumber(value)) {
    const integer = exactInteger(value);
    // A number is sign extended beyond its 64 bits.
    return integer === undefined
      ? undefined
      : (position) => ((integer >> BigInt(Math.min(position, 63))) & 1n) === 1n;
  }
  if (value === undefined || typeOf(value) !== BsonType.Binary) return undefined;
  const bytes = binaryBytes(value as Binary);
  return (position) => ((bytes[position >> 3] ?? 0) & (1 << (position & 7))) !== 0;
}

/** Whether a value counts as true for `$exists` and the like: not false, 0, null or undefined. */
export function isTruthy(value: Value | undefined): boolean {
  if (value === undefined || value === null || value === false) return false;
  if (isNumber(value)) {
    if (value._bsontype === "Double" || value._bsontype === "Int32") return value.value !== 0;
    return value._bsontype === "Decimal128" ? !/^-?0(E|$|\.0*($|E))/.test(value.toString()) : !value.isZero();
  }
  return typeOf(value) !== BsonType.Undefined;
}

/** Reads the operand of `$alwaysTrue`/`$alwaysFalse`, which must be 1. */
export function checkIsOne(operator: string, operand: Value): void {
  if (parseInteger(operator, operand) !== 1n) {
    throw new ServerError("FailedToParse", `${operator} must be an integer value of 1`);
  }
}
