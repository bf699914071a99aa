import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fuzz } from "./fuzz.ts";
import { fuzzSources } from "./fuzz-sources.ts";

const own = readFileSync(join(import.meta.dirname, "../../tasks.yaml"), "utf8");

test("2,000 mutated tasks files: no crash, none over a second, each refusal with a place in the text", () => {
  const result = fuzz([own, ...fuzzSources], 1, 0, 2000);
  expect(result.failures).toEqual([]);
  // Both sides are reached, and far more than one rule.
  expect(result.accepted).toBeGreaterThan(50);
  expect(result.refused).toBeGreaterThan(1000);
  expect(Object.keys(result.codes).length).toBeGreaterThan(15);
}, 60_000);
