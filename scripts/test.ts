import { spawn } from "node:child_process";
import { join } from "node:path";
import { type Suite, suites } from "./test/suites.ts";

/**
 * Runs every suite this machine can run and ends with `N passed, N failed, N skipped`. A suite whose tool is missing
 * is skipped with the reason, or fails when REQUIRE_ALL=1. Arguments choose suites by a part of their name.
 */
interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

const root = join(import.meta.dirname, "..");
const requireAll = process.env.REQUIRE_ALL === "1";
const chosen = process.argv.slice(2);

async function runSuite(suite: Suite): Promise<Counts> {
  const reason = await suite.missing?.();
  if (reason) {
    console.log(`\n━━ ${suite.name}: ${requireAll ? "FAILED" : "skipped"}, ${reason}`);
    return { passed: 0, failed: requireAll ? 1 : 0, skipped: requireAll ? 0 : 1 };
  }
  console.log(`\n━━ ${suite.name}`);
  const started = performance.now();
  const { code, output } = await runCommand(suite.command);
  const counts = suite.counts === "bun" ? bunCounts(output, code) : oneCount(code);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(
    `━━ ${suite.name}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped, ${seconds} s`,
  );
  return counts;
}

function runCommand(command: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const [program = "", ...args] = command;
    const path = [join(root, "node_modules/.bin"), join(root, ".tools/bin"), process.env.PATH].join(":");
    const child = spawn(program, args, {
      cwd: root,
      env: { ...process.env, PATH: path },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const take = (chunk: Buffer) => {
      output += chunk.toString();
      process.stdout.write(chunk);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.on("error", (error) => resolve({ code: 127, output: error.message }));
    child.on("close", (code) => resolve({ code: code ?? 137, output }));
  });
}

/** The last ` N pass`, ` N fail`, ` N skip` lines of `bun test`; a run that ends badly without saying so is a failure. */
function bunCounts(output: string, code: number): Counts {
  const count = (word: string) =>
    Number([...output.matchAll(new RegExp(`^\\s*(\\d+) ${word}\\b`, "gm"))].at(-1)?.[1] ?? 0);
  const counts = { passed: count("pass"), failed: count("fail"), skipped: count("skip") };
  if (counts.failed === 0 && (code !== 0 || counts.passed === 0)) counts.failed = 1;
  return counts;
}

function oneCount(code: number): Counts {
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

const total: Counts = { passed: 0, failed: 0, skipped: 0 };
for (const suite of suites.filter(
  ({ name }) => chosen.length === 0 || chosen.some((part) => name.includes(part)),
)) {
  const counts = await runSuite(suite);
  for (const key of ["passed", "failed", "skipped"] as const) total[key] += counts[key];
}
console.log(
  `\n${total.passed} passed, ${total.failed} failed${total.skipped ? `, ${total.skipped} skipped` : ""}`,
);
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);
