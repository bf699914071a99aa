/** `$convert` and the `$to…` operators. */
import { fitsInt32, fitsInt64, toNumber } from "../../arithmetic.ts";
import { decimalOf, toDecimal128 } from "../../decimal.ts";
import { describeValue } from "../../describe.ts";
import { ServerError } from "../../errors.ts";
import { isTruthy } from "../../match/leaf-operators.ts";
import { exactInteger, truncatedInteger } from "../../match/numbers.ts";
import {
  Binary,
  BsonType,
  bigIntToLong,
  DateTime,
  Decimal128,
  Double,
  Int32,
  isNumber,
  type NumberValue,
  ObjectId,
  typeNumberOf,
  typeOf,
  type Value,
} from "../../value.ts";
import {
  compileExpression,
  type Expression,
  type ExpressionContext,
  isNullish,
  namedArguments,
  type OperatorCompiler,
  typeNameOf,
  unary,
} from "../expression.ts";
import { instantOf } from "./date-operands.ts";
import { isoString, parseDate } from "./date-parts.ts";

const suffix = "in $convert with no onError value";

function failure(message: string): ServerError {
  return new ServerError("ConversionFailure", message);
}

function unsupported(value: Value, target: string): ServerError {
  return failure(`Unsupported conversion from ${typeNameOf(value)} to ${target} ${suffix}`);
}

function parseFailure(text: string, reason: string): ServerError {
  return failure(`Failed to parse number '${text}' ${suffix}: ${reason}`);
}

/** A number cut off to an integer that must fit. */
function integerFrom(value: NumberValue, fits: (integer: bigint) => boolean): bigint {
  const number = toNumber(value);
  if (Number.isNaN(number)) throw failure(`Attempt to convert NaN value to integer type ${suffix}`);
  if (!Number.isFinite(number)) throw failure(`Attempt to convert infinity value to integer type ${suffix}`);
  const integer = truncatedInteger(value);
  if (integer === undefined || !fits(integer))
    throw failure(`Conversion would overflow target type ${suffix}: ${describeValue(value)}`);
  return integer;
}

function parseInteger(text: string, fits: (integer: bigint) => boolean): bigint {
  if (text === "") throw parseFailure(text, "Empty string");
  if (/^0x/i.test(text)) throw failure(`Illegal hexadecimal input ${suffix}: ${text}`);
  if (!/^[+-]?\d+$/.test(text))
    throw parseFailure(
      text,
      /^[+-]?\d/.test(text) ? "Did not consume whole string." : "Did not consume any digits",
    );
  const integer = BigInt(text.replace(/^\+/, ""));
  if (!fits(integer)) throw parseFailure(text, "Overflow");
  return integer;
}

const toInteger =
  (target: string, fits: (integer: bigint) => boolean, make: (integer: bigint) => Value) =>
  (value: Value): Value => {
    if (isNumber(value)) return make(integerFrom(value, fits));
    if (typeof value === "boolean") return make(value ? 1n : 0n);
    if (typeof value === "string") return make(parseInteger(value, fits));
    if (value instanceof DateTime && target === "long") return make(value.milliseconds);
    throw unsupported(value, target);
  };

function toDouble(value: Value): Value {
  if (isNumber(value)) {
    const number = toNumber(value);
    if (
      value._bsontype === "Decimal128" &&
      !Number.isFinite(number) &&
      Number.isFinite(Number(value.toString().slice(0, 1)))
    ) {
      throw failure(`Conversion would overflow target type ${suffix}: ${describeValue(value)}`);
    }
    return new Double(number);
  }
  if (typeof value === "boolean") return new Double(value ? 1 : 0);
  if (value instanceof DateTime) return new Double(Number(value.milliseconds));
  if (typeof value !== "string") throw unsupported(value, "double");
  return new Double(parseDouble(value));
}

function parseDouble(text: string): number {
  if (text === "") throw parseFailure(text, "Empty string");
  if (/^[+-]?0x/i.test(text)) throw failure(`Illegal hexadecimal input ${suffix}: ${text}`);
  if (/^\s/.test(text)) throw parseFailure(text, "Leading whitespace");
  const named = /^([+-]?)(inf|infinity|nan)$/i.exec(text);
  if (named !== null)
    return named[2]!.toLowerCase() === "nan" ? Number.NaN : named[1] === "-" ? -Infinity : Infinity;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
    throw parseFailure(
      text,
      /^[+-]?\.?\d/.test(text) ? "Did not consume whole string." : "Did not consume any digits",
    );
  }
  const number = Number(text);
  if (!Number.isFinite(number)) throw parseFailure(text, "Out of range");
  return number;
}

function toDecimal(value: Value): Value {
  if (isNumber(value)) return value._bsontype === "Decimal128" ? value : toDecimal128(decimalOf(value));
  if (typeof value === "boolean") return Decimal128.fromString(value ? "1" : "0");
  if (value instanceof DateTime) return toDecimal128({ coefficient: value.milliseconds, exponent: 0 });
  if (typeof value !== "string") throw unsupported(value, "decimal");
  try {
    return Decimal128.fromString(value);
  } catch {
    throw parseFailure(value, value === "" ? "Empty string" : "Failed to parse string to decimal");
  }
}

