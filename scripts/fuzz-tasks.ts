/** `bun scripts/fuzz-tasks.ts [--cases N] [--seed S] [--from N]`: mutated tasks files, none may crash or be slow. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fuzz } from "./tasks/fuzz.ts";
import { fuzzSources } from "./tasks/fuzz-sources.ts";

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    from: { type: "string", default: "0" },
  },
});
const own = readFileSync(join(import.meta.dirname, "../tasks.yaml"), "utf8");
const from = Number(values.from);
const result = fuzz([own, ...fuzzSources], Number(values.seed), from, from + Number(values.cases));
console.log(JSON.stringify(result));
process.exit(result.failures.length > 0 ? 1 : 0);
