import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { exitCodeMeanings, exitCodes } from "../../core/errors.ts";

const root = join(import.meta.dirname, "../..");
const units = join(root, "services/units");

/** Codes that keep a unit down; the same in every unit. */
function staysDown(): Set<number> {
  // One that is never restarted, because its timer asks again, has no list.
  const lists = readdirSync(units)
    .filter((name) => name.endsWith(".service"))
    .map((name) => readFileSync(join(units, name), "utf8"))
    .filter((text) => /^Restart=(?!no$)/m.test(text))
    .map((text) => /^RestartPreventExitStatus=(.*)$/m.exec(text)?.[1] ?? "");
  expect(lists.length).toBeGreaterThan(7);
  expect(new Set(lists).size).toBe(1);
  return new Set(lists[0]?.split(" ").map(Number));
}

test("docs/exit-codes.md is the codes of core/errors.ts, and says what the units do with each", () => {
  const down = staysDown();
  const expected = Object.entries(exitCodes).map(([kind, code]) => {
    const restarted = code === exitCodes.ok || down.has(code) ? "no" : "yes";
    return `| ${code} | \`${kind}\` | ${exitCodeMeanings[kind as keyof typeof exitCodes]} | ${restarted} |`;
  });
  const page = readFileSync(join(root, "docs/exit-codes.md"), "utf8");
  expect(page.split("\n").filter((line) => /^\| \d/.test(line))).toEqual(expected);
});
