/** A plan of two revisions against reading one of them with the YAML library and doing nothing with it. */
import { parse } from "yaml";
import { makePlan } from "../core/plan/plan.ts";
import { renderMarkdown } from "../core/plan/render-markdown.ts";
import { parseTasks } from "../core/tasks/tasks.ts";
import { manyTasks } from "../scripts/tasks/example.ts";
import { benchmarkArguments, measureRatio, report } from "./ratio.ts";

const { rounds, size, json } = benchmarkArguments(10_000);
const base = manyTasks(size);
// Every task changes: nothing can be skipped.
const head = manyTasks(size, true);

const result = await measureRatio(
  // A plan may take 2.5 times the bare reading of one file, and it reads two.
  { name: "plan", work: `${size} tasks, each changed, ${head.length} characters`, target: 1 / 2.5 },
  { name: "plan", prepare: async () => {}, run: planOnce },
  { name: "the YAML library alone on the head", prepare: async () => {}, run: async () => void parse(head) },
  rounds,
);
report(result, json);

async function planOnce(): Promise<void> {
  const plan = makePlan({
    base: parseTasks(base),
    head: parseTasks(head),
    baseRevision: { name: "base" },
    headRevision: { name: "head" },
  });
  if (plan.summary["modify-and-resume"] !== size) throw new Error("the plan missed a change");
  renderMarkdown(plan);
}
