/** Where DMS stands between two revisions of tasks.yaml: what is still to be done, and what nobody planned. */
import { mappingsDifference, settingsDifference } from "../drift/task-difference.ts";
import type { LiveTask } from "../live/live-state.ts";
import { effectiveTask } from "../tasks/effective.ts";
import { tableMappings } from "../tasks/mappings.ts";
import type { EnvironmentName, Tasks } from "../tasks/model.ts";
import { dmsTaskSettings } from "../tasks/task-settings.ts";
import type { Plan, RunChange, TaskAction, TaskPlan } from "./model.ts";

/** DMS as it is: tasks by their id, endpoint identifiers to ARNs. */
export interface StandingDms {
  readonly tasks: ReadonlyMap<string, LiveTask>;
  readonly endpoints: ReadonlyMap<string, string>;
}

/** What the plan does to a task in one environment. */
export function actionIn(task: TaskPlan, environment: EnvironmentName): TaskAction {
  return task.environments.find(({ name }) => name === environment)?.action ?? task.action;
}

/** Whether the plan starts or stops a task in one environment. */
export function runChangeIn(task: TaskPlan, environment: EnvironmentName): RunChange | undefined {
  return task.run.find(({ name }) => name === environment)?.change;
}

/** How a DMS task differs from what a revision declares, in words; `undefined` when it doesn't. Running is not looked at. */
export function taskDifference(
  tasks: Tasks | undefined,
  id: string,
  environment: EnvironmentName,
  { tasks: live, endpoints }: StandingDms,
): string | undefined {
  const declared = tasks?.tasks.find((task) => task.id === id);
  const found = live.get(id);
  if (!declared) return found ? "a DMS task of that name" : undefined;
  if (!found) return "no DMS task of that name";
  const { endpoint, settings } = effectiveTask(tasks!, declared, environment);
  const through = endpoints.get(endpoint) === found.targetEndpointArn;
  const parts = [
    through ? undefined : `another endpoint than ${endpoint}`,
    labelled("mappings", mappingsDifference(tableMappings(declared, settings.partitions), found.mappings)),
    labelled("settings", settingsDifference(dmsTaskSettings(settings), found.settings)),
  ].filter((part) => part !== undefined);
  return parts.length > 0 ? parts.join("; ") : undefined;
}

function labelled(label: string, difference: string | undefined): string | undefined {
  return difference === undefined ? undefined : `${label}: ${difference}`;
}

export interface Divergence {
  readonly id: string;
  readonly expected: string;
  readonly got: string;
}

/**
 * Tasks that are neither as last applied nor as this plan (or an unfinished one before it) makes them, and tasks the
 * plan leaves alone that should run and don't. `known` are the revisions a task may be at, what was last applied first.
 * An adopted task may differ from that as it did when it was adopted, and in no other way.
 */
export function divergences(
  plan: Plan,
  environment: EnvironmentName,
  known: readonly (Tasks | undefined)[],
  head: Tasks,
  live: StandingDms,
  adopted: Readonly<Record<string, string>> = {},
): Divergence[] {
  const found: Divergence[] = [];
  for (const task of plan.tasks) {
    const differences = known.map((tasks) => taskDifference(tasks, task.id, environment, live));
    const asAdopted = differences[0] !== undefined && differences[0] === adopted[task.id];
    if (!asAdopted && differences.every((difference) => difference !== undefined))
      found.push({ id: task.id, expected: "the task as it was last applied", got: differences[0]! });
    const left = actionIn(task, environment) === "none" && runChangeIn(task, environment) === undefined;
    const status = live.tasks.get(task.id)?.status;
    if (left && status !== undefined && isWantedRunning(head, task.id, environment) && !running.has(status))
      found.push({
        id: task.id,
        expected: "running, as tasks.yaml says",
        got: runningWords(live.tasks.get(task.id)!),
      });
  }
  return found;
}

const running = new Set(["running", "starting"]);

function runningWords({ status, stopReason, lastFailure }: LiveTask): string {
  return [status, stopReason, lastFailure].filter((part) => part).join("; ");
}

export function isWantedRunning(tasks: Tasks, id: string, environment: EnvironmentName): boolean {
  const task = tasks.tasks.find((each) => each.id === id);
  return task !== undefined && effectiveTask(tasks, task, environment).running;
}

/**
 * The same plan without what already stands: what Terraform has still to do when an interrupted apply is run again.
 * Equal to the plan while nothing was done.
 */
export function remainingPlan(
  plan: Plan,
  environment: EnvironmentName,
  head: Tasks,
  live: StandingDms,
): Plan {
  const tasks = plan.tasks.map((task) => {
    const action = remainingAction(task, environment, head, live);
    return { ...task, action, environments: [] };
  });
  const endpoints = plan.endpoints.filter(
    ({ id, action }) => live.endpoints.has(id) === (action === "delete"),
  );
  return { ...plan, tasks, endpoints };
}

function remainingAction(
  task: TaskPlan,
  environment: EnvironmentName,
  head: Tasks,
  live: StandingDms,
): TaskAction {
  const action = actionIn(task, environment);
  if (action === "none" || taskDifference(head, task.id, environment, live) === undefined) return "none";
  // A task that is to be replaced and is gone: only its creation is left.
  if (action === "recreate" && !live.tasks.has(task.id)) return "create";
  return action;
}
