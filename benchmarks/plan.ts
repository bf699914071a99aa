/** A plan of two revisions against reading one of them with the YAML library and doing nothing with it. */
import { parse } from "yaml";
import { makePlan } from "../core/plan/plan.ts";
import { renderMarkdown } from "../core/plan/render-markdown.ts";
import { addCollections } from "../core/tasks/edit.ts";
import { parseTasks } from "../core/tasks/tasks.ts";
import { manyTasks } from "../scripts/tasks/example.ts";
import { benchmarkArguments, measureRatio, report } from "./ratio.ts";

const { rounds, size, json } = benchmarkArguments(10_000);
const base = manyTasks(size);
// One change in a large file is what people review; where every task changes, nothing can be skipped.
const heads = { "one of them changed": withOneMore(base), "each of them changed": manyTasks(size, true) };

for (const [what, head] of Object.entries(heads)) {
  const result = await measureRatio(
    // A plan may take 2.5 times the bare reading of one file, and it reads two.
    { name: `plan, ${what}`, work: `${size} tasks, ${what}, ${head.length} characters`, target: 1 / 2.5 },
    { name: "plan", prepare: async () => {}, run: async () => planOnce(head) },
    {
      name: "the YAML library alone on the head",
      prepare: async () => {},
      run: async () => void parse(head),
    },
    rounds,
  );
  report(result, json);
}

function planOnce(head: string): void {
  const plan = makePlan({
    base: parseTasks(base),
    head: parseTasks(head),
    baseRevision: { name: "base" },
    headRevision: { name: "head" },
  });
  if (plan.summary["modify-and-resume"] === 0) throw new Error("the plan missed a change");
  renderMarkdown(plan);
}

function withOneMore(text: string): string {
  const [first] = parseTasks(text).tasks;
  return addCollections(text, first!.id, [{ name: "one_more" }]);
}
