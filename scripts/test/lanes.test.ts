import { expect, spyOn, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../../tests/support/temporary-folder.ts";
import { runInLanes } from "./lanes.ts";
import type { Suite } from "./suites.ts";

/** A shell command as a suite. */
function suite(name: string, script: string): Suite {
  return { name, command: ["sh", "-c", script], minutesMax: 1 };
}

async function printedBy(run: () => Promise<unknown>): Promise<string> {
  const written: string[] = [];
  const keep = (text: unknown) => {
    written.push(String(text));
    return true;
  };
  using _write = spyOn(process.stdout, "write").mockImplementation(keep);
  using _log = spyOn(console, "log").mockImplementation((text) => void keep(`${text}\n`));
  await run();
  return written.join("");
}

test("two suites run at once, what each prints stands together, and the counts are in the suites' order", async () => {
  const folder = temporaryFolder("roundtrip-lanes");
  const seen = join(folder, "seen");
  // The first ends only when the second has run; it says something before and after.
  const slow = suite("slow", `echo before; until [ -e ${seen} ]; do sleep 0.01; done; echo after`);
  const quick = suite("quick", `echo meanwhile; touch ${seen}; exit 3`);
  const suites = [slow, quick];
  let counts: [string, number][] = [];
  const printed = await printedBy(async () => {
    const results = await runInLanes(suites, true, 2);
    counts = [...results].map(([name, { failed }]) => [name, failed]);
  });
  expect(existsSync(seen)).toBe(true);
  expect(counts).toEqual([
    ["slow", 0],
    ["quick", 1],
  ]);
  expect(printed).toContain("before\nafter\n");
  expect(printed).toContain("━━ quick\nmeanwhile\n");
});

test("one at a time: the second begins when the first has ended", async () => {
  const folder = temporaryFolder("roundtrip-lanes");
  const seen = join(folder, "seen");
  writeFileSync(seen, "");
  let passed: number[] = [];
  await printedBy(async () => {
    const results = await runInLanes(
      [suite("first", `sleep 0.1; rm ${seen}`), suite("second", `[ ! -e ${seen} ]`)],
      true,
      1,
    );
    passed = [...results.values()].map(({ passed }) => passed);
  });
  expect(passed).toEqual([1, 1]);
});
