/** What the plan does to data, looked at before DMS is touched. */
import { RoundtripError } from "../../../core/errors.ts";
import type { Inspection, LiveSide } from "../../../core/live/live-state.ts";
import { listed } from "../../../core/plan/words.ts";
import { effectiveTask } from "../../../core/tasks/effective.ts";
import { droppingEnvironments } from "../../../core/tasks/model.ts";
import type { OperationContext } from "../../engine/runbook.ts";
import type { ApplyStep, ApplyWork, Before } from "../work.ts";

interface Counted {
  readonly name: string;
  readonly documents: number;
}

/**
 * DMS loads with DO_NOTHING: documents that already lie in a collection stay, so what is loaded in full must be empty
 * first. And a collection renamed while its task ran has lost changes: DMS doesn't follow renames.
 */
export function seeTargetsEmpty(work: ApplyWork): ApplyStep {
  return {
    name: "targets-empty",
    what: "see that every collection to be loaded is empty on DocumentDB, and that no rename was done while DMS ran",
    undo: "nothing was changed",
    plan: () => [{ call: "compare", target: listed(namesToLoad(work)) || "nothing to load" }],
    run: async (context) => {
      const before = await work.before(context);
      const names = namesToLoad(work, before);
      if (!before.inspection) return { note: "nothing to load" };
      const documentdb = side(before.inspection, "documentdb");
      const full = countsIn(documentdb).filter(
        ({ name, documents }) => documents > 0 && names.includes(name),
      );
      if (full.length > 0) throw notEmpty(work, full);
      assertRenamesPossible(
        work,
        before.inspection,
        new Map(before.tasks.map((task) => [task.id, task.status])),
      );
      return {
        note: names.length > 0 ? `empty or not there: ${listed(names)}` : "nothing to load",
      };
    },
  };
}

/**
 * `database.collection` of what DMS will load in full without emptying it by itself. What a task carries already,
 * because an apply before this one was not finished, has its documents from DMS.
 */
function namesToLoad(work: ApplyWork, before?: Before): string[] {
  return work.affected.flatMap((task) => {
    const declared = work.head.tasks.find(({ id }) => id === task.id);
    if (!declared || work.actionOf(task) === "none") return [];
    const { settings } = effectiveTask(work.head, declared, work.environment);
    if (settings.targetPreparation === "drop-tables") return [];
    const whole = ["reload", "recreate"].includes(work.actionOf(task));
    const tables = whole ? [] : (before?.tasks.find(({ id }) => id === task.id)?.tables ?? []);
    const carried = new Set(tables.map(({ table }) => table));
    return task.collectionsLoaded
      .filter((name) => !carried.has(name))
      .map((name) => `${declared.database}.${name}`);
  });
}

function notEmpty(work: ApplyWork, full: readonly Counted[]): RoundtripError {
  const names = full.map(({ name }) => name);
  const drop = droppingEnvironments.includes(work.environment)
    ? "drop it there when its documents are not needed"
    : "rename it there, so that no document is lost";
  return new RoundtripError({
    kind: "refused",
    what: `load ${listed(names)} into DocumentDB`,
    expected: "each of them empty or not there, because DMS leaves documents it finds as they are",
    got: full
      .map(({ name, documents }) => `${name} has ${documents} document${documents === 1 ? "" : "s"}`)
      .join("; "),
    wayOut: `choose for each: ${drop} and run this again; or take it out of tasks.yaml. Nothing was changed so far; a task that still writes to it must be paused first (roundtrip runbook tasks-pause)`,
  });
}

function assertRenamesPossible(
  work: ApplyWork,
  inspection: Inspection,
  statuses: ReadonlyMap<string, string>,
): void {
  const mongodb = side(inspection, "mongodb");
  const there = new Set(countsIn(mongodb).map(({ name }) => name));
  for (const task of work.affected) {
    for (const { from, to } of task.collectionsRenamed) {
      const renamed = there.has(`${task.database}.${to}`) && !there.has(`${task.database}.${from}`);
      if (!renamed || statuses.get(task.id) !== "running") continue;
      throw new RoundtripError({
        kind: "refused",
        what: `rename ${task.database}.${from} to ${to}`,
        expected: `DMS task ${task.id} paused before the collection was renamed on MongoDB`,
        got: "the collection has its new name, and the task runs: changes since the rename were not carried",
        wayOut: `take renamedFrom out, so that ${to} is planned as a new collection and loaded again; have that reviewed`,
      });
    }
  }
}

/** Waits for nobody: a rename on MongoDB is a person's act, while the task stands still. */
export function seeRenamed(work: ApplyWork): ApplyStep {
  const renames = work.affected.flatMap((task) =>
    task.collectionsRenamed.map(({ from, to }) => ({ task: task.id, database: task.database, from, to })),
  );
  return {
    name: "renamed",
    what: "see that renamed collections have their new names on MongoDB, now that their tasks stand still",
    undo: "rename them back on MongoDB and resume the task",
    plan: (context) => (renames.length > 0 ? work.plannedInspection(context, "estimated") : []),
    run: async (context) => {
      if (renames.length === 0) return { note: "no renames" };
      const there = await namesOnMongodb(work, context);
      const open = renames.filter(
        ({ database, from, to }) => there.has(`${database}.${from}`) || !there.has(`${database}.${to}`),
      );
      const [first] = open;
      if (!first) return { note: listed(renames.map(({ from, to }) => `${from} → ${to}`)) };
      throw new RoundtripError({
        kind: "refused",
        what: `rename ${first.database}.${first.from} to ${first.to}`,
        expected: `${first.to} and no ${first.from} on MongoDB`,
        got: `not renamed yet: ${listed(open.map(({ database, from, to }) => `${database}.${from} → ${to}`))}`,
        wayOut: `DMS task ${first.task} is paused: with nobody writing to the collection, rename it on MongoDB, then run this again; it goes on here`,
      });
    },
  };
}

async function namesOnMongodb(work: ApplyWork, context: OperationContext): Promise<Set<string>> {
  const inspection = await work.inspect(context, "estimated");
  return new Set(inspection ? countsIn(side(inspection, "mongodb")).map(({ name }) => name) : []);
}

/** One side of an inspection; one that couldn't be read is unknown, never empty. */
export function side(
  inspection: Inspection,
  name: "mongodb" | "documentdb",
): Extract<LiveSide, { reachable: true }> {
  const found = inspection[name];
  if (found.reachable) return found;
  throw new RoundtripError({
    kind: "unavailable",
    what: `read what stands on ${name === "mongodb" ? "MongoDB" : "DocumentDB"}`,
    expected: "its databases and collections",
    got: found.reason,
    wayOut: "mend the connection from the operations host, then run this again",
  });
}

/** `database.collection` with its number of documents. */
export function countsIn(from: Extract<LiveSide, { reachable: true }>): Counted[] {
  return from.databases.flatMap(({ name: database, collections }) =>
    collections.map(({ name, documents }) => ({ name: `${database}.${name}`, documents })),
  );
}
