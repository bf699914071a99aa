import { parseArgs } from "node:util";
import { dealPoints, sweepRun } from "./sweep.ts";

/**
 * kill -9 of every worker and of every runbook's process, before and after each of its requests to AWS. The requests
 * are counted in a baseline drill; then drills are run until each of them was a point of death. Every drill must end
 * PROVEN. `--apart` is how many requests a victim may do between two kills of one drill; `--only` keeps one run.
 */
const { values } = parseArgs({
  options: {
    apart: { type: "string", default: "16" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
    verbose: { type: "boolean", default: false },
  },
});
const seed = Number(values.seed);
const say = (text: string) => void (values.verbose && process.stderr.write(text));

const baseline = await sweepRun([], { seed, say });
if (baseline.result.verdict !== "PROVEN")
  throw new Error(`the baseline is ${baseline.result.verdict}: ${baseline.result.reasons.join("; ")}`);
const total = [...baseline.requests.values()].reduce((sum, count) => sum + count, 0);
const runs = dealPoints(baseline.requests, Number(values.apart));
console.log(
  `baseline PROVEN: ${total} requests of ${baseline.requests.size} victims; ${runs.length} drills to come`,
);

let kills = 0;
let failed = 0;
for (const [index, points] of runs.entries()) {
  if (values.only !== undefined && Number(values.only) !== index) continue;
  const started = performance.now();
  const seconds = () => ((performance.now() - started) / 1000).toFixed(0);
  try {
    const run = await sweepRun(points, { seed: seed + index, say });
    kills += run.killed.length;
    const proven = run.result.verdict === "PROVEN";
    if (!proven) failed++;
    console.log(
      `${index}: ${run.result.verdict}, ${run.killed.length} of ${points.length} kills, ${seconds()} s ${run.result.reasons.join("; ")}`,
    );
  } catch (error) {
    failed++;
    console.log(`${index}: stopped after ${seconds()} s: ${error instanceof Error ? error.message : error}`);
  }
}
console.log(`${kills} kills in ${runs.length} drills, ${failed} not PROVEN`);
process.exit(failed === 0 ? 0 : 1);
