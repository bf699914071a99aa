import { environmentNames } from "../tasks/model.ts";
import { within } from "./markdown.ts";
import type { EnvironmentPlan, LoadEstimate, Plan, Reason, TaskAction, TaskPlan } from "./model.ts";
import {
  leftLines,
  liveDataLines,
  loadWords,
  lookedLine,
  lossLines,
  obstacleLines,
  problemLines,
  resourceLines,
  terraformSummary,
  unknownLines,
  userLines,
} from "./render-live.ts";
import { counted, listed } from "./words.ts";

/** A first plan of the whole stack has a hundred lines: its counts stand above. */
const resourcesLengthMax = 4000;

const signs: Readonly<Record<TaskAction, string>> = {
  none: " ",
  "modify-and-resume": "~",
  create: "+",
  reload: "↻",
  recreate: "±",
  delete: "-",
};

/** The plan as plain text, destructive lines first. */
export function renderTerminal(plan: Plan): string {
  const changed = plan.tasks.filter(isShown);
  const destructive = changed.filter((task) => task.destructive);
  const others = changed.filter((task) => !task.destructive);
  const loads = loadsByTask(plan);
  const lines = (task: TaskPlan) => taskLines(task, loads.get(task.id));
  const looked = [lookedLine(plan), terraformSummary(plan)].filter((line) => line !== undefined);
  return [
    `Plan: ${plan.base.name} → ${plan.head.name}`,
    `  ${summaryLine(plan)}`,
    `  digest ${plan.digest}`,
    ...looked.map((line) => `  ${line}`),
    ...section("Terraform disagrees", problemLines(plan)),
    ...section("Destructive", [...droppedLines(plan), ...lossLines(plan), ...destructive.flatMap(lines)]),
    ...section("Unknown", unknownLines(plan)),
    ...section("In the way", obstacleLines(plan)),
    ...section("Changes", others.flatMap(lines)),
    ...section("Terraform, losses first", within(resourceLines(plan), resourcesLengthMax)),
    ...section("On DocumentDB", [...dataLines(plan), ...liveDataLines(plan)]),
    ...section("Users, to be looked at", userLines(plan)),
    ...section("Will not happen", [...plan.willNotHappen, ...leftLines(plan)]),
    "",
  ].join("\n");
}

/** Whether there is anything to say about a task. */
export function isShown({ action, reasons }: TaskPlan): boolean {
  return action !== "none" || reasons.length > 0;
}

/** `1 to delete, 2 to modify-and-resume, 12 unchanged` */
export function summaryLine({ summary }: Plan): string {
  const order: readonly TaskAction[] = ["delete", "recreate", "reload", "create", "modify-and-resume"];
  const parts = order
    .filter((action) => summary[action] > 0)
    .map((action) => `${summary[action]} to ${action}`);
  return [...(parts.length > 0 ? parts : ["no task changes"]), `${summary.none} unchanged`].join(", ");
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length > 0 ? ["", title, ...lines.map((line) => `  ${line}`)] : [];
}

/** What each task loads, where somebody looked. */
export function loadsByTask({ live }: Plan): ReadonlyMap<string, LoadEstimate> {
  return new Map(live?.loads.map((load) => [load.task, load]));
}

function taskLines(task: TaskPlan, load: LoadEstimate | undefined): string[] {
  const { action, id, database, collectionsLoaded } = task;
  return [
    `${signs[action]} ${action.padEnd(17)} ${id} (database ${database})`,
    ...task.reasons.flatMap((reason) => [`    ${reason.change}${whereText(reason)}`, `      ${reason.why}`]),
    ...(collectionsLoaded.length > 0 ? [`    loaded in full: ${listed(collectionsLoaded)}`] : []),
    ...(load ? [`      ${loadWords(load)}`] : []),
    ...task.environments.map((environment) => `    in ${environment.name}: ${environment.action}`),
  ];
}

/** ` [dev, qa]`, or nothing for a change that is the same everywhere. */
export function whereText({ environments }: Reason): string {
  return environments.length === environmentNames.length ? "" : ` [${environments.join(", ")}]`;
}

/** What is dropped, environments with the same loss together. */
export function droppedLines(plan: Plan): string[] {
  return [
    ...perEnvironment(
      plan,
      ({ databasesDropped }) => databasesDropped,
      (names) =>
        `${counted(names.length, "database")} dropped with everything in it, also collections not listed here: ${listed(names)}`,
    ),
    ...perEnvironment(
      plan,
      ({ collectionsDropped }) => collectionsDropped,
      (names) => `${counted(names.length, "collection")} dropped: ${listed(names)}`,
    ),
  ];
}

/** What is created and renamed on DocumentDB, and the endpoints. */
export function dataLines(plan: Plan): string[] {
  const endpoints = (action: "create" | "delete") =>
    plan.endpoints.filter((endpoint) => endpoint.action === action).map(({ id }) => id);
  return [
    ...perEnvironment(
      plan,
      ({ databasesCreated }) => databasesCreated,
      (names) => `${counted(names.length, "database")} created with its collections: ${listed(names)}`,
    ),
    ...perEnvironment(
      plan,
      ({ collectionsCreated }) => collectionsCreated,
      (names) => `${counted(names.length, "collection")} created: ${listed(names)}`,
    ),
    ...perEnvironment(
      plan,
      ({ collectionsRenamed }) => collectionsRenamed.map(({ from, to }) => `${from} → ${to}`),
      (names) => `${counted(names.length, "collection")} renamed: ${listed(names)}`,
    ),
    ...(["delete", "create"] as const)
      .filter((action) => endpoints(action).length > 0)
      .map((action) => {
        const ids = endpoints(action);
        return `${counted(ids.length, "target endpoint")} ${action}d: ${listed(ids)}`;
      }),
  ];
}

function perEnvironment(
  plan: Plan,
  names: (environment: EnvironmentPlan) => readonly string[],
  sentence: (names: readonly string[]) => string,
): string[] {
  const grouped = new Map<string, string[]>();
  for (const environment of plan.environments) {
    const found = names(environment);
    if (found.length === 0) continue;
    const line = sentence(found);
    grouped.set(line, [...(grouped.get(line) ?? []), environment.name]);
  }
  return [...grouped].map(([line, environments]) => `${environments.join(", ")}: ${line}`);
}
