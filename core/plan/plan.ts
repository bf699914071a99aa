import type { Task, Tasks } from "../tasks/model.ts";
import { endpointOf } from "../tasks/names.ts";
import { Catalog } from "./catalog.ts";
import { digestOf, tasksHashOf } from "./digest.ts";
import { environmentPlans } from "./environment-plan.ts";
import {
  type EndpointPlan,
  type Plan,
  type Revision,
  type TaskAction,
  type TaskPlan,
  taskActions,
} from "./model.ts";
import { planTask, rankOf, unchangedTask } from "./task-plan.ts";
import { counted, listed } from "./words.ts";

export interface PlanInput {
  /** Absent when the base has no tasks file yet: then everything is created. */
  readonly base: Tasks | undefined;
  readonly head: Tasks;
  readonly baseRevision: Revision;
  readonly headRevision: Revision;
}

/** What going from one revision of tasks.yaml to another will do. Pure: the same input gives the same digest. */
export function makePlan({ base, head, baseRevision, headRevision }: PlanInput): Plan {
  const catalog = new Catalog(base, head);
  const tasks = taskPlans(base, head, catalog);
  const summary = Object.fromEntries(taskActions.map((action) => [action, 0])) as Record<TaskAction, number>;
  for (const { action } of tasks) summary[action] += 1;
  const environments = environmentPlans(catalog);
  const plan: Omit<Plan, "digest"> = {
    version: 1,
    base: baseRevision,
    head: headRevision,
    tasksHash: tasksHashOf(head),
    summary,
    tasks,
    endpoints: endpointPlans(base, head),
    environments,
    willNotHappen: willNotHappen(tasks, environments),
  };
  return { ...plan, digest: digestOf(plan) };
}

function taskPlans(base: Tasks | undefined, head: Tasks, catalog: Catalog): TaskPlan[] {
  const before = new Map(base?.tasks.map((task) => [task.id, task]));
  const after = new Set(head.tasks.map(({ id }) => id));
  const sameAround =
    base !== undefined &&
    JSON.stringify([base.defaults, base.targetEndpoints]) ===
      JSON.stringify([head.defaults, head.targetEndpoints]);
  const same = (left: Task | undefined, right: Task) =>
    sameAround && left !== undefined && JSON.stringify(left) === JSON.stringify(right);
  const sides = { base, head, catalog, sameAround };
  const plans = head.tasks.map((task) => {
    const old = before.get(task.id);
    return same(old, task) ? unchangedTask(task) : planTask(sides, old, task);
  });
  for (const task of base?.tasks ?? []) if (!after.has(task.id)) plans.push(planTask(sides, task, undefined));
  return plans.sort(
    (left, right) =>
      Number(right.destructive) - Number(left.destructive) ||
      rankOf(right.action) - rankOf(left.action) ||
      right.reasons.length - left.reasons.length ||
      (left.id < right.id ? -1 : 1),
  );
}

function endpointPlans(base: Tasks | undefined, head: Tasks): EndpointPlan[] {
  const [before, after] = [endpointsOf(base), endpointsOf(head)];
  const plan = (id: string, database: string, action: EndpointPlan["action"]) => ({ id, database, action });
  return [
    ...[...before].filter(([id]) => !after.has(id)).map(([id, database]) => plan(id, database, "delete")),
    ...[...after].filter(([id]) => !before.has(id)).map(([id, database]) => plan(id, database, "create")),
  ];
}

function endpointsOf(tasks: Tasks | undefined): Map<string, string> {
  return new Map(tasks?.tasks.map(({ database }) => [endpointOf(tasks, database), database]));
}

function willNotHappen(tasks: readonly TaskPlan[], environments: Plan["environments"]): string[] {
  const lines: string[] = [];
  for (const { name, databasesKept, collectionsKept } of environments) {
    const kept = `${name}: kept on DocumentDB with all data, though no longer replicated`;
    if (databasesKept.length > 0)
      lines.push(`${kept}: ${counted(databasesKept.length, "database")}, ${listed(databasesKept)}`);
    if (collectionsKept.length > 0)
      lines.push(`${kept}: ${counted(collectionsKept.length, "collection")}, ${listed(collectionsKept)}`);
  }
  lines.push("prod: no database and no collection is dropped");
  const untouched = tasks.filter(({ action, run }) => action === "none" && run.length === 0).length;
  if (untouched > 0) lines.push(`${counted(untouched, "other task")} not stopped, changed or loaded again`);
  const resumed = tasks.filter(({ action }) => action === "modify-and-resume").length;
  if (resumed > 0)
    lines.push(
      `in ${counted(resumed, "task")} to modify-and-resume, no collection is loaded again but those listed`,
    );
  return lines;
}
