/** Calendar arithmetic in time zones. */
import { ServerError } from "../../errors.ts";
import type { DateTime } from "../../value.ts";

/** Offset of a zone from UTC in milliseconds at an instant. */
export type Zone = (milliseconds: number) => number;

export const utc: Zone = () => 0;

const zones = new Map<string, Zone>();

function fixedOffset(text: string): Zone | undefined {
  const parts = /^([+-])(\d{2}):?(\d{2})?$/.exec(text);
  if (parts === null) return undefined;
  const offset = (Number(parts[2]) * 60 + Number(parts[3] ?? 0)) * 60_000 * (parts[1] === "-" ? -1 : 1);
  return () => offset;
}

function namedZone(name: string): Zone {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
      era: "short",
    });
  } catch (error) {
    throw new ServerError(40485, `unrecognized time zone identifier: "${name}"`, { cause: error });
  }
  return (milliseconds) => {
    const found: Record<string, string> = {};
    for (const { type, value } of format.formatToParts(milliseconds)) found[type] = value;
    const year = found.era === "BC" ? 1 - Number(found.year) : Number(found.year);
    const local = utcOf(
      year,
      Number(found.month) - 1,
      Number(found.day),
      Number(found.hour),
      Number(found.minute),
      Number(found.second),
      0,
    );
    return local - Math.floor(milliseconds / 1000) * 1000;
  };
}

/** @throws ServerError 40485 for a zone that isn't known */
export function zoneOf(name: string): Zone {
  if (name === "UTC" || name === "GMT" || name === "Z" || name === "Etc/UTC") return utc;
  let zone = zones.get(name);
  if (zone === undefined) {
    zone = fixedOffset(name) ?? namedZone(name);
    zones.set(name, zone);
  }
  return zone;
}

/** `Date.UTC` that takes years below 100 as they are and lets every part overflow into the next. */
export function utcOf(
  year: number,
  month: number,
  day: number,
  hour = 0,
  minute = 0,
  second = 0,
  millisecond = 0,
): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month, day);
  date.setUTCHours(0, 0, 0, 0);
  return date.getTime() + hour * 3_600_000 + minute * 60_000 + second * 1000 + millisecond;
}

/** The date whose UTC parts are the local parts of an instant. */
export function localDate(milliseconds: number, zone: Zone): Date {
  return new Date(milliseconds + zone(milliseconds));
}

/** The instant of a local time. */
export function fromLocal(local: number, zone: Zone): number {
  const first = local - zone(local);
  const second = local - zone(first);
  return zone(second) === local - second ? second : first;
}

export function dayOfYear(date: Date): number {
  return Math.floor((date.getTime() - utcOf(date.getUTCFullYear(), 0, 1)) / 86_400_000) + 1;
}

/** Weeks that begin on Sunday; days before the first Sunday are in week 0. */
export function weekOfYear(date: Date): number {
  return Math.floor((dayOfYear(date) + 6 - date.getUTCDay()) / 7);
}

export function isoDayOfWeek(date: Date): number {
  return date.getUTCDay() || 7;
}

/** ISO 8601 week and the year it belongs to. */
export function isoWeek(date: Date): { year: number; week: number } {
  const thursday = new Date(
    utcOf(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() + 4 - isoDayOfWeek(date)),
  );
  const year = thursday.getUTCFullYear();
  return { year, week: Math.floor((thursday.getTime() - utcOf(year, 0, 1)) / 604_800_000) + 1 };
}

const pad = (value: number, length = 2): string => String(value).padStart(length, "0");
const monthNames = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

function offsetText(offset: number, separator: string): string {
  const minutes = Math.abs(Math.round(offset / 60_000));
  return `${offset < 0 ? "-" : "+"}${pad(Math.floor(minutes / 60))}${separator}${pad(minutes % 60)}`;
}

const specifiers: Record<string, (date: Date, offset: number) => string> = {
  d: (date) => pad(date.getUTCDate()),
  b: (date) => monthNames[date.getUTCMonth()]!.slice(0, 3),
  B: (date) => monthNames[date.getUTCMonth()]!,
  G: (date) => pad(isoWeek(date).year, 4),
  H: (date) => pad(date.getUTCHours()),
  j: (date) => pad(dayOfYear(date), 3),
  L: (date) => pad(date.getUTCMilliseconds(), 3),
  m: (date) => pad(date.getUTCMonth() + 1),
  M: (date) => pad(date.getUTCMinutes()),
  S: (date) => pad(date.getUTCSeconds()),
  u: (date) => String(isoDayOfWeek(date)),
  U: (date) => pad(weekOfYear(date)),
  V: (date) => pad(isoWeek(date).week),
  w: (date) => String(date.getUTCDay() + 1),
  Y: (date) => pad(date.getUTCFullYear(), 4),
  z: (_, offset) => offsetText(offset, ""),
  Z: (_, offset) => String(Math.round(offset / 60_000)),
  "%": () => "%",
};

/** @throws ServerError 18535, 18536 for a format that isn't one */
function checkFormat(format: string): void {
  for (let i = format.indexOf("%"); i >= 0; i = format.indexOf("%", i + 2)) {
    const specifier = format[i + 1];
    if (specifier === undefined) throw new ServerError(18535, "Unmatched '%' at end of format string");
    if (specifiers[specifier] === undefined)
      throw new ServerError(18536, `Invalid format character '%${specifier}' in format string`);
  }
}