function toDate(value: Value): Value {
  if (value instanceof DateTime) return value;
  if (isNumber(value) && value._bsontype !== "Int32") return new DateTime(integerFrom(value, fitsInt64));
  if (value instanceof ObjectId || typeOf(value) === BsonType.Timestamp)
    return new DateTime(instantOf(value));
  if (typeof value !== "string") throw unsupported(value, "date");
  const instant = parseDate(value, undefined);
  if (instant === undefined || Number.isNaN(instant))
    throw failure(
      `Error parsing date string '${value}'; 0: passing a time zone identifier as part of the string is not allowed '${value[0] ?? ""}'`,
    );
  return new DateTime(instant);
}

function toObjectId(value: Value): Value {
  if (value instanceof ObjectId) return value;
  if (typeof value !== "string") throw unsupported(value, "objectId");
  if (!/^[0-9a-f]{24}$/i.test(value)) {
    const reason =
      value.length === 24
        ? `Invalid character found in hex string: ${value}`
        : `Invalid string length for parsing to OID, expected 24 but found ${value.length}`;
    throw failure(`Failed to parse objectId '${value}' ${suffix}: ${reason}.`);
  }
  return new ObjectId(value.toLowerCase());
}

function toText(value: Value): Value {
  switch (typeOf(value)) {
    case BsonType.String:
      return value;
    case BsonType.Boolean:
      return String(value);
    case BsonType.Int32:
    case BsonType.Long:
    case BsonType.Decimal128:
      return String(value);
    case BsonType.Double: {
      const number = (value as Double).value;
      return Number.isNaN(number)
        ? "NaN"
        : Number.isFinite(number)
          ? String(number)
              .replace(/e\+?(-?)(\d)$/, "e$10$2")
              .replace(/e(\d)/, "e+$1")
          : number > 0
            ? "Infinity"
            : "-Infinity";
    }
    case BsonType.ObjectId:
      return (value as ObjectId).toHexString();
    case BsonType.Date:
      return isoString(value as DateTime);
    case BsonType.Binary: {
      const binary = value as Binary;
      if (binary.sub_type === 4)
        return binary.toString("hex").replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
      throw unsupported(value, "string");
    }
    default:
      throw unsupported(value, "string");
  }
}

const converters: Record<string, (value: Value) => Value> = {
  double: toDouble,
  string: toText,
  objectId: toObjectId,
  bool: (value) =>
    value instanceof Binary || value instanceof Map || Array.isArray(value) || typeof value === "string"
      ? true
      : isTruthy(value),
  date: toDate,
  int: toInteger("int", fitsInt32, (integer) => new Int32(Number(integer))),
  long: toInteger("long", fitsInt64, bigIntToLong),
  decimal: toDecimal,
};

function targetName(value: Value): string {
  if (typeof value === "string") {
    if (typeNumberOf(value) === undefined) throw new ServerError("BadValue", `Unknown type name: ${value}`);
    return value;
  }
  if (!isNumber(value))
    throw new ServerError(
      "FailedToParse",
      `$convert's 'to' argument must be a string or number, but is ${typeNameOf(value)}`,
    );
  const number = exactInteger(value);
  if (number === undefined)
    throw new ServerError("FailedToParse", "In $convert, numeric 'to' argument is not an integer");
  const name = [
    "",
    "double",
    "string",
    "object",
    "array",
    "binData",
    "undefined",
    "objectId",
    "bool",
    "date",
    "null",
    "regex",
    "dbPointer",
    "javascript",
    "symbol",
    "javascriptWithScope",
    "int",
    "timestamp",
    "long",
    "decimal",
  ][Number(number)];
  if (!name)
    throw new ServerError(
      "FailedToParse",
      `In $convert, numeric value for 'to' does not correspond to a BSON type: ${number}`,
    );
  return name;
}

/** Converts a value that isn't null. */
function convert(value: Value, target: string): Value {
  const converter = converters[target];
  if (converter === undefined) throw unsupported(value, target);
  return converter(value);
}

function compileConvert(operand: Value, context: ExpressionContext): Expression {
  const specification = namedArguments("$convert", operand, ["input", "to", "onError", "onNull"], {
    type: 9,
    unknown: 9,
  });
  const [inputValue, toValue] = [specification.get("input"), specification.get("to")];
  if (inputValue === undefined)
    throw new ServerError("FailedToParse", "Missing 'input' parameter to $convert");
  if (toValue === undefined) throw new ServerError("FailedToParse", "Missing 'to' parameter to $convert");
  const input = compileExpression(inputValue, context);
  const to = compileExpression(toValue, context);
  const onNull = compileExpression(specification.get("onNull") ?? null, context);
  const onErrorValue = specification.get("onError");
  const onError = onErrorValue === undefined ? undefined : compileExpression(onErrorValue, context);
  return (root) => {
    const value = input(root);
    const target = to(root);
    if (isNullish(value)) return onNull(root);
    if (isNullish(target)) return null;
    const name = targetName(target);
    try {
      return convert(value, name);
    } catch (error) {
      if (onError !== undefined && error instanceof ServerError && error.codeName === "ConversionFailure")
        return onError(root);
      throw error;
    }
  };
}

const shorthand = (target: string): OperatorCompiler =>
  unary((value) => (isNullish(value) ? null : convert(value, target)));

export const convertOperators: Record<string, OperatorCompiler> = {
  $convert: compileConvert,
  $toBool: shorthand("bool"),
  $toInt: shorthand("int"),
  $toLong: shorthand("long"),
  $toDouble: shorthand("double"),
  $toDecimal: shorthand("decimal"),
  $toString: shorthand("string"),
  $toObjectId: shorthand("objectId"),
  $toDate: shorthand("date"),
  $type: unary((value) => typeNameOf(value)),
};
