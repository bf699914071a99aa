import { describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { nextElapse, parseCalendar } from "../../sandbox/host/calendar.ts";
import { calendarsOf, nextTimes, parseSchedule } from "./schedule.ts";

const after = new Date("2026-11-21T10:07:30.000Z");
const iso = (dates: readonly (Date | undefined)[]) => dates.map((date) => date?.toISOString());

describe("a schedule as cron has it", () => {
  test("the seeds': midnight, and every five minutes with a space behind it", () => {
    expect(calendarsOf(parseSchedule("0 0 * * *"))).toEqual(["*-*-* 00:00:00 UTC"]);
    expect(iso(nextTimes(parseSchedule("0 0 * * *"), after, 3))).toEqual([
      "2026-11-22T00:00:00.000Z",
      "2026-11-23T00:00:00.000Z",
      "2026-11-24T00:00:00.000Z",
    ]);
    expect(iso(nextTimes(parseSchedule("*/5 * * * * "), after, 3))).toEqual([
      "2026-11-21T10:10:00.000Z",
      "2026-11-21T10:15:00.000Z",
      "2026-11-21T10:20:00.000Z",
    ]);
  });

  test("names, ranges, lists and steps; 7 is Sunday", () => {
    const schedule = parseSchedule("15,45 8-18/5 * Jan-mar sun,5-7");
    expect(schedule).toMatchObject({
      minutes: [15, 45],
      hours: [8, 13, 18],
      months: [1, 2, 3],
      weekdays: [0, 5, 6],
    });
    expect(calendarsOf(schedule)).toEqual(["Sun,Fri,Sat *-01,02,03-* 08,13,18:15,45:00 UTC"]);
  });

  test("day and weekday: either, as cron has it, which takes two calendars", () => {
    const schedule = parseSchedule("0 3 1 * mon");
    expect(calendarsOf(schedule)).toEqual(["*-*-01 03:00:00 UTC", "Mon *-*-* 03:00:00 UTC"]);
    expect(iso(nextTimes(schedule, after, 3))).toEqual([
      "2026-11-23T03:00:00.000Z",
      "2026-11-30T03:00:00.000Z",
      "2026-12-01T03:00:00.000Z",
    ]);
  });

  test("29 February is found years ahead", () => {
    expect(iso(nextTimes(parseSchedule("0 0 29 2 *"), after, 2))).toEqual([
      "2028-02-29T00:00:00.000Z",
      "2032-02-29T00:00:00.000Z",
    ]);
  });

  for (const wrong of [
    "",
    "0 0 * *",
    "0 0 * * * *",
    "@daily",
    "60 0 * * *",
    "0 24 * * *",
    "0 0 0 * *",
    "0 0 * 13 *",
    "0 0 * * 8",
    "5-1 * * * *",
    "0- * * * *",
    "0-60 * * * *",
    "0 0 * * mon-x",
    "*/05 * * * *",
    "*/0 * * * *",
    "5/10 * * * *",
    "1,,2 * * * *",
    "1-2-3 * * * *",
    "*/5/5 * * * *",
    "-1 * * * *",
    "1.5 * * * *",
    "0 0 31 2 *",
    "0 0 */2 * mon",
    "0 0 1 * */2",
    "0 0 * * mon; reboot",
    "0 0 * * *\nExecStart=/bin/sh",
  ]) {
    test(`${JSON.stringify(wrong)} is refused`, () => {
      expect(() => parseSchedule(wrong)).toThrow("read the schedule");
    });
  }
});

const fieldOf = (low: number, high: number) => {
  const number = fc.integer({ min: low, max: high });
  const range = fc.tuple(number, number).map((ends) => ends.sort((a, b) => a - b).join("-"));
  const step = fc.integer({ min: 1, max: 20 });
  const part = fc.oneof(
    number.map(String),
    range,
    fc.tuple(range, step).map((both) => both.join("/")),
  );
  const stepped = step.map((every) => `*/${every}`);
  const list = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(","));
  return { any: fc.oneof(fc.constant("*"), stepped, list), plain: fc.oneof(fc.constant("*"), list) };
};
const texts = fc
  .tuple(
    fieldOf(0, 59).any,
    fieldOf(0, 23).any,
    fieldOf(1, 28).plain,
    fieldOf(1, 12).any,
    fieldOf(0, 7).plain,
  )
  .map((words) => words.join(" "));
