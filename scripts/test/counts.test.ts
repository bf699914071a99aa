import { expect, test } from "bun:test";
import { bunCounts, closingLine, commandCounts } from "./counts.ts";

const output = (pass: number, fail: number, skips: readonly string[] = []) =>
  [
    "(pass) a thing holds [1.00ms]",
    ...skips.map((name) => `(skip) ${name}`),
    "",
    ` ${pass} pass`,
    ...(skips.length > 0 ? [` ${skips.length} skip`] : []),
    ` ${fail} fail`,
    " 12 expect() calls",
    "Ran 12 tests across 3 files. [1.00s]",
  ].join("\n");

test("passed and failed tests are counted as bun test counts them", () => {
  expect(bunCounts(output(11, 1), 1, false)).toMatchObject({ passed: 11, failed: 1, skipped: 0 });
  expect(bunCounts(output(12, 0), 0, true)).toMatchObject({ passed: 12, failed: 0, skipped: 0 });
});

test("a run that ends badly without a failed test, or runs no test, is one failure", () => {
  expect(bunCounts(output(12, 0), 134, false).failed).toBe(1);
  expect(bunCounts("", 0, false)).toMatchObject({ passed: 0, failed: 1 });
});

test("what a test prints in the form of a count is not taken for the closing lines", () => {
  expect(bunCounts(` 99 fail\n${output(12, 0)}`, 0, false)).toMatchObject({ passed: 12, failed: 0 });
});

test("a skipped test fails when everything is required, unless no installer brings what it needs", () => {
  const skips = ["moto: skipped: moto_server is not on PATH", "skipped: SPECIFICATIONS names no checkout"];
  expect(bunCounts(output(10, 0, skips), 0, false)).toMatchObject({
    passed: 10,
    failed: 0,
    skipped: 2,
    skips,
  });
  expect(bunCounts(output(10, 0, skips), 0, true)).toMatchObject({ passed: 10, failed: 1, skipped: 1 });
});

test("a failed test is named with its own error, not with its neighbours'", () => {
  const lines = [
    "noise",
    "(pass) first [1.00ms]",
    "error: expected 1, got 2",
    "    at x.ts:3",
    "(fail) second [2.00ms]",
  ];
  const atTheEnd = ["", "1 tests failed:", "(fail) second [2.00ms]", output(1, 1)];
  expect(bunCounts([...lines, ...atTheEnd].join("\n"), 1, false).failures).toEqual([
    "(fail) second [2.00ms]\nerror: expected 1, got 2\n    at x.ts:3",
  ]);
});

test("the closing line counts what passed and what failed, and nothing else", () => {
  expect(closingLine({ passed: 3, failed: 1 })).toBe("3 passed, 1 failed");
  expect(commandCounts("one thing\nis wrong\n", 2)).toMatchObject({
    passed: 0,
    failed: 1,
    failures: ["one thing\nis wrong"],
  });
});
