import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Calendar, nextElapse, parseCalendar } from "./calendar.ts";
import { parseTimeSpanMs } from "./time-span.ts";

const at = (text: string): Date => new Date(`${text.replace(" ", "T")}Z`);
const next = (expression: string, after: string): string | undefined =>
  nextElapse(parseCalendar(expression), at(after))?.toISOString().slice(0, 19).replace("T", " ");

describe("calendar expressions", () => {
  test("name the moment systemd names", () => {
    const cases: [string, string, string][] = [
      ["daily", "2026-11-21 08:00:00", "2026-11-22 00:00:00"],
      ["hourly", "2026-11-21 08:00:00", "2026-11-21 09:00:00"],
      ["*-*-* 03:30:00", "2026-11-21 03:29:59", "2026-11-21 03:30:00"],
      ["*-*-* 03:30:00", "2026-11-21 03:30:00", "2026-11-22 03:30:00"],
      ["03:30", "2026-12-31 04:00:00", "2027-01-01 03:30:00"],
      ["Mon..Fri 12:00", "2026-11-21 08:00:00", "2026-11-23 12:00:00"],
      ["Sat,Sun *-*-* 00:00:00 UTC", "2026-11-22 08:00:00", "2026-11-28 00:00:00"],
      ["*-02-29 00:00:00", "2026-11-21 08:00:00", "2028-02-29 00:00:00"],
      ["*-*-01 00:00:00", "2026-12-01 00:00:00", "2027-01-01 00:00:00"],
      ["*:0/15", "2026-11-21 08:46:00", "2026-11-21 09:00:00"],
      ["*:*:0/10", "2026-11-21 08:46:51", "2026-11-21 08:47:00"],
      ["monthly", "2026-11-21 08:00:00", "2026-12-01 00:00:00"],
      ["quarterly", "2026-11-21 08:00:00", "2027-01-01 00:00:00"],
    ];
    for (const [expression, after, expected] of cases)
      expect([expression, next(expression, after)]).toEqual([expression, expected]);
  });

  test("a moment in the past never comes", () => {
    expect(next("2020-01-01 00:00:00", "2026-11-21 08:00:00")).toBeUndefined();
  });

  test("what isn't one is refused by name", () => {
    for (const bad of ["sometimes", "*-13-01", "25:00", "*:*:*:*", "*:0/0", "Foo 10:00"]) {
      expect(() => parseCalendar(bad)).toThrow(bad);
    }
  });

  test("the next moment fits, lies ahead, and none between fits", () => {
    const some = (low: number, high: number) =>
      fc.uniqueArray(fc.integer({ min: low, max: high }), { minLength: 1, maxLength: 3 });
    const fits = ({ hours, minutes, seconds }: Calendar, moment: Date): boolean =>
      hours.has(moment.getUTCHours()) &&
      minutes.has(moment.getUTCMinutes()) &&
      seconds.has(moment.getUTCSeconds());
    fc.assert(
      fc.property(
        some(0, 23),
        some(0, 59),
        some(0, 59),
        fc.integer({ min: 0, max: 86_399 }),
        (hours, minutes, seconds, offset) => {
          const calendar = parseCalendar(`*-*-* ${hours.join()}:${minutes.join()}:${seconds.join()}`);
          const after = new Date(at("2026-11-21 00:00:00").getTime() + offset * 1000);
          const found = nextElapse(calendar, after)!;
          expect(found > after && fits(calendar, found)).toBe(true);
          for (let moment = after.getTime() + 1000; moment < found.getTime(); moment += 1000) {
            if (fits(calendar, new Date(moment)))
              throw new Error(`${new Date(moment).toISOString()} fits, too`);
          }
        },
      ),
      { numRuns: 30 },
    );
  });
});

test("time spans", () => {
  const cases: [string, number][] = [
    ["5", 5000],
    ["1min 30s", 90_000],
    ["1.5h", 5_400_000],
    ["200ms", 200],
    ["2d1h", 176_400_000],
    ["0", 0],
    ["infinity", Number.POSITIVE_INFINITY],
    ["500us", 0.5],
  ];
  for (const [text, expected] of cases) expect([text, parseTimeSpanMs(text)]).toEqual([text, expected]);
  for (const bad of ["", "soon", "5 parsecs", "-1", "1min-"]) expect(() => parseTimeSpanMs(bad)).toThrow();
});
