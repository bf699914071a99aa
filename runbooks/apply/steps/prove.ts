/** The end of an apply is proof, not hope: each task runs and stays running, each new collection is all there. */
import { RoundtripError } from "../../../core/errors.ts";
import type { Check } from "../../../core/failback/documents.ts";
import type { Inspection } from "../../../core/live/live-state.ts";
import { counted, listed } from "../../../core/plan/words.ts";
import type { OperationContext } from "../../engine/runbook.ts";
import type { ApplyStep, ApplyWork } from "../work.ts";
import { countsIn, side } from "./data.ts";
import { ended } from "./watch.ts";

/** One look after the start is not proof: a task that fails at once was "running" for a moment. */
const staysRunningMs = 2000;
/** Writes go on meanwhile: both sides are counted again until they agree once. */
const countsSeconds = 300;
/** Counting every document is work for both sides: the pauses between grow. */
const countsPauseMsFirst = 2000;
const countsPauseMsMost = 30_000;

export function proveRunningAndLoaded(work: ApplyWork): ApplyStep {
  return {
    name: "prove",
    what: "see that each task runs and stays running, and that each new collection has as many documents as on MongoDB",
    undo: "nothing was changed",
    every: true,
    plan: (context) => [
      { call: "DMS DescribeReplicationTasks", target: listed(work.wantedRunning) || "none" },
      ...(namesOf(work).length > 0 ? work.plannedInspection(context, "exact") : []),
    ],
    run: async (context) => {
      await assertRunning(work, context);
      const checks = await proveCounts(work, context);
      await context.clock.sleep(staysRunningMs, context.signal);
      await assertRunning(work, context);
      return {
        checks: [runningCheck(work), ...checks],
        note: `${counted(work.wantedRunning.length, "task")} running, ${counted(checks.length, "new collection")} proved`,
      };
    },
  };
}

async function assertRunning(work: ApplyWork, context: OperationContext): Promise<void> {
  const wanted = work.wantedRunning;
  if (wanted.length === 0) return;
  const found = new Map((await context.tasks.describe(wanted)).map((task) => [task.id, task]));
  const not = wanted.find((id) => found.get(id)?.status !== "running");
  if (not !== undefined) throw await ended(context, not, found.get(not));
}

function runningCheck(work: ApplyWork): Check {
  return {
    name: "every DMS task that should run does, and stays so",
    ok: true,
    expected: listed(work.wantedRunning) || "none",
    got: "running, twice",
  };
}

function namesOf(work: ApplyWork): string[] {
  const renamed = work.affected.flatMap(({ database, collectionsRenamed }) =>
    collectionsRenamed.map(({ to }) => `${database}.${to}`),
  );
  const loaded = work.toStart.flatMap(({ database, collectionsLoaded }) =>
    collectionsLoaded.map((name) => `${database}.${name}`),
  );
  return [...loaded, ...renamed];
}

interface Counts {
  readonly name: string;
  readonly mongodb: number;
  readonly documentdb: number;
}

async function proveCounts(work: ApplyWork, context: OperationContext): Promise<Check[]> {
  const names = namesOf(work);
  const proved = new Map<string, Check>();
  const end = context.clock.monotonicMs() + countsSeconds * 1000;
  let pause = countsPauseMsFirst;
  while (proved.size < names.length) {
    const inspection = await work.inspect(context, "exact");
    const counts = inspection ? compare(inspection, names) : [];
    for (const { name, mongodb, documentdb } of counts) {
      if (mongodb !== documentdb || proved.has(name)) continue;
      const expected = `${counted(mongodb, "document")}, as on MongoDB`;
      proved.set(name, {
        name: `${name} is all there`,
        ok: true,
        expected,
        got: counted(documentdb, "document"),
      });
    }
    const behind = counts.filter(({ name }) => !proved.has(name));
    if (behind.length === 0) break;
    if (context.clock.monotonicMs() > end) throw notEqual(behind);
    await context.clock.sleep(pause, context.signal);
    pause = Math.min(pause * 1.5, countsPauseMsMost);
  }
  return [...proved.values()];
}

/** A collection that isn't there has no documents. */
function compare(inspection: Inspection, names: readonly string[]): Counts[] {
  const mongodb = new Map(countsIn(side(inspection, "mongodb")).map((each) => [each.name, each.documents]));
  const documentdb = new Map(
    countsIn(side(inspection, "documentdb")).map((each) => [each.name, each.documents]),
  );
  return names.map((name) => ({
    name,
    mongodb: mongodb.get(name) ?? 0,
    documentdb: documentdb.get(name) ?? 0,
  }));
}

function notEqual(behind: readonly Counts[]): RoundtripError {
  return new RoundtripError({
    kind: "unknown",
    what: `prove that ${listed(behind.map(({ name }) => name))} arrived whole`,
    expected: `as many documents on DocumentDB as on MongoDB, once within ${countsSeconds} s`,
    got: behind.map(({ name, mongodb, documentdb }) => `${name}: ${documentdb} of ${mongodb}`).join("; "),
    wayOut:
      "see the task's lag and its log; when many writes go on, run this again in a quieter minute: it only counts again",
  });
}
