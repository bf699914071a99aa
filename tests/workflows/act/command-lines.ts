/**
 * Samples the command lines of all processes until standard input closes, and appends each it has not seen to a file.
 * A process of its own, so that a busy test can't make it look away. What lives for less than a sample can be missed.
 */
import { appendFileSync, readdirSync, readFileSync } from "node:fs";

const [, , file = ""] = process.argv;
const sampleMs = 20;
/** A process changes its command line by exec, soon after it began; later it is looked at once a second. */
const youngMs = 300;
const oldEveryMs = 1000;

const seen = new Set<string>();
const known = new Map<string, { readonly since: number; lookedAt: number }>();

function sample(): void {
  const now = performance.now();
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const process = known.get(pid) ?? { since: now, lookedAt: Number.NEGATIVE_INFINITY };
    known.set(pid, process);
    if (now - process.since > youngMs && now - process.lookedAt < oldEveryMs) continue;
    process.lookedAt = now;
    remember(commandLineOf(pid));
  }
  const alive = new Set(pids);
  for (const pid of known.keys()) if (!alive.has(pid)) known.delete(pid);
}

function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return ""; // It has ended meanwhile.
  }
}

function remember(commandLine: string): void {
  if (commandLine === "" || seen.has(commandLine)) return;
  seen.add(commandLine);
  appendFileSync(file, `${commandLine}\n`);
}

process.stdin.on("end", () => process.exit(0));
process.stdin.resume();
setInterval(sample, sampleMs);
console.log("sampling");
