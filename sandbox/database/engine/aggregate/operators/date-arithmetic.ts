/** `$dateAdd`, `$dateSubtract`, `$dateDiff`, `$dateTrunc`. */
import { toNumber } from "../../arithmetic.ts";
import { describeValue } from "../../describe.ts";
import { ServerError } from "../../errors.ts";
import { exactInteger } from "../../match/numbers.ts";
import { DateTime, type Document, Int32, isNumber, Long, type Value } from "../../value.ts";
import {
  compileExpression,
  type Expression,
  type ExpressionContext,
  isNullish,
  namedArguments,
  type OperatorCompiler,
  typeNameOf,
} from "../expression.ts";
import { instantOf, zoneExpression } from "./date-operands.ts";
import { fromLocal, localDate, utc, utcOf, type Zone } from "./date-parts.ts";

const fixedUnits: Record<string, number> = {
  millisecond: 1,
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
};

const monthUnits: Record<string, number> = { month: 1, quarter: 3, year: 12 };

function checkUnit(unit: Value | undefined, name: string): string {
  if (typeof unit !== "string")
    throw new ServerError(5439013, `${name} requires 'unit' to be a string, but got ${typeNameOf(unit)}`);
  if (fixedUnits[unit] === undefined && monthUnits[unit] === undefined)
    throw new ServerError("FailedToParse", `unknown time unit value: ${unit}`);
  return unit;
}

/** Compiles the named arguments of the date arithmetic operators. */
function compileDateArguments(
  name: string,
  operand: Value,
  context: ExpressionContext,
  required: string[],
  optional: string[],
) {
  const specification = namedArguments(name, operand, [...required, ...optional], {
    type: 5166400,
    unknown: 5166401,
  });
  for (const field of required) {
    if (!specification.has(field))
      throw new ServerError(
        5166402,
        `${name} requires ${required.map((wanted) => `'${wanted}'`).join(", ")} to be present`,
      );
  }
  const expressions = new Map(
    [...specification].map(([field, value]) => [field, compileExpression(value, context)]),
  );
  const zone = zoneExpression(specification.get("timezone"), context);
  return {
    zone,
    get: (field: string, root: Document) => expressions.get(field)?.(root),
    has: (field: string) => expressions.has(field),
  };
}

const addDate =
  (sign: 1 | -1): OperatorCompiler =>
  (operand, context, name) => {
    const args = compileDateArguments(name, operand, context, ["startDate", "unit", "amount"], ["timezone"]);
    return (root) => {
      const [start, unit, amount] = ["startDate", "unit", "amount"].map((field) => args.get(field, root));
      const zone = args.zone(root);
      if (isNullish(start) || isNullish(unit) || isNullish(amount) || zone === null) return null;
      const by = isNumber(amount) ? exactInteger(amount) : undefined;
      if (by === undefined) throw new ServerError(5166405, `${name} expects integer amount of time units`);
      return new DateTime(shift(instantOf(start), checkUnit(unit, name), Number(by) * sign, zone));
    };
  };

/** A date some units later, in UTC. */
export function shiftDate(date: DateTime, unit: string, amount: number): DateTime {
  return new DateTime(shift(date.valueOf(), checkUnit(unit, "$densify"), amount, utc));
}

function shift(instant: number, unit: string, amount: number, zone: Zone): number {
  const fixed = fixedUnits[unit];
  if (fixed !== undefined && fixed < 86_400_000) return instant + amount * fixed;
  const local = localDate(instant, zone);
  if (fixed !== undefined) return fromLocal(local.getTime() + amount * fixed, zone);
  const months = local.getUTCFullYear() * 12 + local.getUTCMonth() + amount * monthUnits[unit]!;
  const year = Math.floor(months / 12);
  const month = months - year * 12;
  const lastDay = new Date(utcOf(year, month + 1, 0)).getUTCDate();
  const time = local.getTime() - utcOf(local.getUTCFullYear(), local.getUTCMonth(), local.getUTCDate());
  return fromLocal(utcOf(year, month, Math.min(local.getUTCDate(), lastDay)) + time, zone);
}

const weekDays = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

