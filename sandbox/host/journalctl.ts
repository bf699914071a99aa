import { parseArgs } from "node:util";
import { type JournalEntry, readJournal } from "./journal.ts";

const usage =
  "usage: journalctl [-u UNIT]... [-n LINES] [-o cat|short|short-iso|json] [--since TIME] [--until TIME] [-f] [-r] [--no-pager]";
const followMs = 200;

const { values } = parseArgs({
  options: {
    unit: { type: "string", short: "u", multiple: true },
    lines: { type: "string", short: "n" },
    output: { type: "string", short: "o", default: "short" },
    since: { type: "string", short: "S" },
    until: { type: "string", short: "U" },
    follow: { type: "boolean", short: "f" },
    reverse: { type: "boolean", short: "r" },
    "no-pager": { type: "boolean" },
    boot: { type: "boolean", short: "b" },
    quiet: { type: "boolean", short: "q" },
    directory: { type: "string" },
    utc: { type: "boolean" },
    "no-hostname": { type: "boolean" },
    system: { type: "boolean" },
    "pager-end": { type: "boolean", short: "e" },
    catalog: { type: "boolean", short: "x" },
  },
});
if (values.directory === undefined) {
  console.error(usage);
  process.exit(1);
}
const directory = values.directory;
const units = (values.unit ?? []).map((name) => (name.includes(".") ? name : `${name}.service`));

/** `--since`: ISO or `YYYY-MM-DD hh:mm:ss` (UTC), `today`, `-5min`, `2 hours ago`. Milliseconds since 1970. */
function parseMoment(text: string): number {
  if (text === "now") return Date.now();
  if (text === "today") return Math.floor(Date.now() / 86_400_000) * 86_400_000;
  const relative = /^(?:-(\d+)\s*([a-z]+)|(\d+)\s*([a-z]+) ago)$/.exec(text);
  if (relative) {
    const scale: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };
    return (
      Date.now() - Number(relative[1] ?? relative[3]) * 1000 * (scale[(relative[2] ?? relative[4])![0]!] ?? 1)
    );
  }
  const epoch = /^@(\d+(\.\d+)?)$/.exec(text);
  if (epoch) return Number(epoch[1]) * 1000;
  const parsed = Date.parse(
    /Z$|[+-]\d\d:?\d\d$/.test(text) ? text : `${text.replace(" UTC", "").replace(" ", "T")}Z`,
  );
  if (Number.isNaN(parsed)) {
    console.error(`Failed to parse timestamp: ${text}`);
    process.exit(1);
  }
  return parsed;
}

function format(entry: JournalEntry): string {
  const identifier = entry.stream === "systemd" ? "systemd" : entry.unit.replace(/\.service$/, "");
  switch (values.output) {
    case "cat":
      return entry.message;
    case "json":
      return JSON.stringify({
        MESSAGE: entry.message,
        _PID: String(entry.pid),
        PRIORITY: "6",
        SYSLOG_IDENTIFIER: identifier,
        _SYSTEMD_UNIT: entry.unit,
        __REALTIME_TIMESTAMP: String(Date.parse(entry.time) * 1000),
        __CURSOR: `s=${entry.sequence}`,
        ...(entry.stream === "systemd" ? { UNIT: entry.unit, _SYSTEMD_UNIT: "init.scope" } : {}),
      });
    case "short-iso":
      return `${entry.time.slice(0, 19)}+0000 localhost ${identifier}[${entry.pid}]: ${entry.message}`;
    default:
      return `${new Date(entry.time).toUTCString().slice(8, 11)} ${entry.time.slice(8, 10)} ${entry.time.slice(11, 19)} localhost ${identifier}[${entry.pid}]: ${entry.message}`;
  }
}

function select(afterSequence: number): JournalEntry[] {
  const since = values.since === undefined ? Number.NEGATIVE_INFINITY : parseMoment(values.since);
  const until = values.until === undefined ? Number.POSITIVE_INFINITY : parseMoment(values.until);
  return readJournal(directory, units).filter(
    ({ sequence, time }) =>
      sequence > afterSequence && Date.parse(time) >= since && Date.parse(time) <= until,
  );
}

let entries = select(0);
const last = entries.at(-1)?.sequence ?? 0;
const limit =
  values.lines === undefined
    ? values.follow
      ? 10
      : Number.POSITIVE_INFINITY
    : values.lines === "all"
      ? Number.POSITIVE_INFINITY
      : Number(values.lines);
if (Number.isFinite(limit)) entries = limit > 0 ? entries.slice(-limit) : [];
if (values.reverse) entries.reverse();
if (entries.length === 0 && !values.quiet && !values.follow && values.output !== "json")
  process.stdout.write("-- No entries --\n");
process.stdout.write(entries.map((entry) => `${format(entry)}\n`).join(""));
if (values.follow) {
  let seen = last;
  for (;;) {
    await Bun.sleep(followMs);
    const fresh = select(seen);
    seen = fresh.at(-1)?.sequence ?? seen;
    process.stdout.write(fresh.map((entry) => `${format(entry)}\n`).join(""));
  }
}
