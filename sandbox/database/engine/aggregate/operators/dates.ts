import { describeValue } from "../../describe.ts";
import { ServerError } from "../../errors.ts";
import { exactInteger } from "../../match/numbers.ts";
import {
  BsonType,
  bigIntToLong,
  DateTime,
  Int32,
  isNumber,
  Long,
  type Timestamp,
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
import { instantOf, zoneExpression } from "./date-operands.ts";
import {
  dayOfYear,
  formatDate,
  fromLocal,
  isoDayOfWeek,
  isoLocal,
  isoWeek,
  localDate,
  parseDate,
  parseWithFormat,
  utcOf,
  weekOfYear,
  type Zone,
} from "./date-parts.ts";

/** An operator on one part of a date: `{$year: date}` or `{$year: {date, timezone}}`. */
const part =
  (read: (date: Date) => number, wide = false): OperatorCompiler =>
  (operand, context, name) => {
    let dateValue: Value | undefined;
    let zoneValue: Value | undefined;
    if (operand instanceof Map && ![...operand.keys()][0]?.startsWith("$")) {
      for (const field of operand.keys()) {
        if (field !== "date" && field !== "timezone")
          throw new ServerError(40535, `unrecognized option to ${name}: "${field}"`);
      }
      dateValue = operand.get("date");
      zoneValue = operand.get("timezone");
      if (dateValue === undefined)
        throw new ServerError(
          40539,
          `missing 'date' argument to ${name}, provided: ${name}: ${describeValue(operand)}`,
        );
    } else if (Array.isArray(operand)) {
      if (operand.length !== 1)
        throw new ServerError(
          40536,
          `${name} accepts exactly one argument if given an array, but was given ${operand.length}`,
        );
      dateValue = operand[0];
    } else dateValue = operand;
    const date = compileExpression(dateValue!, context);
    const zone = zoneExpression(zoneValue, context);
    return (root) => {
      const value = date(root);
      if (isNullish(value)) return null;
      const offset = zone(root);
      if (offset === null) return null;
      const result = read(localDate(instantOf(value), offset));
      return wide ? Long.fromNumber(result) : new Int32(result);
    };
  };

function compileToString(operand: Value, context: ExpressionContext, name: string): Expression {
  if (!(operand instanceof Map))
    throw new ServerError(18629, "$dateToString only supports an object as its argument");
  for (const field of operand.keys()) {
    if (!["format", "date", "timezone", "onNull"].includes(field))
      throw new ServerError(18534, `Unrecognized parameter to ${name}: ${field}`);
  }
  const dateValue = operand.get("date");
  if (dateValue === undefined) throw new ServerError(18628, "Missing 'date' parameter to $dateToString");
  const date = compileExpression(dateValue, context);
  const zone = zoneExpression(operand.get("timezone"), context);
  const formatValue = operand.get("format");
  const format = formatValue === undefined ? undefined : compileExpression(formatValue, context);
  const onNull = compileExpression(operand.get("onNull") ?? null, context);
  const defaultFormat = operand.has("timezone") ? "%Y-%m-%dT%H:%M:%S.%L" : "%Y-%m-%dT%H:%M:%S.%LZ";
  return (root) => {
    const value = date(root);
    const wanted = format === undefined ? defaultFormat : format(root);
    if (isNullish(wanted)) return null;
    if (typeof wanted !== "string")
      throw new ServerError(
        18533,
        `$dateToString requires that 'format' be a string, found: ${typeNameOf(wanted)} with value ${describeValue(wanted)}`,
      );
    if (isNullish(value)) return onNull(root);
    const offset = zone(root);
    if (offset === null) return null;
    return formatDate(instantOf(value), wanted, offset);
  };
}

function compileFromString(operand: Value, context: ExpressionContext, name: string): Expression {
  const specification = namedArguments(
    name,
    operand,
    ["dateString", "format", "timezone", "onNull", "onError"],
    { type: 40540, unknown: 40541 },
  );
  const textValue = specification.get("dateString");
  if (textValue === undefined)
    throw new ServerError(40542, "Missing 'dateString' parameter to $dateFromString");
  const text = compileExpression(textValue, context);
  const formatValue = specification.get("format");
  const format = formatValue === undefined ? undefined : compileExpression(formatValue, context);
  const zone = zoneExpression(specification.get("timezone"), context);
  const onNull = compileExpression(specification.get("onNull") ?? null, context);
  const onErrorValue = specification.get("onError");
  const onError = onErrorValue === undefined ? undefined : compileExpression(onErrorValue, context);
  return (root) => {
    const value = text(root);
    const wanted = format?.(root);
    const offset = specification.has("timezone") ? zone(root) : undefined;
    if (isNullish(value)) return onNull(root);
    if (offset === null || (format !== undefined && isNullish(wanted))) return null;
    try {
      return new DateTime(parseText(value, wanted, offset));
    } catch (error) {
      if (error instanceof ServerError && error.codeName === "ConversionFailure" && onError !== undefined)
        return onError(root);
      throw error;
    }
  };
}

function parseText(value: Value, format: Value | null | undefined, zone: Zone | undefined): number {
  if (typeof value !== "string") {
    throw new ServerError(
      "ConversionFailure",
      `$dateFromString requires that 'dateString' be a string, found: ${typeNameOf(value)} with value ${describeValue(value)}`,
    );
  }
  if (format !== undefined && typeof format !== "string") {
    throw new ServerError(
      40684,
      `$dateFromString requires that 'format' be a string, found: ${typeNameOf(format ?? undefined)}`,
    );
  }
  const parsed = format === undefined ? parseDate(value, zone) : parseWithFormat(value, format, zone);
  if (parsed !== undefined && !Number.isNaN(parsed)) return parsed;
  throw new ServerError(
    "ConversionFailure",
    `Error parsing date string '${value}'; 0: passing a time zone identifier as part of the string is not allowed '${value[0] ?? ""}'`,
  );
}

const calendarFields = ["year", "month", "day", "hour", "minute", "second", "millisecond"];

const isoFields = ["isoWeekYear", "isoWeek", "isoDayOfWeek", "hour", "minute", "second", "millisecond"];

function compileFromParts(operand: Value, context: ExpressionContext): Expression {
  const known = [...new Set([...calendarFields, ...isoFields, "timezone"])];
  const specification = namedArguments("$dateFromParts", operand, known, { type: 40519, unknown: 40518 });
  const iso = specification.has("isoWeekYear");
  if (!iso && !specification.has("year"))
    throw new ServerError(40516, "$dateFromParts requires either 'year' or 'isoWeekYear' to be present");
  if (iso && ["year", "month", "day"].some((field) => specification.has(field)))
    throw new ServerError(40489, "$dateFromParts does not allow mixing natural dates with ISO dates");
  if (!iso && ["isoWeek", "isoDayOfWeek"].some((field) => specification.has(field)))
    throw new ServerError(40525, "$dateFromParts does not allow mixing natural dates with ISO dates");
  const fields = (iso ? isoFields : calendarFields).map((field, index) => ({
    field,
    otherwise: index < 3 ? 1 : 0,
    expression: specification.has(field) ? compileExpression(specification.get(field)!, context) : undefined,
  }));
  const zone = zoneExpression(specification.get("timezone"), context);
  return (root) => {
    const numbers: number[] = [];
    for (const { field, otherwise, expression } of fields) {
      const value = expression === undefined ? new Int32(otherwise) : expression(root);
      if (isNullish(value)) return null;
      const integer = isNumber(value) ? exactInteger(value) : undefined;
      if (integer === undefined)
        throw new ServerError(
          40515,
          `'${field}' must evaluate to an integer, found ${typeNameOf(value)} with value ${describeValue(value)}`,
        );
      numbers.push(Number(integer));
    }
    const [year, second, third, ...time] = numbers as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    if (year < 1 || year > 9999)
      throw new ServerError(
        40523,
        `'${fields[0]!.field}' must evaluate to an integer in the range 1 to 9999, found ${year}`,
      );
    const offset = zone(root);
    if (offset === null) return null;
    const clock = time as unknown as [number, number, number, number];
    return new DateTime(
      fromLocal(
        iso ? isoLocal(year, second, third, ...clock) : utcOf(year, second - 1, third, ...clock),
        offset,
      ),
    );
  };
}

function compileToParts(operand: Value, context: ExpressionContext): Expression {
  const specification = namedArguments("$dateToParts", operand, ["date", "timezone", "iso8601"], {
    type: 40524,
    unknown: 40520,
  });
  const dateValue = specification.get("date");
  if (dateValue === undefined) throw new ServerError(40522, "Missing 'date' parameter to $dateToParts");
  const date = compileExpression(dateValue, context);
  const zone = zoneExpression(specification.get("timezone"), context);
  const iso = compileExpression(specification.get("iso8601") ?? false, context);
  return (root) => {
    const value = date(root);
    const offset = zone(root);
    const isIso = iso(root);
    if (isNullish(value) || offset === null || isNullish(isIso)) return null;
    if (typeof isIso !== "boolean")
      throw new ServerError(40521, `iso8601 must evaluate to a bool, found ${typeNameOf(isIso)}`);
    const local = localDate(instantOf(value), offset);
    const week = isoWeek(local);
    const day = isIso
      ? { isoWeekYear: week.year, isoWeek: week.week, isoDayOfWeek: isoDayOfWeek(local) }
      : { year: local.getUTCFullYear(), month: local.getUTCMonth() + 1, day: local.getUTCDate() };
    const clock = {
      hour: local.getUTCHours(),
      minute: local.getUTCMinutes(),
      second: local.getUTCSeconds(),
      millisecond: local.getUTCMilliseconds(),
    };
    return new Map(Object.entries({ ...day, ...clock }).map(([name, number]) => [name, new Int32(number)]));
  };
}

const timestampPart = (read: (timestamp: Timestamp) => number): OperatorCompiler =>
  unary((value, name) => {
    if (isNullish(value)) return null;
    if (typeOf(value) !== BsonType.Timestamp)
      throw new ServerError(5687301, ` Argument to ${name} must be a timestamp, but is ${typeNameOf(value)}`);
    return bigIntToLong(BigInt(read(value as Timestamp)));
  });

export const dateOperators: Record<string, OperatorCompiler> = {
  $year: part((date) => date.getUTCFullYear()),
  $month: part((date) => date.getUTCMonth() + 1),
  $dayOfMonth: part((date) => date.getUTCDate()),
  $dayOfWeek: part((date) => date.getUTCDay() + 1),
  $dayOfYear: part(dayOfYear),
  $hour: part((date) => date.getUTCHours()),
  $minute: part((date) => date.getUTCMinutes()),
  $second: part((date) => date.getUTCSeconds()),
  $millisecond: part((date) => date.getUTCMilliseconds()),
  $week: part(weekOfYear),
  $isoWeek: part((date) => isoWeek(date).week),
  $isoWeekYear: part((date) => isoWeek(date).year, true),
  $isoDayOfWeek: part(isoDayOfWeek),
  $dateToString: compileToString,
  $dateFromString: compileFromString,
  $dateFromParts: compileFromParts,
  $dateToParts: compileToParts,
  $tsSecond: timestampPart((timestamp) => timestamp.high >>> 0),
  $tsIncrement: timestampPart((timestamp) => timestamp.low >>> 0),
};
