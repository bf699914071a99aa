import type { LiveSide, LiveState, LiveTable } from "../live/live-state.ts";
import { effectiveTask } from "../tasks/effective.ts";
import type { EnvironmentName, Task, Tasks } from "../tasks/model.ts";
import type { LoadEstimate, Plan, TaskPlan } from "./model.ts";
import { counted } from "./words.ts";

/** Loads shorter than this say nothing about speed. */
const measuredMsMin = 1000;

/**
 * How much each task loads because of the plan: documents and bytes as MongoDB counts them, else as DMS's statistics of
 * the last load have them; minutes by the speed of this environment's own finished loads. What has no source stays
 * unknown: no number is assumed.
 */
export function estimateLoads(
  plan: Plan,
  name: EnvironmentName,
  head: Tasks,
  live: LiveState,
): LoadEstimate[] {
  const tables = live.dms.reachable ? live.dms.tasks.flatMap((task) => task.tables) : [];
  const speed = speedOf(tables);
  const byName = new Map(tables.map((table) => [`${table.schema}.${table.table}`, table]));
  const sources = new Map(head.tasks.map((task) => [task.id, task]));
  return plan.tasks.flatMap((task) => {
    const declared = sources.get(task.id);
    const collections = loadedIn(task, name);
    if (!declared || collections.length === 0) return [];
    return [
      estimate(declared, collections, { live, byName, speed, parallel: parallelOf(head, declared, name) }),
    ];
  });
}

/** Collections the task loads in this environment. */
function loadedIn(task: TaskPlan, name: EnvironmentName): readonly string[] {
  const action = task.environments.find((each) => each.name === name)?.action ?? task.action;
  if (action === "create" || action === "recreate" || action === "reload") return task.collectionsLoaded;
  return action === "modify-and-resume" ? task.collectionsAdded : [];
}

interface Sources {
  readonly live: LiveState;
  readonly byName: ReadonlyMap<string, LiveTable>;
  readonly speed: Speed | undefined;
  readonly parallel: number;
}

function estimate({ id, database }: Task, collections: readonly string[], sources: Sources): LoadEstimate {
  const { speed, parallel } = sources;
  const found = collections.map((name) => sizeOfOne(database, name, sources));
  const known = found.filter((each) => each !== undefined);
  const unknown = collections.filter((_, index) => found[index] === undefined);
  const documents = known.map((each) => each.documents);
  const total = documents.reduce((sum, each) => sum + each, 0);
  const longest = Math.max(0, ...documents);
  const seconds = speed && Math.max(longest, total / parallel) / speed.documentsPerSecond;
  const bytes = known.every((each) => each.bytes !== undefined)
    ? known.reduce((sum, each) => sum + (each.bytes ?? 0), 0)
    : undefined;
  const from = [
    ...new Set(known.map((each) => each.from)),
    ...(speed && known.length > 0 ? [`speed of ${counted(speed.loads, "finished load")} here`] : []),
  ];
  return {
    task: id,
    collections: collections.length,
    ...(known.length > 0 ? { documents: total } : {}),
    ...(known.length > 0 && bytes !== undefined ? { bytes } : {}),
    ...(seconds !== undefined && known.length > 0 ? { minutes: Math.ceil(seconds / 6) / 10 } : {}),
    from,
    unknown,
  };
}

function sizeOfOne(
  database: string,
  name: string,
  { live, byName }: Sources,
): { documents: number; bytes?: number; from: string } | undefined {
  if (live.mongodb.reachable) {
    const found = collectionIn(live.mongodb, database, name);
    return { documents: found?.documents ?? 0, bytes: found?.bytes ?? 0, from: "MongoDB's count" };
  }
  const table = byName.get(`${database}.${name}`);
  if (!table || table.state === "Table does not exist") return undefined;
  const documents = Math.max(0, table.fullLoadRows + table.inserts - table.deletes);
  return { documents, from: "DMS's table statistics" };
}

function collectionIn(side: Extract<LiveSide, { reachable: true }>, database: string, name: string) {
  return side.databases
    .find((each) => each.name === database)
    ?.collections.find((collection) => collection.name === name);
}

interface Speed {
  /** Of one collection; several are loaded beside each other. */
  readonly documentsPerSecond: number;
  readonly loads: number;
}

function speedOf(tables: readonly LiveTable[]): Speed | undefined {
  const measured = tables.filter(
    ({ fullLoadMs = 0, fullLoadRows }) => fullLoadMs >= measuredMsMin && fullLoadRows > 0,
  );
  if (measured.length === 0) return undefined;
  const documents = measured.reduce((sum, { fullLoadRows }) => sum + fullLoadRows, 0);
  const ms = measured.reduce((sum, { fullLoadMs = 0 }) => sum + fullLoadMs, 0);
  return { documentsPerSecond: (documents * 1000) / ms, loads: measured.length };
}

function parallelOf(head: Tasks, task: Task, name: EnvironmentName): number {
  return effectiveTask(head, task, name).settings.fullLoad.parallelCollections;
}
