/**
 * The sweep of decision 8: the first apply of the whole stack, killed at every one of its requests to AWS, and run again.
 *
 *   bun tests/terraform-kills/main.ts [--pass NAME] [--only TEXT] [--done FILE] [--workers 2]
 *
 * `--only` keeps the points whose name contains it: a line of a failure, run again by itself. `--done` goes on with a sweep
 * that was broken off: points that stand in what it wrote, and not as failed, are left out.
 */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { awsVariables } from "../../sandbox/aws/test-server.ts";
import { removeTemporaryFolders, temporaryFolder } from "../support/temporary-folder.ts";
import { type Pass, type Point, passes } from "./points.ts";

const { values } = parseArgs({
  options: {
    pass: { type: "string", multiple: true },
    only: { type: "string" },
    done: { type: "string" },
    workers: { type: "string", default: String(cpus().length) },
  },
});
// Every account has them alike; set for good, as accounts come and go beside each other.
Object.assign(process.env, awsVariables("http://127.0.0.1:9"));
// Thousands of processes of a second each: what tidies up behind them costs more than it gives.
Object.assign(process.env, { GOGC: "off", GOMAXPROCS: "1", BUN_JSC_useDFGJIT: "0" });
const { only } = values;
const done = values.done === undefined ? [] : readFileSync(values.done, "utf8").split("\n");
const minutesSince = (started: number) => ((performance.now() - started) / 60_000).toFixed(1);
const started = performance.now();
let failed = 0;
for (const pass of passes) {
  if (values.pass && !values.pass.includes(pass.name)) continue;
  failed += await run(pass);
}
removeTemporaryFolders();
console.log(`${failed} points failed, ${minutesSince(started)} minutes`);
process.exit(failed === 0 ? 0 : 1);

async function run(pass: Pass): Promise<number> {
  const started = performance.now();
  const { says, points } = await pass.points(join(temporaryFolder("terraform-kills"), pass.name));
  const wanted = points.filter(
    ({ name }) => (only === undefined || name.includes(only)) && !isDone(pass, name),
  );
  console.log(`${pass.name}: ${says}; ${wanted.length} points`);
  const open = spread([...wanted.entries()]);
  const count = { reached: 0, failed: 0 };
  const work = async () => {
    for (let next = open.shift(); next; next = open.shift()) {
      const [index, point] = next;
      const outcome = await attempt(point);
      count.reached += outcome.reached ? 1 : 0;
      count.failed += outcome.failed ? 1 : 0;
      console.log(`${pass.name} ${index + 1}/${wanted.length} ${point.name}: ${outcome.said}`);
    }
  };
  await Promise.all(Array.from({ length: Number(values.workers) }, work));
  console.log(
    `${pass.name}: ${count.reached} of ${wanted.length} points reached, ${count.failed} failed, ${minutesSince(started)} minutes`,
  );
  return count.failed;
}

/** How many moments a world has besides its first is another number in each recording. */
function isDone(pass: Pass, name: string): boolean {
  const [first = ""] = name.split(" (and ");
  const lived = new RegExp(`^${pass.name} \\d+/\\d+ ${RegExp.escape(first)}( \\(and |: )`);
  return done.some((line) => lived.test(line) && !line.endsWith("FAILED"));
}

/** Every eighth, then those between: a sweep that is broken off has been everywhere. */
function spread<Item>(items: readonly Item[]): Item[] {
  return [0, 4, 2, 6, 1, 5, 3, 7].flatMap((rest) => items.filter((_, index) => index % 8 === rest));
}

async function attempt(point: Point): Promise<{ reached: boolean; failed: boolean; said: string }> {
  const started = performance.now();
  try {
    const { reached, said } = await point.run();
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    return { reached, failed: false, said: `${reached ? "" : "NOT REACHED, "}${said}, ${seconds} s` };
  } catch (error) {
    return { reached: true, failed: true, said: `FAILED\n${error instanceof Error ? error.message : error}` };
  }
}
