/** Whether what stands in DMS may be written down as what was last applied: the base of the first plan after an adoption. */
import { isWantedRunning, type StandingDms, taskDifference } from "../plan/standing.ts";
import { isBroken, isLoaded } from "../replication/loaded.ts";
import { effectiveTask } from "../tasks/effective.ts";
import type { EnvironmentName, Task, Tasks } from "../tasks/model.ts";

export interface AdoptedStand {
  /** What stands in the way, in words with the task's id first. */
  readonly problems: readonly string[];
  /** Tasks whose rules or settings differ from tasks.yaml, by id: how. They stay as they are until they are changed. */
  readonly differing: Readonly<Record<string, string>>;
}

export interface AdoptedInput {
  readonly tasks: Tasks;
  readonly environment: EnvironmentName;
  /** With every declared task's tables. */
  readonly live: StandingDms;
  /** The tasks as Terraform published them for the runbooks. */
  readonly published: readonly { readonly id: string; readonly arn: string }[];
}

/** Compares each declared task with DMS; tasks that nobody declared are drift's to name. */
export function adoptedStand({ tasks, environment, live, published }: AdoptedInput): AdoptedStand {
  const problems: string[] = [];
  const differing: Record<string, string> = {};
  for (const task of tasks.tasks) {
    const problem = problemWith(task, { tasks, environment, live, published });
    if (problem !== undefined) {
      problems.push(`${task.id}: ${problem}`);
      continue;
    }
    const difference = taskDifference(tasks, task.id, environment, live);
    if (difference !== undefined) differing[task.id] = difference;
  }
  return { problems, differing };
}

function problemWith(task: Task, { tasks, environment, live, published }: AdoptedInput): string | undefined {
  const found = live.tasks.get(task.id);
  if (!found) return "no DMS task of that name";
  const { endpoint } = effectiveTask(tasks, task, environment);
  if (live.endpoints.get(endpoint) !== found.targetEndpointArn)
    return `writes through another endpoint than ${endpoint}`;
  if (!published.some(({ id, arn }) => id === task.id && arn === found.arn))
    return `${found.arn} is not among the published environment's replicationTasks`;
  if (isWantedRunning(tasks, task.id, environment) && found.status !== "running")
    return [found.status, found.stopReason, found.lastFailure].filter((part) => part).join("; ");
  const names = new Set(task.collections.map(({ name }) => name));
  const tables = found.tables.filter(({ schema, table }) => schema === task.database && names.has(table));
  const broken = tables.find(isBroken);
  if (broken) return `${broken.schema}.${broken.table}: ${broken.state}`;
  const loading = tables.find((table) => !isLoaded(table));
  return loading && `${loading.schema}.${loading.table} is not loaded yet: ${loading.state}`;
}