export function formatDate(milliseconds: number, format: string, zone: Zone): string {
  checkFormat(format);
  const offset = zone(milliseconds);
  const date = new Date(milliseconds + offset);
  if (/%[YG]/.test(format) && (date.getUTCFullYear() < 0 || date.getUTCFullYear() > 9999)) {
    throw new ServerError(
      18537,
      `Could not convert date to string: date component was outside the supported range of 0-9999: ${date.getUTCFullYear()}`,
    );
  }
  return format.replace(/%(.)/g, (_, specifier: string) => specifiers[specifier]!(date, offset));
}

/** `2020-01-02T03:04:05.006Z` */
export function isoString(date: DateTime): string {
  return formatDate(Number(date.milliseconds), "%Y-%m-%dT%H:%M:%S.%LZ", utc);
}

const readers: Record<string, string> = {
  d: "(?<day>\\d{1,2})",
  b: "(?<monthName>[A-Za-z]{3})",
  B: "(?<monthName>[A-Za-z]+)",
  G: "(?<isoYear>\\d{4})",
  H: "(?<hour>\\d{1,2})",
  j: "(?<dayOfYear>\\d{1,3})",
  L: "(?<millisecond>\\d{1,3})",
  m: "(?<month>\\d{1,2})",
  M: "(?<minute>\\d{1,2})",
  S: "(?<second>\\d{1,2})",
  u: "(?<isoDay>[1-7])",
  V: "(?<isoWeek>\\d{1,2})",
  Y: "(?<year>\\d{4})",
  z: "(?<zone>Z|[+-]\\d{2}:?\\d{2}|[+-]\\d{2})",
  Z: "(?<minutes>[+-]?\\d+)",
  "%": "%",
};

/** Instant of a text in a format; undefined when it doesn't fit. */
export function parseWithFormat(text: string, format: string, zone: Zone | undefined): number | undefined {
  checkFormat(format);
  const pattern = format.replace(
    /%(.)|([\s\S])/g,
    (_, specifier: string | undefined, other: string | undefined) =>
      specifier !== undefined ? (readers[specifier] ?? "") : other!.replace(/[\\^$.*+?()[\]{}|]/, "\\$&"),
  );
  const parts = new RegExp(`^${pattern}$`).exec(text)?.groups;
  if (parts === undefined) return undefined;
  const number = (name: string, otherwise: number): number =>
    parts[name] === undefined ? otherwise : Number(parts[name]);
  const local = localOf(parts, number);
  if (local === undefined) return undefined;
  if (parts.zone !== undefined) return local - zoneOf(parts.zone)(local);
  if (parts.minutes !== undefined) return local - Number(parts.minutes) * 60_000;
  return fromLocal(local, zone ?? utc);
}

function localOf(
  parts: Record<string, string | undefined>,
  number: (name: string, otherwise: number) => number,
): number | undefined {
  const time = [
    number("hour", 0),
    number("minute", 0),
    number("second", 0),
    number("millisecond", 0),
  ] as const;
  if (time[0] > 23 || time[1] > 59 || time[2] > 59) return undefined;
  if (parts.isoYear !== undefined)
    return isoLocal(number("isoYear", 1970), number("isoWeek", 1), number("isoDay", 1), ...time);
  if (parts.dayOfYear !== undefined) return utcOf(number("year", 1970), 0, number("dayOfYear", 1), ...time);
  const named =
    parts.monthName === undefined
      ? -1
      : monthNames.findIndex((name) => name.toLowerCase().startsWith(parts.monthName!.toLowerCase()));
  const month = named >= 0 ? named : number("month", 1) - 1;
  const day = number("day", 1);
  const local = utcOf(number("year", 1970), month, day, ...time);
  const check = new Date(local);
  return check.getUTCMonth() === month && check.getUTCDate() === day ? local : undefined;
}

/** Local time of an ISO week date; parts may overflow. */
export function isoLocal(
  year: number,
  week: number,
  day: number,
  ...time: readonly [number, number, number, number]
): number {
  const january4 = new Date(utcOf(year, 0, 4));
  return utcOf(year, 0, 4 - isoDayOfWeek(january4) + 1 + (week - 1) * 7 + (day - 1), ...time);
}

/** Instant of a text in the usual notations; undefined when it is none. */
export function parseDate(text: string, zone: Zone | undefined): number | undefined {
  const parts =
    /^(\d{4})-(\d{1,2})(?:-(\d{1,2}))?(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2}|[A-Za-z]+\/[A-Za-z_/]+)?$/.exec(
      text,
    );
  if (parts === null) return parseLoosely(text, zone);
  const [, year, month, day = "1", hour = "0", minute = "0", second = "0", fraction = "0", zoneName] = parts;
  if (
    Number(month) < 1 ||
    Number(month) > 12 ||
    Number(day) < 1 ||
    Number(day) > 31 ||
    Number(hour) > 24 ||
    Number(minute) > 59
  )
    return undefined;
  const local = utcOf(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
    Math.floor(Number(`0.${fraction}`) * 1000 + 1e-9),
  );
  if (new Date(utcOf(Number(year), Number(month) - 1, Number(day))).getUTCMonth() !== Number(month) - 1)
    return undefined;
  if (zoneName !== undefined && zone !== undefined)
    throw new ServerError(
      "ConversionFailure",
      `you cannot pass in a date/time string with time zone information ('${zoneName}') together with a timezone argument`,
    );
  return fromLocal(local, zoneName === undefined ? (zone ?? utc) : zoneOf(zoneName));
}

function parseLoosely(text: string, zone: Zone | undefined): number | undefined {
  if (!/\d{4}/.test(text) || !/[A-Za-z]{3}|\//.test(text)) return undefined;
  const time = Date.parse(`${text} UTC`);
  const own = Number.isNaN(time) ? Date.parse(text) : undefined;
  if (own !== undefined) return Number.isNaN(own) ? undefined : own;
  return fromLocal(time, zone ?? utc);
}
