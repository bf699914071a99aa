/** Loading what is new, and nothing else. */
import { RoundtripError } from "../../../core/errors.ts";
import { counted, listed } from "../../../core/plan/words.ts";
import type { TableStatistics } from "../../../core/ports.ts";
import { isBroken, isLoaded } from "../../../core/replication/loaded.ts";
import type { OperationContext } from "../../engine/runbook.ts";
import type { ApplyStep, ApplyWork } from "../work.ts";
import { countsIn, side } from "./data.ts";
import { watchTables } from "./watch.ts";

/** A runner's job ends after six hours; another run goes on waiting. */
const loadSeconds = 5 * 3600;
const listedSeconds = 300;
const notLoaded = "Before load";

interface Wanted {
  readonly id: string;
  readonly database: string;
  /** Collections that the plan loads. */
  readonly names: readonly string[];
  /** Others of the task; those that were added while it stood still are loaded now, too. */
  readonly others: readonly string[];
  /** The task began anew with this apply: DMS loads all of it by itself. */
  readonly whole: boolean;
}

/** Asks DMS to load just the new collections of tasks that went on, and waits until everything new is loaded. */
export function loadCollections(work: ApplyWork): ApplyStep {
  return {
    name: "load",
    what: "load the new collections, and only those; wait until they are loaded",
    undo: "take them out of tasks.yaml again",
    every: true,
    plan: () =>
      work.toStart
        .filter((task) => work.actionOf(task) === "modify-and-resume" && task.collectionsLoaded.length > 0)
        .map(({ id, database, collectionsLoaded }) => ({
          call: "DMS ReloadTables, at most 10 a call",
          target: id,
          parameters: { tables: collectionsLoaded.map((name) => `${database}.${name}`).join(",") },
        })),
    run: async (context) => {
      const loaded: string[] = [];
      for (const wanted of await wantedOf(work, context))
        loaded.push(...(await loadOne(work, context, wanted)).map(inWords));
      return { note: loaded.length > 0 ? listed(loaded) : "nothing to load" };
    },
  };
}

function inWords({ schema, table, state, fullLoadRows }: TableStatistics): string {
  const found = state === "Table completed" ? counted(fullLoadRows, "document") : "not on MongoDB yet";
  return `${schema}.${table}: ${found}`;
}

async function wantedOf(work: ApplyWork, context: OperationContext): Promise<Wanted[]> {
  if (work.toStart.length === 0) return [];
  const [{ tasks: live }, before] = await Promise.all([work.live(), work.before(context)]);
  const freshlyStarted = new Map(before.tasks.map((task) => [task.id, task.freshlyStartedAt]));
  return work.toStart.map(({ id, database, collectionsLoaded: names, collectionsRenamed }) => {
    // DMS shows a renamed one as a table not loaded yet; its documents are there under the new name.
    const settled = [...names, ...collectionsRenamed.map(({ to }) => to)];
    const declared = work.head.tasks.find((task) => task.id === id)?.collections ?? [];
    return {
      id,
      database,
      names,
      others: declared
        .map(({ name }) => name)
        .filter((name) => !settled.includes(name) && !work.renamed.has(`${database}.${name}`)),
      whole: live.get(id)?.freshlyStartedAt !== freshlyStarted.get(id),
    };
  });
}

async function loadOne(
  work: ApplyWork,
  context: OperationContext,
  wanted: Wanted,
): Promise<TableStatistics[]> {
  const { names, others, whole } = wanted;
  const atFirst = await watchTables(
    context,
    wanted,
    listedSeconds,
    "DMS to list its collections",
    (found) => {
      const tables = new Set(found.map(({ table }) => table));
      return names.every((name) => tables.has(name)) ? found : undefined;
    },
  );
  const late = atFirst.filter(
    (found) => others.includes(found.table) && !isLoaded(found) && !isBroken(found),
  );
  const awaited = [...names, ...late.map(({ table }) => table)];
  if (awaited.length === 0) return [];
  if (!whole)
    await askToLoad(
      work,
      context,
      wanted,
      atFirst.filter(({ table }) => awaited.includes(table)),
    );
  let shown = "";
  return watchTables(context, wanted, loadSeconds, "every new collection to be loaded", (all) => {
    const found = all.filter(({ table }) => awaited.includes(table));
    const failed = found.filter(isBroken);
    if (failed.length > 0) throw loadFailed(wanted, failed);
    const done = found.filter((table) => isLoaded(table));
    const line = `  ${wanted.id}: ${done.length} of ${counted(awaited.length, "collection")} loaded`;
    if (line !== shown) context.say(line);
    shown = line;
    return done.length === awaited.length ? done : undefined;
  });
}

async function askToLoad(
  work: ApplyWork,
  context: OperationContext,
  { id, names }: Wanted,
  tables: readonly TableStatistics[],
): Promise<void> {
  const ask = tables.filter((table) => table.state === notLoaded || isBroken(table));
  if (ask.length === 0) return;
  // Those of the plan were seen to be empty before anything was changed.
  const unseen = ask.filter((each) => isBroken(each) || !names.includes(each.table));
  if (unseen.length > 0) await assertEmpty(work, context, unseen);
  context.say(`  loading ${listed(ask.map(({ schema, table }) => `${schema}.${table}`))}`);
  await context.tasks.reloadTables(id, ask);
}

/** DMS leaves documents it finds as they are: those of a load that broke off, and those that lay there. */
async function assertEmpty(
  work: ApplyWork,
  context: OperationContext,
  tables: readonly TableStatistics[],
): Promise<void> {
  const inspection = await work.inspect(context, "exact");
  const counts = inspection ? countsIn(side(inspection, "documentdb")) : [];
  const names = tables.map(({ schema, table }) => `${schema}.${table}`);
  const full = counts.filter(({ name, documents }) => documents > 0 && names.includes(name));
  if (full.length === 0) return;
  throw new RoundtripError({
    kind: "refused",
    what: `load ${listed(names)}, after a load that broke off or never began`,
    expected: "each of them empty on DocumentDB, because DMS leaves documents it finds as they are",
    got: full.map(({ name, documents }) => `${name} has ${counted(documents, "document")}`).join("; "),
    wayOut: "delete their documents on DocumentDB when they came from such a load, then run this again",
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
