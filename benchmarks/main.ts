import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

/**
 * `make bench`: every benchmark of this folder, one after the other, each a process of its own, so that none
 * measures what another left behind. Prints a line each; `--json` prints one JSON array.
 * Arguments choose benchmarks by a part of their file's name.
 */
const { values, positionals } = parseArgs({
  options: { json: { type: "boolean", default: false }, rounds: { type: "string" } },
  allowPositionals: true,
});

interface Result {
  readonly benchmark: string;
  readonly work?: string;
  readonly reached?: boolean;
  readonly ratio?: { readonly min: number; readonly median: number; readonly max: number };
  readonly target?: number;
}

const here = import.meta.dirname;
const notBenchmarks = ["main.ts", "ratio.ts"];
const minutesMax = 30;

function runFile(file: string): Promise<{ code: number; results: Result[] }> {
  return new Promise((resolve, reject) => {
    const more = values.rounds ? ["--rounds", values.rounds] : [];
    const child = spawn(process.execPath, [join(here, file), "--json", ...more], {
      stdio: ["ignore", "pipe", "inherit"],
      timeout: minutesMax * 60_000,
    });
    let stdout = "";
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk));
    child.on("error", reject);
    child.on("close", (code) => {
      const lines = stdout.split("\n").filter((line) => line.startsWith("{"));
      resolve({ code: code ?? 137, results: lines.map((line) => JSON.parse(line) as Result) });
    });
  });
}

function sentence(result: Result): string {
  const { ratio, target, reached } = result;
  const figures = ratio
    ? `${ratio.median} (min ${ratio.min}, max ${ratio.max}), wanted ${target}`
    : JSON.stringify({ ...result, benchmark: undefined, work: undefined, reached: undefined });
  const word = reached === undefined ? "" : reached ? "reached: " : "missed: ";
  return `${word}${result.benchmark}: ${figures}${result.work ? ` — ${result.work}` : ""}`;
}

const files = readdirSync(here)
  .filter((file) => file.endsWith(".ts") && !notBenchmarks.includes(file))
  .filter((file) => positionals.length === 0 || positionals.some((part) => file.includes(part)));
const all: Result[] = [];
let broken = 0;
for (const file of files) {
  console.error(`━━ ${file}`);
  const { code, results } = await runFile(file);
  if (code !== 0) {
    broken++;
    console.error(`${file} ended with exit code ${code}`);
  }
  all.push(...results);
  if (!values.json) for (const result of results) console.log(sentence(result));
}
if (values.json) console.log(JSON.stringify(all));
process.exit(broken === 0 ? 0 : 1);
