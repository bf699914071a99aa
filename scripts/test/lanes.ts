import type { Counts } from "./counts.ts";
import { runSuite } from "./run-suite.ts";
import type { Suite } from "./suites.ts";

const atOnceMax = 8;

/** How many suites run at once. */
export const lanes = Math.min(
  atOnceMax,
  Math.max(1, Math.trunc(Number(process.env.SUITES_AT_ONCE ?? 2)) || 1),
);

/**
 * Runs suites in order, some at once. What one prints stands together, shown when it has ended; where there is only one
 * at a time, at once. Ends early when the run was interrupted.
 */
export async function runInLanes(
  suites: readonly Suite[],
  requireAll: boolean,
  atOnce: number,
): Promise<Map<string, Counts>> {
  const results = new Map<string, Counts>();
  const waiting = [...suites];
  const live = atOnce === 1 || suites.length === 1;
  const lane = async () => {
    for (let suite = waiting.shift(); suite && process.exitCode !== 130; suite = waiting.shift()) {
      const printed: string[] = [];
      const print = live
        ? (text: string) => void process.stdout.write(text)
        : (text: string) => void printed.push(text);
      if (!live) console.log(`… ${suite.name}`);
      results.set(suite.name, await runSuite(suite, requireAll, print));
      process.stdout.write(printed.join(""));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  // In the suites' own order, whichever ended first.
  return new Map(
    suites.flatMap(({ name }) => (results.has(name) ? [[name, results.get(name)!] as const] : [])),
  );
}
