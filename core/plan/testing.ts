import type { Tasks } from "../tasks/model.ts";
import { parseTasks } from "../tasks/tasks.ts";
import type { Plan } from "./model.ts";
import { makePlan } from "./plan.ts";

/** A tasks file of these tasks, in YAML's flow form without the braces. */
export function tasksOf(...tasks: readonly string[]): Tasks {
  return parseTasks(`version: 1\ntasks:\n${tasks.map((task) => `  - {${task}}\n`).join("")}`);
}

export function planOf(base: Tasks | undefined, head: Tasks, tree?: string): Plan {
  return makePlan({
    base,
    head,
    baseRevision: { name: "base" },
    headRevision: { name: "head", ...(tree ? { tree } : {}) },
  });
}
