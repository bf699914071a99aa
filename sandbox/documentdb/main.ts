/** DocumentDB's dialect in front of a MongoDB: `bun sandbox/documentdb/main.ts --upstream URI --dir DIR`. */
import { parseArgs } from "node:util";
import { DialectProxy } from "./proxy.ts";
import { defaultSettings, type Settings } from "./settings.ts";

const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const settingNames = Object.keys(defaultSettings) as (keyof Settings)[];

const help = `Usage: bun sandbox/documentdb/main.ts --upstream URI --dir DIR [options]

  --upstream URI            the database behind, with a root user; better in SANDBOX_UPSTREAM, where no process list shows it
  --dir DIR                 where port, enabled change streams and settings are kept
  --port N                  0 (default): the port of the last start, else any
  --engine-version X.Y.Z    default 5.0.0
  --readers N               readers beside the writer, each on a port of its own; default 0
  --exit-with-parent        end when standard input ends
${settingNames.map((name) => `  --${kebab(name)} VALUE   default ${defaultSettings[name]}`).join("\n")}

The first line on standard output is {"ready":true,"uri":…,"pid":…}. Exit: 0 stopped, 1 could not start, 64 wrong use.`;

function wrongUse(message: string): never {
  console.error(`documentdb: ${message}\n\n${help}`);
  process.exit(64);
}

function parseSetting(name: keyof Settings, text: string): number | boolean {
  const kind = typeof defaultSettings[name];
  if (kind === "boolean" && (text === "true" || text === "false")) return text === "true";
  const value = Number(text);
  if (kind === "number" && text !== "" && value >= 0) return value;
  return wrongUse(`--${kebab(name)}: expected a ${kind}, got ${text}`);
}

function parse() {
  try {
    return parseArgs({
      options: {
        upstream: { type: "string" },
        dir: { type: "string" },
        port: { type: "string", default: "0" },
        "engine-version": { type: "string", default: "5.0.0" },
        readers: { type: "string", default: "0" },
        "exit-with-parent": { type: "boolean", default: false },
        help: { type: "boolean", default: false },
        ...Object.fromEntries(settingNames.map((name) => [kebab(name), { type: "string" as const }])),
      },
    }).values as Record<string, string | boolean | undefined>;
  } catch (cause) {
    return wrongUse(cause instanceof Error ? cause.message : String(cause));
  }
}

const values = parse();
if (values.help) {
  console.log(help);
  process.exit(0);
}
const { upstream = process.env.SANDBOX_UPSTREAM, dir, "engine-version": engineVersion } = values;
if (typeof upstream !== "string" || typeof dir !== "string")
  wrongUse("--upstream (or SANDBOX_UPSTREAM) and --dir are needed");
if (!/^\d+\.\d+\.\d+$/.test(String(engineVersion)))
  wrongUse(`--engine-version: expected X.Y.Z, got ${engineVersion}`);
const port = Number(values.port);
if (!Number.isInteger(port) || port < 0 || port > 65_535)
  wrongUse(`--port: expected 0 to 65535, got ${values.port}`);
const readers = Number(values.readers);
if (!Number.isInteger(readers) || readers < 0 || readers > 15)
  wrongUse(`--readers: expected 0 to 15, got ${values.readers}`);
const given = settingNames.filter((name) => typeof values[kebab(name)] === "string");
const settings = Object.fromEntries(
  given.map((name) => [name, parseSetting(name, String(values[kebab(name)]))]),
);

const proxy = await DialectProxy.start({
  upstream,
  directory: dir,
  port,
  engineVersion: String(engineVersion),
  readers,
  settings,
}).catch((cause: unknown) => {
  console.error(
    `documentdb: could not start in front of the database: ${cause instanceof Error ? cause.message : cause}`,
  );
  process.exit(1);
});
console.log(JSON.stringify({ ready: true, uri: proxy.uri, pid: process.pid }));

/** Nothing has to be saved at the end: clients that don't let go are cut off. */
const STOP_MS = 2_000;
let stopping = false;
async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  await Promise.race([proxy.stop(), Bun.sleep(STOP_MS)]);
  process.exit(0);
}
process.on("SIGTERM", () => void stop());
process.on("SIGINT", () => void stop());
if (values["exit-with-parent"]) {
  for (const event of ["end", "close"]) process.stdin.on(event, () => void stop());
  process.stdin.resume();
}
