/** Predictions of a plan against what was seen afterwards: who reads plans must know how far to trust them. */
import type { LiveTask } from "../live/live-state.ts";
import type { EnvironmentName, Tasks } from "../tasks/model.ts";
import type { Plan, RunChange, TaskAction, TaskPlan } from "./model.ts";
import { actionIn, isWantedRunning, runChangeIn } from "./standing.ts";
import { counted, listed } from "./words.ts";

/** What was seen at one time: DMS's tasks, and what stands on DocumentDB. */
export interface Observed {
  readonly tasks: readonly LiveTask[];
  /** `database.collection`, and `database` for each database. */
  readonly names: readonly string[];
}

export interface TaskOutcome {
  readonly action: TaskAction;
  /** The task was stopped and went on, or was started. */
  readonly restarted: boolean;
  /** Collections that were loaded in full. */
  readonly loaded: readonly string[];
}

export interface TaskScore {
  readonly id: string;
  readonly predicted: TaskOutcome;
  readonly happened: TaskOutcome;
  readonly right: boolean;
}

export interface DataScore {
  readonly name: string;
  readonly predicted: "created" | "dropped" | "kept";
  readonly happened: "there" | "not there";
  readonly right: boolean;
}

/** `applied/scores/<operation>.json`. */
export interface Score {
  readonly version: 1;
  readonly environment: string;
  readonly digest: string;
  readonly predictions: number;
  readonly right: number;
  /** Every task the plan names, unchanged ones included: that nothing happens to them is a prediction, too. */
  readonly tasks: readonly TaskScore[];
  readonly data: readonly DataScore[];
}

/** Scores each prediction of a plan for one environment. */
export function scorePlan(
  plan: Plan,
  environment: EnvironmentName,
  head: Tasks,
  before: Observed,
  after: Observed,
): Score {
  const [was, is] = [byId(before.tasks), byId(after.tasks)];
  const tasks = plan.tasks.map((task) => {
    const predicted = predictionOf(task, environment, head);
    const happened = outcomeOf(was.get(task.id), is.get(task.id));
    return { id: task.id, predicted, happened, right: isRight(predicted, happened, is.get(task.id)) };
  });
  const data = dataScores(plan, environment, before.names, after.names);
  const all = [...tasks, ...data];
  return {
    version: 1,
    environment,
    digest: plan.digest,
    predictions: all.length,
    right: all.filter(({ right }) => right).length,
    tasks,
    data,
  };
}

/** One line for a summary: how many were right, and which were not. */
export function scoreInWords(score: Score): string {
  const wrong = [
    ...score.tasks
      .filter(({ right }) => !right)
      .map(
        ({ id, predicted, happened }) =>
          `${id}: predicted ${inWords(predicted)}, happened ${inWords(happened)}`,
      ),
    ...score.data
      .filter(({ right }) => !right)
      .map(({ name, predicted, happened }) => `${name}: predicted ${predicted}, is ${happened}`),
  ];
  const head = `${score.right} of ${counted(score.predictions, "prediction")} right`;
  return wrong.length > 0 ? `${head}; wrong: ${listed(wrong, 5)}` : head;
}

function inWords({ action, restarted, loaded }: TaskOutcome): string {
  const what = action === "none" && restarted ? "started or stopped" : action;
  return loaded.length > 0 ? `${what} with ${listed(loaded)} loaded` : what;
}

function byId(tasks: readonly LiveTask[]): Map<string, LiveTask> {
  return new Map(tasks.map((task) => [task.id, task]));
}

function predictionOf(task: TaskPlan, environment: EnvironmentName, head: Tasks): TaskOutcome {
  const action = actionIn(task, environment);
  const change: RunChange | undefined = runChangeIn(task, environment);
  const runs = isWantedRunning(head, task.id, environment);
  const restarted = change !== undefined || (runs && action !== "none" && action !== "delete");
  // A task that isn't started loads nothing.
  return { action, restarted, loaded: runs && action !== "none" ? [...task.collectionsLoaded].sort() : [] };
}

function outcomeOf(before: LiveTask | undefined, after: LiveTask | undefined): TaskOutcome {
  const restarted = before?.startedAt !== after?.startedAt || before?.status !== after?.status;
  const loaded = after ? loadedSince(before, after) : [];
  return { action: happenedTo(before, after), restarted: after !== undefined && restarted, loaded };
}

function happenedTo(before: LiveTask | undefined, after: LiveTask | undefined): TaskAction {
  if (!before || !after) return after ? "create" : before ? "delete" : "none";
  if (before.arn !== after.arn) return "recreate";
  const startedAnew = before.freshlyStartedAt !== after.freshlyStartedAt;
  if (startedAnew && before.freshlyStartedAt !== undefined) return "reload";
  const madeOf = ({ mappings, settings }: LiveTask) => JSON.stringify([mappings, settings]);
  return madeOf(before) === madeOf(after) ? "none" : "modify-and-resume";
}

/** Collections whose full load is not the one they had before. */
function loadedSince(before: LiveTask | undefined, after: LiveTask): string[] {
  const same = before?.arn === after.arn ? before : undefined;
  const loads = new Map(
    same?.tables.map(({ schema, table, fullLoadStartedAt }) => [`${schema}.${table}`, fullLoadStartedAt]),
  );
  return after.tables
    .filter(
      ({ schema, table, fullLoadStartedAt }) =>
        fullLoadStartedAt !== undefined && loads.get(`${schema}.${table}`) !== fullLoadStartedAt,
    )
    .map(({ table }) => table)
    .sort();
}

function isRight(predicted: TaskOutcome, happened: TaskOutcome, live: LiveTask | undefined): boolean {
  // What the source doesn't have (yet) can't be loaded: DMS says so, and the prediction stands.
  const absent = new Set(
    live?.tables.filter(({ state }) => state === "Table does not exist").map(({ table }) => table),
  );
  const expected = predicted.loaded.filter((name) => !absent.has(name));
  return (
    predicted.action === happened.action &&
    (predicted.action !== "none" || predicted.restarted === happened.restarted) &&
    JSON.stringify(expected) === JSON.stringify(happened.loaded)
  );
}

function dataScores(
  plan: Plan,
  environment: EnvironmentName,
  before: readonly string[],
  after: readonly string[],
): DataScore[] {
  const changes = plan.environments.find(({ name }) => name === environment);
  if (!changes) return [];
  const [had, has] = [new Set(before), new Set(after)];
  const score = (predicted: DataScore["predicted"], names: readonly string[]): DataScore[] =>
    names.map((name) => {
      const there = has.has(name);
      return {
        name,
        predicted,
        happened: there ? "there" : "not there",
        right: there === (predicted !== "dropped"),
      };
    });
  const { collectionsRenamed } = changes;
  return [
    ...score("created", [...changes.databasesCreated, ...changes.collectionsCreated]),
    ...score(
      "created",
      collectionsRenamed.map(({ to }) => to),
    ),
    ...score("dropped", [...changes.databasesDropped, ...changes.collectionsDropped]),
    ...score(
      "dropped",
      collectionsRenamed.map(({ from }) => from),
    ),
    ...score(
      "kept",
      [...changes.databasesKept, ...changes.collectionsKept].filter((name) => had.has(name)),
    ),
  ];
}