function startOfWeek(value: Value | null | undefined, name: string): number {
  if (value === undefined) return 0;
  const text = typeof value === "string" ? value.toLowerCase() : "";
  const day = weekDays.findIndex((known) => text !== "" && (known === text || known.slice(0, 3) === text));
  if (day < 0)
    throw new ServerError(
      5439015,
      `${name} parameter 'startOfWeek' value cannot be recognized as a day of a week: ${typeof value === "string" ? value : typeNameOf(value ?? undefined)}`,
    );
  return day;
}

/** Number of the unit's period that a local date lies in. */
function periodOf(local: Date, unit: string, firstDay: number): number {
  const months = monthUnits[unit];
  if (months !== undefined) return Math.floor((local.getUTCFullYear() * 12 + local.getUTCMonth()) / months);
  const days = Math.floor(local.getTime() / 86_400_000);
  if (unit === "day") return days;
  // 1970-01-01 was a Thursday.
  if (unit === "week") return Math.floor((days + 4 - firstDay) / 7);
  return Math.floor(local.getTime() / fixedUnits[unit]!);
}

function compileDiff(operand: Value, context: ExpressionContext, name: string): Expression {
  const args = compileDateArguments(
    name,
    operand,
    context,
    ["startDate", "endDate", "unit"],
    ["timezone", "startOfWeek"],
  );
  return (root) => {
    const [start, end, unit] = ["startDate", "endDate", "unit"].map((field) => args.get(field, root));
    const zone = args.zone(root);
    if (isNullish(start) || isNullish(end) || isNullish(unit) || zone === null) return null;
    const wanted = checkUnit(unit, name);
    const firstDay = wanted === "week" ? startOfWeek(args.get("startOfWeek", root), name) : 0;
    const usesCalendar = monthUnits[wanted] !== undefined || wanted === "day" || wanted === "week";
    const localOf = (value: Value) => localDate(instantOf(value), usesCalendar ? zone : utc);
    return Long.fromNumber(
      periodOf(localOf(end), wanted, firstDay) - periodOf(localOf(start), wanted, firstDay),
    );
  };
}

function compileTruncate(operand: Value, context: ExpressionContext, name: string): Expression {
  const args = compileDateArguments(
    name,
    operand,
    context,
    ["date", "unit"],
    ["binSize", "timezone", "startOfWeek"],
  );
  return (root) => {
    const [date, unit] = [args.get("date", root), args.get("unit", root)];
    const zone = args.zone(root);
    if (isNullish(date) || isNullish(unit) || zone === null) return null;
    const wanted = checkUnit(unit, name);
    const size = args.has("binSize") ? args.get("binSize", root) : new Int32(1);
    if (isNullish(size)) return null;
    const bin = isNumber(size) ? toNumber(size) : Number.NaN;
    if (!Number.isInteger(bin))
      throw new ServerError(
        5439017,
        `${name} requires 'binSize' to be a 64-bit integer, but got value '${describeValue(size)}' of type ${typeNameOf(size)}`,
      );
    if (bin <= 0)
      throw new ServerError(5439018, `${name} requires 'binSize' to be greater than 0, but got value ${bin}`);
    return new DateTime(
      truncate(instantOf(date), wanted, bin, zone, startOfWeek(args.get("startOfWeek", root), name)),
    );
  };
}

/** Bins are counted from 2000-01-01 (weeks from the first one that begins then or before). */
function truncate(instant: number, unit: string, bin: number, zone: Zone, firstDay: number): number {
  const local = localDate(instant, zone);
  const months = monthUnits[unit];
  if (months !== undefined) {
    const size = months * bin;
    const since = (local.getUTCFullYear() - 2000) * 12 + local.getUTCMonth();
    return fromLocal(utcOf(2000, Math.floor(since / size) * size, 1), zone);
  }
  const reference = utcOf(2000, 0, 1);
  // 2000-01-01 was a Saturday.
  const start = unit === "week" ? reference + (((firstDay - 6 + 7) % 7) as number) * 86_400_000 : reference;
  const size = fixedUnits[unit]! * bin;
  return fromLocal(start + Math.floor((local.getTime() - start) / size) * size, zone);
}

export const dateArithmeticOperators: Record<string, OperatorCompiler> = {
  $dateAdd: addDate(1),
  $dateSubtract: addDate(-1),
  $dateDiff: compileDiff,
  $dateTrunc: compileTruncate,
};
