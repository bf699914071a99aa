/** Loading what is new, and nothing else. */
import { RoundtripError } from "../../../core/errors.ts";
import { counted, listed } from "../../../core/plan/words.ts";
import type { ReplicationTask, TableStatistics } from "../../../core/ports.ts";
import type { OperationContext } from "../../engine/runbook.ts";
import { loadedStates } from "../../steps/replication-tasks.ts";
import type { ApplyStep, ApplyWork } from "../work.ts";
import { countsIn, side } from "./data.ts";

/** A runner's job ends after six hours; another run goes on waiting. */
const loadSeconds = 5 * 3600;
const listedSeconds = 300;
const pollMsFirst = 250;
const pollMsMost = 15_000;
/** Statuses a task that is loading can be seen in. */
const atWork = new Set(["running", "starting"]);
const notLoaded = "Before load";
const broken = new Set(["Table error", "Table cancelled"]);

interface Wanted {
  readonly id: string;
  readonly database: string;
  /** Collections that must be loaded when this apply is done. */
  readonly names: readonly string[];
  /** Whether DMS has to be asked: a task that only goes on loads nothing by itself. */
  readonly asked: boolean;
}

/** Asks DMS to load just the new collections of tasks that went on, and waits until everything new is loaded. */
export function loadCollections(work: ApplyWork): ApplyStep {
  return {
    name: "load",
    what: "load the new collections, and only those; wait until they are loaded",
    undo: "take them out of tasks.yaml again",
    every: true,
    plan: () =>
      wantedOf(work)
        .filter(({ asked }) => asked)
        .map(({ id, database, names }) => ({
          call: "DMS ReloadTables, at most 10 a call",
          target: id,
          parameters: { tables: names.map((name) => `${database}.${name}`).join(",") },
        })),
    run: async (context) => {
      const loaded: string[] = [];
      for (const wanted of wantedOf(work)) {
        const tables = await loadOne(work, context, wanted);
        loaded.push(
          ...tables.map(({ table, state, fullLoadRows }) => inWords(wanted, table, state, fullLoadRows)),
        );
      }
      return { note: loaded.length > 0 ? listed(loaded) : "nothing to load" };
    },
  };
}

function inWords({ database }: Wanted, table: string, state: string, rows: number): string {
  return `${database}.${table}: ${state === "Table completed" ? counted(rows, "document") : "not on MongoDB yet"}`;
}

/** What this plan loads in tasks that run. */
export function wantedOf(work: ApplyWork): Wanted[] {
  return work.toStart.flatMap((task) => {
    const action = work.actionOf(task);
    if (action === "none" || task.collectionsLoaded.length === 0) return [];
    const { id, database, collectionsLoaded: names } = task;
    return [{ id, database, names, asked: action === "modify-and-resume" }];
  });
}

async function loadOne(
  work: ApplyWork,
  context: OperationContext,
  wanted: Wanted,
): Promise<TableStatistics[]> {
  if (wanted.asked) {
    const tables = await poll(context, wanted, listedSeconds, "DMS to list its collections", (found) =>
      found.length === wanted.names.length ? found : undefined,
    );
    const ask = tables.filter(({ state }) => state === notLoaded || broken.has(state));
    if (ask.length > 0) {
      if (ask.some(({ state }) => broken.has(state))) await assertEmptyAgain(work, context, ask);
      context.say(`  loading ${listed(ask.map(({ schema, table }) => `${schema}.${table}`))}`);
      await context.tasks.reloadTables(wanted.id, ask);
    }
  }
  let shown = "";
  return poll(context, wanted, loadSeconds, "every new collection to be loaded", (found) => {
    const failed = found.filter(({ state }) => broken.has(state));
    if (failed.length > 0) throw loadFailed(wanted, failed);
    const done = found.filter(({ state }) => loadedStates.includes(state));
    const line = `  ${wanted.id}: ${done.length} of ${counted(wanted.names.length, "collection")} loaded`;
    if (line !== shown) context.say(line);
    shown = line;
    return done.length === wanted.names.length ? done : undefined;
  });
}

/** A load that broke off left documents, and DMS would leave them as they are. */
async function assertEmptyAgain(
  work: ApplyWork,
  context: OperationContext,
  tables: readonly TableStatistics[],
): Promise<void> {
  const inspection = await work.inspect(context, "exact");
  const counts = inspection ? countsIn(side(inspection, "documentdb")) : [];
  const names = tables
    .filter(({ state }) => broken.has(state))
    .map(({ schema, table }) => `${schema}.${table}`);
  const full = counts.filter(({ name, documents }) => documents > 0 && names.includes(name));
  if (full.length === 0) return;
  throw new RoundtripError({
    kind: "refused",
    what: `load ${listed(names)} again, after a load that broke off`,
    expected: "each of them empty on DocumentDB, because DMS leaves documents it finds as they are",
    got: full.map(({ name, documents }) => `${name} has ${counted(documents, "document")}`).join("; "),
    wayOut: "they are new and came from this load: delete their documents on DocumentDB, then run this again",
  });
}

function loadFailed(wanted: Wanted, failed: readonly TableStatistics[]): RoundtripError {
  return new RoundtripError({
    kind: "unavailable",
    what: `load the new collections of DMS task ${wanted.id}`,
    expected: "every one of them loaded",
    got: listed(failed.map(({ schema, table, state }) => `${schema}.${table}: ${state}`)),
    wayOut: "read the task's log for the cause and mend it, then run this again: it loads just these",
  });
}

/** Looks at the wanted collections of a task until `done` gives something. A task that ends meanwhile is told truly. */
async function poll<T>(
  context: OperationContext,
  wanted: Wanted,
  seconds: number,
  expected: string,
  done: (tables: TableStatistics[]) => T | undefined,
): Promise<T> {
  const end = context.clock.monotonicMs() + seconds * 1000;
  let interval = pollMsFirst;
  for (;;) {
    const [task] = await context.tasks.describe([wanted.id]);
    if (!task || !atWork.has(task.status)) throw ended(wanted.id, task);
    const tables = (await context.tasks.tables(wanted.id)).filter(
      ({ schema, table }) => schema === wanted.database && wanted.names.includes(table),
    );
    const result = done(tables);
    if (result !== undefined) return result;
    if (context.clock.monotonicMs() > end)
      throw new RoundtripError({
        kind: "unknown",
        what: `wait for DMS task ${wanted.id}`,
        expected: `${expected} within ${seconds} s`,
        got: listed(tables.map(({ table, state }) => `${table}: ${state}`)) || "none of them listed",
        wayOut: "DMS goes on; running this again goes on waiting",
      });
    await context.clock.sleep(interval, context.signal);
    interval = Math.min(interval * 1.5, pollMsMost);
  }
}

/** A task that should run and doesn't: its status, DMS's reason and its last failure, as DMS gives them. */
export function ended(id: string, task: ReplicationTask | undefined): RoundtripError {
  const got = task
    ? [
        `status ${task.status}`,
        task.stopReason ? `stop reason ${task.stopReason}` : "no stop reason",
        task.lastFailure ? `last failure: ${task.lastFailure}` : "no failure message",
      ].join(", ")
    : "no task of that name";
  return new RoundtripError({
    kind: "unavailable",
    what: `DMS task ${id} ended during the apply`,
    expected: "it running, as tasks.yaml says",
    got,
    wayOut:
      "mend what the reason names (endpoints, credentials, oplog, disk), then run this again: it goes on",
  });
}
