import { closingLine } from "./test/counts.ts";
import { lanes, runInLanes } from "./test/lanes.ts";
import { suites } from "./test/suites.ts";

/**
 * Runs every suite this machine can run and ends with the line `N passed, N failed`; what was skipped, because a tool is
 * missing, and each failed test with its error stand above it. REQUIRE_ALL=1 makes a missing tool a failure. Arguments choose suites by a part of their name. SUITES_AT_ONCE is 2
 * by default: they wait for servers and timers more than they compute.
 */
const requireAll = process.env.REQUIRE_ALL === "1";
const chosen = process.argv.slice(2);
const running = suites.filter(
  ({ name }) => chosen.length === 0 || chosen.some((part) => name.includes(part)),
);

if (chosen.includes("--help")) {
  console.log("bun scripts/test.ts [part of a suite's name]…\n\nSuites:");
  for (const { name } of suites) console.log(`  ${name}`);
  process.exit(0);
}
if (running.length === 0) {
  console.error(
    `no suite named ${chosen.join(" or ")}; there are: ${suites.map(({ name }) => name).join(", ")}`,
  );
  process.exit(2);
}

const results = await runInLanes(running, requireAll, lanes);

const sum = (key: "passed" | "failed" | "skipped") =>
  [...results.values()].reduce((total, counts) => total + counts[key], 0);
const skips = [...results.values()].flatMap((counts) => counts.skips);
const failures = [...results].filter(([, counts]) => counts.failed > 0);
if (skips.length > 0)
  console.log(`\nNot run (${sum("skipped")} skipped):\n${skips.map((skip) => `  ${skip}`).join("\n")}`);
for (const [name, { failures: tests }] of failures)
  console.log(`\n━━ failed in ${name}\n${tests.join("\n\n")}`);
if (failures.length > 0)
  console.log(`\nFailed:\n${failures.map(([name, { failed }]) => `  ${name}: ${failed}`).join("\n")}`);
const total = { passed: sum("passed"), failed: sum("failed") };
console.log(`\n${closingLine(total)}`);
process.exit(process.exitCode ?? (total.failed === 0 && total.passed > 0 ? 0 : 1));
