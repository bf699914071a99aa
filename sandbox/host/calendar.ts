/** A calendar expression of systemd.time(7): the sets each part of a moment must lie in (UTC, as EC2 hosts run). */
export interface Calendar {
  readonly weekdays?: ReadonlySet<number>;
  readonly years?: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly minutes: ReadonlySet<number>;
  readonly seconds: ReadonlySet<number>;
}

const shorthands: Readonly<Record<string, string>> = {
  minutely: "*-*-* *:*:00",
  hourly: "*-*-* *:00:00",
  daily: "*-*-* 00:00:00",
  weekly: "Mon *-*-* 00:00:00",
  monthly: "*-*-01 00:00:00",
  quarterly: "*-01,04,07,10-01 00:00:00",
  semiannually: "*-01,07-01 00:00:00",
  yearly: "*-01-01 00:00:00",
  annually: "*-01-01 00:00:00",
};
const weekdayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/** Parses an OnCalendar= value; throws an Error naming it when it isn't of the forms supported here. */
export function parseCalendar(text: string): Calendar {
  const fail = (): never => {
    throw new Error(`calendar expression "${text}" is not supported`);
  };
  let rest = shorthands[text.trim().toLowerCase()] ?? text.trim();
  rest = rest.replace(/\s+UTC$/, "");
  const words = rest.split(/\s+/);
  const weekdays = /^[A-Za-z]/.test(words[0]!) ? parseWeekdays(words.shift()!, fail) : undefined;
  const time = words.at(-1)?.includes(":") ? words.pop()! : "00:00:00";
  const date = words.shift() ?? "*-*-*";
  if (words.length > 0) fail();
  const dateParts = date.split("-");
  if (dateParts.length === 2) dateParts.unshift("*");
  const timeParts = time.split(":");
  if (timeParts.length === 2) timeParts.push("00");
  if (dateParts.length !== 3 || timeParts.length !== 3) fail();
  return {
    weekdays,
    years: dateParts[0] === "*" ? undefined : parseSet(dateParts[0]!, 1970, 2199, fail),
    months: parseSet(dateParts[1]!, 1, 12, fail),
    days: parseSet(dateParts[2]!, 1, 31, fail),
    hours: parseSet(timeParts[0]!, 0, 23, fail),
    minutes: parseSet(timeParts[1]!, 0, 59, fail),
    seconds: parseSet(timeParts[2]!, 0, 59, fail),
  };
}

function parseWeekdays(text: string, fail: () => never): Set<number> {
  const indexOf = (name: string): number => {
    const index = weekdayNames.findIndex((short) => name.toLowerCase().startsWith(short));
    return index < 0 ? fail() : index;
  };
  const result = new Set<number>();
  for (const part of text.split(",")) {
    const [from, to] = part.split("..");
    const last = to === undefined ? indexOf(from!) : indexOf(to);
    for (let day = indexOf(from!); ; day = (day + 1) % 7) {
      result.add(day);
      if (day === last) break;
    }
  }
  return result;
}

function parseSet(text: string, low: number, high: number, fail: () => never): Set<number> {
  const result = new Set<number>();
  for (const part of text.split(",")) {
    const match = /^(?:(\*)|(\d+)(?:\.\.(\d+))?)(?:\/(\d+))?$/.exec(part) ?? fail();
    const from = match[1] ? low : Number(match[2]);
    const step = match[4] === undefined ? undefined : Number(match[4]);
    const to = match[3] !== undefined ? Number(match[3]) : match[1] || step !== undefined ? high : from;
    if (from < low || to > high || step === 0) fail();
    for (let value = from; value <= to; value += step ?? 1) result.add(value);
  }
  return result;
}

/** The first moment strictly after `after` that the expression names; `undefined` when there is none in five years. */
export function nextElapse(calendar: Calendar, after: Date): Date | undefined {
  const day = new Date(Date.UTC(after.getUTCFullYear(), after.getUTCMonth(), after.getUTCDate()));
  for (let count = 0; count <= 366 * 5; count++, day.setUTCDate(day.getUTCDate() + 1)) {
    if (!dayMatches(calendar, day)) continue;
    const found = firstTimeOn(calendar, day, after);
    if (found) return found;
  }
  return undefined;
}

function dayMatches(calendar: Calendar, day: Date): boolean {
  return (
    calendar.months.has(day.getUTCMonth() + 1) &&
    calendar.days.has(day.getUTCDate()) &&
    (calendar.years?.has(day.getUTCFullYear()) ?? true) &&
    (calendar.weekdays?.has(day.getUTCDay()) ?? true)
  );
}

function firstTimeOn(calendar: Calendar, day: Date, after: Date): Date | undefined {
  const ascending = (set: ReadonlySet<number>): number[] => [...set].sort((left, right) => left - right);
  for (const hour of ascending(calendar.hours)) {
    if (day.getTime() + (hour + 1) * 3_600_000 <= after.getTime()) continue;
    for (const minute of ascending(calendar.minutes)) {
      for (const second of ascending(calendar.seconds)) {
        const moment = day.getTime() + ((hour * 60 + minute) * 60 + second) * 1000;
        if (moment > after.getTime()) return new Date(moment);
      }
    }
  }
  return undefined;
}
