import { describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");
const linesOfProtocol = 30;

interface Line {
  readonly number: number;
  readonly due: string;
  readonly tests: readonly { readonly file: string; readonly name: string }[];
}

/** The rows of docs/invariants.md. In a cell of tests, a name without a file belongs to the file before it. */
function lines(): Line[] {
  const page = readFileSync(join(root, "docs/invariants.md"), "utf8");
  return [...page.matchAll(/^\| (\d+) \| .* \| (core|next) \| (.*) \|$/gm)].map(
    ([, number, due = "", cell = ""]) => {
      let file = "";
      const tests = cell.split("<br>").flatMap((part) => {
        file = /\]\(\.\.\/([^)]+)\)/.exec(part)?.[1] ?? file;
        const name = /`(.+)`$/.exec(part)?.[1];
        return name ? [{ file, name }] : [];
      });
      return { number: Number(number), due, tests };
    },
  );
}

/** Names as they stand in a test file, after `test(`, `describe(` and their like. */
function namesIn(file: string): Set<string> {
  const text = readFileSync(join(root, file), "utf8");
  return new Set(
    [...text.matchAll(/\b(?:test|describe)(?:\.\w+(?:\([^)]*\))?)?\(\s*(["`])(.+?)\1,/g)].map(
      ([, , name = ""]) => name,
    ),
  );
}

describe("docs/invariants.md", () => {
  test("has each line of the protocol once, in order", () => {
    expect(lines().map(({ number }) => number)).toEqual(
      Array.from({ length: linesOfProtocol }, (_, n) => n + 1),
    );
  });

  test("names at least one test for each line that is due", () => {
    expect(lines().filter(({ due, tests }) => due === "core" && tests.length === 0)).toEqual([]);
  });

  test.each(
    lines().flatMap(({ number, tests }) => tests.map(({ file, name }) => [number, file, name] as const)),
  )("line %d: %s has the test: %s", (_, file, name) => {
    expect(existsSync(join(root, file))).toBe(true);
    expect(namesIn(file)).toContain(name);
  });
});

test("every test that cites a line cites one that exists", () => {
  const files = execFileSync("git", ["ls-files", "*.test.ts"], { cwd: root, encoding: "utf8" })
    .trim()
    .split("\n");
  const cited = files
    .filter((file) => existsSync(join(root, file)))
    .flatMap((file) => [...namesIn(file)].map((name) => ({ file, name })))
    .flatMap(({ file, name }) => {
      const numbers = /^failback (\d+(?:(?:, | and )\d+)*):/.exec(name)?.[1]?.split(/, | and /) ?? [];
      return numbers.map((number) => ({ file, number: Number(number) }));
    });
  expect(cited.length).toBeGreaterThan(80);
  expect(cited.filter(({ number }) => number < 1 || number > linesOfProtocol)).toEqual([]);
});
