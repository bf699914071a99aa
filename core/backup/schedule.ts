/**
 * When backups run: five fields of cron as people write them, kept in the bucket or the environment, translated to
 * systemd's calendar on the host. Times are UTC.
 */
import { RoundtripError } from "../errors.ts";

/** The numbers each field admits, in order. Weekdays: 0 is Sunday. */
export interface Schedule {
  readonly text: string;
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly days: readonly number[];
  readonly months: readonly number[];
  readonly weekdays: readonly number[];
}

interface Field {
  readonly name: Exclude<keyof Schedule, "text">;
  readonly low: number;
  readonly high: number;
  readonly words?: readonly string[];
}

const weekdayWords = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const monthWords = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const fields: readonly Field[] = [
  { name: "minutes", low: 0, high: 59 },
  { name: "hours", low: 0, high: 23 },
  { name: "days", low: 1, high: 31 },
  { name: "months", low: 1, high: 12, words: ["", ...monthWords] },
  { name: "weekdays", low: 0, high: 7, words: weekdayWords },
];
const daysOfMonth = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Reads a cron expression: `*`, numbers, ranges, lists, steps behind `*` or a range, and names of months and weekdays
 * (crontab(5)). Fails `usage` naming the field; also for a date that never comes, and where two programs would read it
 * differently.
 */
export function parseSchedule(text: string): Schedule {
  const words = text.trim().split(/\s+/);
  const fail = (expected: string, got: string) => {
    throw refusal(text, expected, got);
  };
  if (words.length !== fields.length) fail("five fields: minute hour day month weekday", `${words.length}`);
  const read = fields.map((field, at) => numbersOf(field, words[at]!, fail));
  const [minutes, hours, days, months, weekdays] = read as [number[], number[], number[], number[], number[]];
  const [day, weekday] = [words[2]!, words[4]!];
  const isStepped = (word: string) => word !== "*" && word.includes("*");
  if ((isStepped(day) && weekday !== "*") || (isStepped(weekday) && day !== "*"))
    fail("a day or a weekday with a step, the other one *", "both: one cron takes it as and, another as or");
  if (weekday === "*" && !months.some((month) => days[0]! <= daysOfMonth[month - 1]!))
    fail("a date that comes", "none: no such day in these months");
  return { text: words.join(" "), minutes, hours, days, months, weekdays };
}

function numbersOf(
  field: Field,
  text: string,
  fail: (expected: string, got: string) => void,
): readonly number[] {
  const expected = `${field.low} to ${field.high} for ${field.name}, with * - , /`;
  const numbers = new Set<number>();
  for (const part of text.split(",")) {
    const [range = "", step, more] = part.split("/");
    const ends = range === "*" ? [field.low, field.high] : endsOf(field, range);
    const [from = 0, to = 0] = ends.length === 1 ? [ends[0], ends[0]] : ends;
    const every = step === undefined ? 1 : /^[1-9][0-9]?$/.test(step) ? Number(step) : 0;
    const isWrong =
      more !== undefined ||
      ends.length > 2 ||
      ends.includes(undefined) ||
      from > to ||
      every === 0 ||
      (step !== undefined && ends.length === 1);
    if (isWrong) fail(expected, text);
    else for (let value = from; value <= to; value += every) numbers.add(value);
  }
  // 7 is Sunday, too.
  if (field.words === weekdayWords && numbers.delete(7)) numbers.add(0);
  return [...numbers].sort((left, right) => left - right);
}

function endsOf({ low, high, words }: Field, range: string): (number | undefined)[] {
  return range.split("-").map((word) => {
    const named = word === "" ? -1 : (words?.indexOf(word.toLowerCase()) ?? -1);
    const value = named >= 0 ? named : /^[0-9]{1,2}$/.test(word) ? Number(word) : undefined;
    return value !== undefined && value >= low && value <= high ? value : undefined;
  });
}

/**
 * The schedule as systemd's OnCalendar= (systemd.time(7)). Two where day and weekday are both given: cron means either,
 * one calendar expression would mean both.
 */
export function calendarsOf(schedule: Schedule): string[] {
  const { minutes, hours, days, months, weekdays } = schedule;
  const time = `${listed(hours, 24)}:${listed(minutes, 60)}:00 UTC`;
  const onDays = `*-${listed(months, 12)}-${listed(days, 31)} ${time}`;
  const names = weekdays.map((weekday) => capital(weekdayWords[weekday]!)).join(",");
  const onWeekdays = `${names} *-${listed(months, 12)}-* ${time}`;
  const [, , day, , weekday] = schedule.text.split(" ");
  if (weekday === "*") return [onDays];
  return day === "*" ? [onWeekdays] : [onDays, onWeekdays];
}

function listed(numbers: readonly number[], all: number): string {
  if (numbers.length === all) return "*";
  return numbers.map((number) => String(number).padStart(2, "0")).join(",");
}

const capital = (word: string) => `${word[0]!.toUpperCase()}${word.slice(1)}`;

/** 29 February after 2096 is eight years away. */
const daysAheadMax = 366 * 9;

/** The next `count` times strictly after a moment. */
export function nextTimes(schedule: Schedule, after: Date, count: number): Date[] {
  const found: Date[] = [];
  const midnight = Date.UTC(after.getUTCFullYear(), after.getUTCMonth(), after.getUTCDate());
  for (let ahead = 0; ahead < daysAheadMax && found.length < count; ahead++) {
    const day = new Date(midnight + ahead * 86_400_000);
    if (isOn(schedule, day)) found.push(...timesOn(schedule, day, after).slice(0, count - found.length));
  }
  return found;
}

function isOn({ text, days, months, weekdays }: Schedule, date: Date): boolean {
  if (!months.includes(date.getUTCMonth() + 1)) return false;
  const onDay = days.includes(date.getUTCDate());
  const onWeekday = weekdays.includes(date.getUTCDay());
  const [, , day, , weekday] = text.split(" ");
  return day === "*" || weekday === "*" ? onDay && onWeekday : onDay || onWeekday;
}

function timesOn({ hours, minutes }: Schedule, day: Date, after: Date): Date[] {
  return hours
    .flatMap((hour) => minutes.map((minute) => new Date(day.getTime() + (hour * 60 + minute) * 60_000)))
    .filter((time) => time > after);
}

function refusal(text: string, expected: string, got: string): RoundtripError {
  return new RoundtripError({
    kind: "usage",
    what: `read the schedule ${JSON.stringify(text)}`,
    expected,
    got,
    wayOut: "write it as in a crontab, in UTC: 0 0 * * * is midnight, */5 * * * * every five minutes",
  });
}
