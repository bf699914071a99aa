/** Terraform side by side: what it will do to DMS and DocumentDB is what the reviewed plan says, or it is a problem. */
import type { InfrastructureChange } from "../ports.ts";
import { endpointType, guarded, taskType } from "./guarded-types.ts";
import type { Plan, TaskAction } from "./model.ts";
import { listed } from "./words.ts";

export { readTerraformDrift, readTerraformPlan } from "./terraform-plan.ts";

type Action = InfrastructureChange["action"] | "nothing";

/**
 * Where Terraform's plan and this one disagree, one sentence each with its way out; empty when they agree. Losses come
 * first. `accepted` are addresses a person has let pass: a replacement or deletion tasks.yaml has no words for.
 */
export function checkInfrastructure(
  plan: Plan,
  environment: string,
  changes: readonly InfrastructureChange[],
  accepted: readonly string[] = [],
): string[] {
  const pending = changes.filter(({ address }) => !accepted.includes(address));
  const [ofTasks, others] = partition(pending, ({ type }) => type === taskType);
  const [ofEndpoints, rest] = partition(others, ({ type }) => type === endpointType);
  const skipped = new Set(
    changes.filter(({ address }) => accepted.includes(address)).map(({ identifier }) => identifier),
  );
  const endpoints = new Map(plan.endpoints.map(({ id, action }) => [id, action]));
  const tasks = new Map<string, TaskAction>();
  for (const task of plan.tasks)
    tasks.set(task.id, task.environments.find(({ name }) => name === environment)?.action ?? task.action);
  const problems = [
    ...unannouncedLosses(rest),
    ...endpointProblems(ofEndpoints, endpoints, skipped),
    ...taskProblems(ofTasks, tasks, skipped),
  ];
  return problems
    .sort((left, right) => left.rank - right.rank || (left.text < right.text ? -1 : 1))
    .map(({ text }) => text);
}

interface Problem {
  readonly rank: number;
  readonly text: string;
}

function unannouncedLosses(changes: readonly InfrastructureChange[]): Problem[] {
  return changes
    .filter(({ type, action }) => isLoss(action) && Object.hasOwn(guarded, type))
    .map((change) => loss(change, "the plan of tasks.yaml never announces that"));
}

function endpointProblems(
  changes: readonly InfrastructureChange[],
  announced: ReadonlyMap<string, "create" | "delete">,
  skipped: ReadonlySet<string | undefined>,
): Problem[] {
  const problems = changes
    .filter(
      ({ action, identifier }) =>
        isLoss(action) && (action === "replace" || announced.get(identifier ?? "") !== "delete"),
    )
    .map((change) => loss(change, "the plan of tasks.yaml doesn't announce that"));
  const done = new Set(changes.map(({ action, identifier }) => `${action} ${identifier}`));
  for (const [id, action] of announced)
    if (!done.has(`${action} ${id}`) && !skipped.has(id))
      problems.push(notMade("DMS endpoint", id, action, "nothing with it"));
  return problems;
}

function taskProblems(
  changes: readonly InfrastructureChange[],
  announced: ReadonlyMap<string, TaskAction>,
  skipped: ReadonlySet<string | undefined>,
): Problem[] {
  const problems: Problem[] = [];
  const byTask = new Map<string, InfrastructureChange[]>();
  for (const change of changes) {
    if (isOnlyTags(change)) continue;
    if (change.identifier === undefined) problems.push(unnamed(change));
    else byTask.set(change.identifier, [...(byTask.get(change.identifier) ?? []), change]);
  }
  for (const id of new Set([...announced.keys(), ...byTask.keys()])) {
    if (skipped.has(id)) continue;
    const problem = taskProblem(id, announced.get(id) ?? "none", byTask.get(id) ?? []);
    if (problem) problems.push(problem);
  }
  return problems;
}

function taskProblem(
  id: string,
  wanted: TaskAction,
  found: readonly InfrastructureChange[],
): Problem | undefined {
  const got = together(found);
  if (expectedOf[wanted] === got) return undefined;
  const [first] = [...found].sort(
    (left, right) => Number(isLoss(right.action)) - Number(isLoss(left.action)),
  );
  if (!first) return notMade("DMS task", id, wanted, "nothing with it");
  if (isLoss(got)) {
    const words = wanted === "none" ? "doesn't announce that" : `says ${wanted}`;
    return loss({ ...first, action: got as "replace" | "delete" }, `the plan of tasks.yaml ${words}`);
  }
  return wanted === "none"
    ? unannounced(first)
    : notMade("DMS task", id, wanted, `${got} of ${first.address}`);
}

const expectedOf: Readonly<Record<TaskAction, Action>> = {
  none: "nothing",
  "modify-and-resume": "update",
  create: "create",
  reload: "update",
  recreate: "replace",
  delete: "delete",
};

/** A delete and a create of one task under two addresses is a replacement, too. */
function together(changes: readonly InfrastructureChange[]): Action {
  const actions = new Set(changes.map(({ action }) => action));
  if (actions.has("replace") || (actions.has("delete") && actions.has("create"))) return "replace";
  return (["delete", "create", "update"] as const).find((action) => actions.has(action)) ?? "nothing";
}

function isLoss(action: Action): boolean {
  return action === "replace" || action === "delete";
}

/** Owners are tags: DMS has no part in them. */
function isOnlyTags({ action, attributes }: InfrastructureChange): boolean {
  return (
    action === "update" && attributes.length > 0 && attributes.every((name) => /^tags(_all)?$/.test(name))
  );
}

function loss(change: InfrastructureChange, words: string): Problem {
  const { noun, loss: lost, wayOut } = guarded[change.type]!;
  const because = change.attributes.length > 0 ? ` (forced by ${listed(change.attributes)})` : "";
  const verb = change.action === "replace" ? "replaces" : "deletes";
  return {
    rank: 0,
    text: `${change.address}: Terraform ${verb} the ${noun}${named(change)}${because}; ${words}, and ${lost}; way out: ${wayOut}; if it is meant, --accept '${change.address}'`,
  };
}

function unannounced(change: InfrastructureChange): Problem {
  const what = change.attributes.length > 0 ? ` (${listed(change.attributes)})` : "";
  return {
    rank: 1,
    text: `${change.address}: Terraform ${change.action}s the DMS task${named(change)}${what}; the plan of tasks.yaml doesn't announce that; way out: change the task in tasks.yaml only; when somebody changed it by hand, roundtrip drift shows what`,
  };
}

function unnamed(change: InfrastructureChange): Problem {
  return {
    rank: isLoss(change.action) ? 0 : 1,
    text: `${change.address}: Terraform ${change.action}s a DMS task whose replication_task_id the plan doesn't say, so nobody can tell whether it was announced; way out: give replication_task_id a value that is known when planning and not sensitive`,
  };
}

function notMade(noun: string, id: string, announced: string, got: string): Problem {
  return {
    rank: 2,
    text: `${noun} ${id}: the plan of tasks.yaml says ${announced}, Terraform does ${got}; way out: plan Terraform from the same commit as tasks.yaml, with the state of this environment`,
  };
}

function named({ identifier }: InfrastructureChange): string {
  return identifier === undefined ? "" : ` ${identifier}`;
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}
