import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { bunCounts, type Counts, commandCounts } from "./counts.ts";
import { endLeftovers } from "./processes.ts";
import type { Suite } from "./suites.ts";

const root = join(import.meta.dirname, "../..");
const testTimeoutMs = 120_000;
const filesAtOnce = 2;
/** How long the processes of a suite may take to end after it. */
const endingMs = 15_000;

/**
 * Runs a suite, gives what it prints to `print`, and counts. A suite whose tool is missing is skipped with the reason, or has
 * failed when everything is required and the tool can be installed; one that leaves processes behind has failed, too.
 */
export async function runSuite(
  suite: Suite,
  requireAll: boolean,
  print: (text: string) => void,
): Promise<Counts> {
  const missing = await suite.missing?.();
  if (missing) {
    const refused = requireAll && missing.installable;
    print(`\n━━ ${suite.name}: ${refused ? "FAILED" : "skipped"}, ${missing.reason}\n`);
    const skips = refused ? [] : [`${suite.name}: ${missing.reason}`];
    return { passed: 0, failed: refused ? 1 : 0, skipped: refused ? 0 : 1, skips, failures: [] };
  }
  print(`\n━━ ${suite.name}\n`);
  const started = performance.now();
  const mark = `ROUNDTRIP_TEST_SUITE=${randomUUID()}`;
  const { code, output } = await runCommand(commandOf(suite), mark, suite.minutesMax, print);
  const counts = "tests" in suite ? bunCounts(output, code, requireAll) : commandCounts(output, code);
  const left = await endLeftovers(mark, endingMs);
  for (const { pid, command } of left) print(`left behind: process ${pid}: ${command.slice(0, 200)}\n`);
  const total = left.length > 0 ? { ...counts, failed: counts.failed + 1 } : counts;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  print(
    `━━ ${suite.name}: ${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped, ${seconds} s\n`,
  );
  return total;
}

function commandOf(suite: Suite): readonly string[] {
  if ("command" in suite) return suite.command;
  const launcher = suite.launcher ?? [
    "bun",
    "test",
    `--timeout=${testTimeoutMs}`,
    `--parallel=${suite.parallel ?? filesAtOnce}`,
  ];
  // With ./ it is a path; without, bun takes it for a part of any path.
  return [...launcher, ...suite.tests.map((path) => `./${path}`)];
}

function runCommand(
  [program = "", ...args]: readonly string[],
  mark: string,
  minutesMax: number,
  print: (text: string) => void,
): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const [name = "", value] = mark.split("=");
    const path = [join(root, "node_modules/.bin"), join(root, ".tools/bin"), process.env.PATH].join(":");
    const child = spawn(program, args, {
      cwd: root,
      env: { ...process.env, PATH: path, [name]: value },
      stdio: ["ignore", "pipe", "pipe"],
      // A group of its own, so that all of it can be ended.
      detached: true,
    });
    const release = endWithUs(child, minutesMax, print);
    let output = "";
    const take = (chunk: Buffer) => {
      output += chunk.toString();
      print(chunk.toString());
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.on("error", (error) => {
      release();
      print(`${program}: ${error.message}\n`);
      resolve({ code: 127, output });
    });
    child.on("close", (code) => {
      release();
      resolve({ code: code ?? 137, output });
    });
  });
}

/** Passes Ctrl-C and SIGTERM on to the suite's process group, and ends the group when its time is over. */
function endWithUs(child: ChildProcess, minutesMax: number, print: (text: string) => void): () => void {
  const signalGroup = (signal: NodeJS.Signals) => {
    try {
      if (child.pid) process.kill(-child.pid, signal);
    } catch {
      // The group has ended.
    }
  };
  const stop = (signal: NodeJS.Signals) => {
    signalGroup(signal);
    process.exitCode = 130;
    setTimeout(() => process.exit(130), 5_000).unref();
  };
  const overdue = setTimeout(() => {
    print(`not ended after ${minutesMax} minutes: killed\n`);
    signalGroup("SIGKILL");
  }, minutesMax * 60_000);
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return () => {
    clearTimeout(overdue);
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  };
}
