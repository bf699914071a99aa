import { effectiveTask } from "../tasks/effective.ts";
import { type EnvironmentName, environmentNames, type Task, type Tasks } from "../tasks/model.ts";
import { type Catalog, type CollectionChanges, collectionChanges } from "./catalog.ts";
import { type Reason, type RunChange, type TaskAction, type TaskPlan, taskActions } from "./model.ts";
import { type RuleName, ruleTable } from "./rule-table.ts";
import { type Change, collectionSettingChanges, settingChanges } from "./setting-changes.ts";
import { counted, listed } from "./words.ts";

export interface Sides {
  readonly base: Tasks | undefined;
  readonly head: Tasks;
  readonly catalog: Catalog;
  /** Whether defaults and target endpoints are the same: only then can a task be judged by itself. */
  readonly sameAround: boolean;
}

const nothing: CollectionChanges = {
  added: [],
  removed: [],
  movedIn: [],
  movedOut: [],
  renamed: [],
  kept: [],
};

/** What happens to one task; at least one side has it. */
export function planTask(sides: Sides, base: Task | undefined, head: Task | undefined): TaskPlan {
  if (!base) return createdTask(sides.head, head!);
  if (!head) return deletedTask(base);
  const databaseStays = base.database === head.database;
  const changes = databaseStays ? collectionChanges(base, head, sides.catalog) : nothing;
  const reasons = [
    ...(databaseStays ? collectionReasons(changes) : [databaseReason(base, head)]),
    ...settingReasons(sides, base, head, databaseStays),
  ].sort((left, right) => rankOf(right.action) - rankOf(left.action));
  const action = strongest(reasons);
  const whole = action === "reload" || action === "recreate";
  const names = (task: Task) => task.collections.map(({ name }) => name);
  return {
    id: head.id,
    database: head.database,
    action,
    destructive: reasons.some(({ rule }) => ruleTable[rule as RuleName].destructive),
    reasons,
    collectionsAdded: databaseStays ? [...changes.added, ...changes.movedIn] : names(head),
    collectionsRemoved: databaseStays ? [...changes.removed, ...changes.movedOut] : names(base),
    collectionsRenamed: changes.renamed,
    collectionsLoaded: whole ? names(head) : [...changes.added, ...changes.movedIn],
    environments: differing(reasons, action),
    run: runChanges(reasons),
  };
}

/** A task neither side changes: most of them, so it costs nothing. */
export function unchangedTask({ id, database }: Task): TaskPlan {
  return {
    id,
    database,
    action: "none",
    destructive: false,
    reasons: [],
    collectionsAdded: [],
    collectionsRemoved: [],
    collectionsRenamed: [],
    collectionsLoaded: [],
    environments: [],
    run: [],
  };
}

function createdTask(tasks: Tasks, head: Task): TaskPlan {
  const names = head.collections.map(({ name }) => name);
  const idle = environmentNames.filter((name) => !effectiveTask(tasks, head, name).running);
  const started = idle.length > 0 ? `; not started in ${idle.join(", ")}` : "";
  const change = `new task with ${counted(names.length, "collection")}: ${listed(names)}${started}`;
  return {
    ...unchangedTask(head),
    action: "create",
    reasons: [reasonOf({ rule: "task-added", change })],
    collectionsAdded: names,
    collectionsLoaded: names,
  };
}

function deletedTask(base: Task): TaskPlan {
  const names = base.collections.map(({ name }) => name);
  const change = `task removed, with ${counted(names.length, "collection")}: ${listed(names)}`;
  return {
    ...unchangedTask(base),
    action: "delete",
    destructive: true,
    reasons: [reasonOf({ rule: "task-removed", change })],
    collectionsRemoved: names,
  };
}

function databaseReason(base: Task, head: Task): Reason {
  return reasonOf({ rule: "database-changed", change: `database: ${base.database} → ${head.database}` });
}

function collectionReasons(changes: CollectionChanges): Reason[] {
  const rows: readonly (readonly [RuleName, string, readonly string[]])[] = [
    ["collection-added", "added", changes.added],
    ["collection-removed", "removed", changes.removed],
    ["collection-moved-in", "taken over from another task", changes.movedIn],
    ["collection-moved-out", "handed to another task", changes.movedOut],
    ["collection-renamed", "renamed", changes.renamed.map(({ from, to }) => `${from} → ${to}`)],
  ];
  return rows
    .filter(([, , names]) => names.length > 0)
    .map(([rule, verb, names]) => reasonOf({ rule, change: `${verb}: ${listed(names)}` }))
    .concat(collectionSettingChanges(changes.kept).map((change) => reasonOf(change)));
}

/** The same change in several environments is one reason. A new database brings its endpoint with it. */
function settingReasons(sides: Sides, base: Task, head: Task, databaseStays: boolean): Reason[] {
  if (sides.sameAround && sameSettings(base, head)) return [];
  const grouped = new Map<string, { change: Change; environments: EnvironmentName[] }>();
  for (const environment of environmentNames) {
    const before = effectiveTask(sides.base!, base, environment);
    const after = effectiveTask(sides.head, head, environment);
    for (const change of settingChanges(before, after)) {
      if (change.rule === "endpoint-changed" && !databaseStays) continue;
      const key = `${change.rule} ${change.change}`;
      const group = grouped.get(key) ?? { change, environments: [] };
      group.environments.push(environment);
      grouped.set(key, group);
    }
  }
  return [...grouped.values()].map(({ change, environments }) => reasonOf(change, environments));
}

function reasonOf(
  { rule, change }: Change,
  environments: readonly EnvironmentName[] = environmentNames,
): Reason {
  const { action, why } = ruleTable[rule];
  return { rule, action, change, why, environments };
}

function sameSettings(base: Task, head: Task): boolean {
  const parts = ({ owners, running, settings, environments }: Task) => [
    owners,
    running,
    settings,
    environments,
  ];
  return base.database === head.database && JSON.stringify(parts(base)) === JSON.stringify(parts(head));
}

/** How much an action does, for sorting: 0 is nothing. */
export function rankOf(action: TaskAction): number {
  return taskActions.indexOf(action);
}

function strongest(reasons: readonly Reason[]): TaskAction {
  return reasons.reduce<TaskAction>(
    (most, { action }) => (rankOf(action) > rankOf(most) ? action : most),
    "none",
  );
}

function differing(reasons: readonly Reason[], action: TaskAction): TaskPlan["environments"] {
  return environmentNames
    .map((name) => ({
      name,
      action: strongest(reasons.filter(({ environments }) => environments.includes(name))),
    }))
    .filter((environment) => environment.action !== action);
}

function runChanges(reasons: readonly Reason[]): { name: EnvironmentName; change: RunChange }[] {
  return reasons.flatMap(({ rule, environments }) => {
    if (rule !== "running-started" && rule !== "running-stopped") return [];
    const change: RunChange = rule === "running-started" ? "start" : "stop";
    return environments.map((name) => ({ name, change }));
  });
}