const moments = fc.date({
  min: new Date("2026-01-01T00:00:00Z"),
  max: new Date("2036-01-01T00:00:00Z"),
  noInvalidDate: true,
});

/** Whether cron would run then, said once more and differently: minute by minute, from the fields' own words. */
function runsAt(text: string, date: Date): boolean {
  const words = text.split(" ");
  const has = (word: string, low: number, high: number, value: number) =>
    word.split(",").some((part) => {
      const [range, every = "1"] = part.split("/");
      const [from, to = from] = range === "*" ? [low, high] : range!.split("-").map(Number);
      return value >= from! && value <= to! && (value - from!) % Number(every) === 0;
    });
  const day = has(words[2]!, 1, 31, date.getUTCDate());
  const weekday = has(words[4]!, 0, 7, date.getUTCDay()) || has(words[4]!, 0, 7, date.getUTCDay() || 7);
  return (
    has(words[0]!, 0, 59, date.getUTCMinutes()) &&
    has(words[1]!, 0, 23, date.getUTCHours()) &&
    has(words[3]!, 1, 12, date.getUTCMonth() + 1) &&
    (words[2] === "*" || words[4] === "*" ? day && weekday : day || weekday)
  );
}

describe("properties of schedules", () => {
  test("the next times are those at which cron would run, and none is left out", () => {
    fc.assert(
      fc.property(texts, moments, (text, from) => {
        const times = nextTimes(parseSchedule(text), from, 3);
        expect(times.length).toBe(3);
        for (const time of times) expect([text, runsAt(text, time)]).toEqual([text, true]);
        const until = Math.min(times.at(-1)!.getTime(), from.getTime() + 3 * 86_400_000);
        const minute = Math.floor(from.getTime() / 60_000) * 60_000;
        for (let ms = minute + 60_000; ms < until; ms += 60_000)
          if (runsAt(text, new Date(ms))) expect(times.map((time) => time.getTime())).toContain(ms);
      }),
      { numRuns: 60 },
    );
  });

  test("the host's calendar elapses at the same times", () => {
    fc.assert(
      fc.property(texts, moments, (text, from) => {
        const schedule = parseSchedule(text);
        const [next] = nextTimes(schedule, from, 1);
        // The stand-in looks five years ahead.
        if (next!.getTime() - from.getTime() > 4 * 366 * 86_400_000) return;
        const elapses = calendarsOf(schedule)
          .map((calendar) => nextElapse(parseCalendar(calendar), from))
          .sort((left, right) => Number(left) - Number(right));
        expect([text, elapses[0]?.toISOString()]).toEqual([text, next!.toISOString()]);
      }),
      { numRuns: 200 },
    );
  });

  test.skipIf(!Bun.which("systemd-analyze"))("systemd itself elapses at the same times", () => {
    fc.assert(
      fc.property(texts, moments, (text, from) => {
        const schedule = parseSchedule(text);
        const expected = nextTimes(schedule, from, 3).map((time) => time.getTime() / 1000);
        expect([text, systemdTimes(calendarsOf(schedule), from)]).toEqual([text, expected]);
      }),
      { numRuns: 40 },
    );
  });
});

/** Seconds at which systemd says the calendars elapse next, the first three. */
function systemdTimes(calendars: readonly string[], from: Date): number[] {
  const base = `@${Math.floor(from.getTime() / 1000)}`;
  const times = calendars.flatMap((calendar) => {
    const words = ["calendar", "--iterations=3", `--base-time=${base}`, calendar];
    const said = execFileSync("systemd-analyze", words, {
      encoding: "utf8",
      env: { ...process.env, TZ: "UTC" },
    });
    return [...said.matchAll(/(?:Next elapse|Iter\. #\d+): \w+ (\S+ \S+) UTC/g)].map(
      ([, time]) => Date.parse(`${time!.replace(" ", "T")}Z`) / 1000,
    );
  });
  return [...new Set(times)].sort((left, right) => left - right).slice(0, 3);
}
