const unitMs: Readonly<Record<string, number>> = {
  us: 0.001,
  usec: 0.001,
  ms: 1,
  msec: 1,
  "": 1000,
  s: 1000,
  sec: 1000,
  second: 1000,
  seconds: 1000,
  m: 60_000,
  min: 60_000,
  minute: 60_000,
  minutes: 60_000,
  h: 3_600_000,
  hr: 3_600_000,
  hour: 3_600_000,
  hours: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
  days: 86_400_000,
  w: 604_800_000,
  week: 604_800_000,
  weeks: 604_800_000,
};

/** systemd.time(7) "Parsing time spans": `5min 20s`, `1.5h`, bare seconds, `infinity`. Milliseconds. */
export function parseTimeSpanMs(text: string): number {
  const value = text.trim();
  if (value === "infinity") return Number.POSITIVE_INFINITY;
  if (!/^(\d+(\.\d+)?\s*[a-z]*\s*)+$/.test(value)) throw new Error(`time span "${text}" does not parse`);
  let total = 0;
  for (const match of value.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]*)/g)) {
    const scale = unitMs[match[2]!];
    if (scale === undefined) throw new Error(`time span "${text}" has an unknown unit "${match[2]}"`);
    total += Number(match[1]) * scale;
  }
  return total;
}
