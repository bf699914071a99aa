import { expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { suites } from "./suites.ts";

const root = join(import.meta.dirname, "../..");

/** Test files in the work tree, also those not yet committed. */
function testFiles(): string[] {
  const git = [
    "ls-files",
    "--cached",
    "--others",
    "--exclude-standard",
    "*.test.ts",
    "*.test.mjs",
    "*.spec.ts",
  ];
  const listed = execFileSync("git", git, { cwd: root, encoding: "utf8" }).split("\n");
  return [...new Set(listed)].filter((path) => path !== "" && existsSync(join(root, path)));
}

const suitesOf = (file: string) =>
  suites
    .filter(
      (suite) => "tests" in suite && suite.tests.some((path) => file === path || file.startsWith(`${path}/`)),
    )
    .map(({ name }) => name);

test("every test file is run by exactly one suite", () => {
  const files = testFiles();
  expect(files.length).toBeGreaterThan(100);
  const wrong = files
    .map((file) => ({ file, suites: suitesOf(file) }))
    .filter((found) => found.suites.length !== 1);
  expect(wrong).toEqual([]);
});

test("every path a suite names has tests", () => {
  const files = testFiles();
  const named = suites.flatMap((suite) => ("tests" in suite ? suite.tests : []));
  const empty = named.filter((path) => !files.some((file) => file === path || file.startsWith(`${path}/`)));
  expect(empty).toEqual([]);
});
