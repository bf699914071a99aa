/** Stopping, resuming and watching the DMS tasks of an operation. */

import { RoundtripError } from "../../core/errors.ts";
import type { Check } from "../../core/failback/documents.ts";
import { compareTimes, timeInWords } from "../../core/failback/recorded-tasks.ts";
import type { OperationTime } from "../../core/ports.ts";
import { taskInWords } from "../../core/replication/task-selection.ts";
import { databasesOf } from "../../core/tasks/tasks.ts";
import type { OperationContext } from "../engine/runbook.ts";
import {
  chosenTasks,
  describeCalls,
  describeChosen,
  type OperationStep,
  positionOf,
  recordedRunning,
  recordRunning,
  required,
  restingChecks,
  resumeChecks,
  type TaskPosition,
} from "./selected-tasks.ts";

const stopSeconds = 900;
const startSeconds = 1800;
const movingSeconds = 60;
const movingPollMs = 2000;

/** What MongoDB's oplog holds now, as the host sees it: whether DMS can go on is decided by it. */
export const checkSource: OperationStep = {
  name: "check-source",
  what: "ask MongoDB what its oplog holds",
  undo: "nothing was changed",
  every: true,
  plan: (context) => [context.plannedAction("source-position", sourceParameters(context))],
  run: async (context) => {
    const { checks, data } = await context.action("source-position", sourceParameters(context));
    return { checks, data };
  },
};

function sourceParameters({ declared }: OperationContext, since?: OperationTime) {
  const databases = databasesOf(declared).map(({ name }) => name);
  return { databases: databases.join(","), since: since ? `${since.t}:${since.i}` : "-" };
}

/** Legal statuses, checkpoints still in the oplog; and which tasks run now, kept for the way back. */
export const recordTasks: OperationStep = {
  name: "record-tasks",
  what: "see that each DMS task is at rest and can go on from its checkpoint, and keep which ones run",
  undo: "nothing was changed",
  plan: describeCalls,
  run: async (context) => {
    const tasks = await describeChosen(context);
    const running = tasks.filter(({ status }) => status === "running");
    const positions = await Promise.all(running.map((task) => positionOf(context, task)));
    const checks = required([
      ...restingChecks(tasks),
      ...resumeChecks(context, running),
      ...positions.map(loadedCheck),
    ]);
    const kept = await recordRunning(context, tasks);
    const others = tasks.length - kept.length;
    const note = `${kept.length} running${others > 0 ? `, ${others} not: they stay as they are` : ""}`;
    return { checks, data: { statuses: tasks.map(({ id, status }) => ({ id, status })) }, note };
  },
};

/** A full load that is stopped begins anew for the tables it was at: it is let end first. */
function loadedCheck({ id, isLoaded }: TaskPosition): Check {
  return {
    name: `DMS task ${id} has ended its full load`,
    ok: isLoaded,
    expected: "every table completed, or not there at the source",
    got: isLoaded ? "completed" : "tables are still to be loaded",
    ...(isLoaded ? {} : { wayOut: "wait for the load to end (first-start follows it), then run this again" }),
  };
}

/** Stops the tasks that ran, and notes where each stands: what is counted behind that has moved. */
export const stopTasks: OperationStep = {
  name: "stop-tasks",
  what: "stop the DMS tasks that run",
  undo: "roundtrip runbook tasks-resume starts them again",
  plan: (context) =>
    chosenTasks(context).map(({ arn }) => ({ call: "DMS StopReplicationTask (where it runs)", target: arn })),
  run: async (context) => {
    const running = await recordedRunning(context);
    const stopped = await Promise.all(
      running.map(async ({ id, arn }) => {
        context.say(`  stopping DMS task ${id}`);
        const task = await context.tasks.stop(arn, stopSeconds);
        if (task.status === "failed") throw failedWhileStopping(task.id, taskInWords(task));
        return positionOf(context, task);
      }),
    );
    return { data: { stopped }, note: `${stopped.length} task(s) stopped` };
  },
};

function failedWhileStopping(id: string, got: string): RoundtripError {
  return new RoundtripError({
    kind: "unavailable",
    what: `stop the DMS task ${id}`,
    expected: "stopped",
    got,
    wayOut: "mend what DMS names; tasks-resume starts the task again, then run this again",
  });
}

/** Resumes exactly the tasks that ran when the operation began. */
export const resumeTasks: OperationStep = {
  name: "resume-tasks",
  what: "resume the DMS tasks that ran before",
  undo: "roundtrip runbook tasks-pause stops them",
  plan: (context) =>
    chosenTasks(context).map(({ arn }) => ({
      call: "DMS StartReplicationTask (where it ran before)",
      target: arn,
      parameters: { startType: "resume-processing" },
    })),
  run: async (context) => {
    const wanted = await recordedRunning(context);
    await resumeAll(context, new Set(wanted.map(({ arn }) => arn)));
    return { note: `${wanted.length} task(s) resumed` };
  },
};

/** Resumes those of the chosen tasks that don't run. */
export async function resumeAll(context: OperationContext, arns: ReadonlySet<string>): Promise<void> {
  const tasks = (await describeChosen(context)).filter(
    ({ arn, status }) => arns.has(arn) && status !== "running",
  );
  await Promise.all(
    tasks.map(async ({ id, arn, status }) => {
      context.say(`  resuming DMS task ${id} (was ${status})`);
      await context.tasks.start(arn, "resume-processing", startSeconds);
    }),
  );
}

/**
 * Each task runs and moves: its counts or its checkpoint are others than when it was stopped, and nothing was loaded
 * anew. Where nothing moves the source is asked: with no change in its databases there is nothing to carry.
 */
export const tasksMoving: OperationStep = {
  name: "tasks-moving",
  what: "see that each resumed DMS task runs, moves, and loads nothing anew",
  undo: "nothing was changed",
  plan: (context) => [
    ...describeCalls(context),
    ...chosenTasks(context).map(({ arn }) => ({ call: "DMS DescribeTableStatistics", target: arn })),
    context.plannedAction("source-position", {
      ...sourceParameters(context),
      since: "where the tasks stood",
    }),
  ],
  run: async (context) => {
    const before = (context.data("stop-tasks") ?? context.data("check-tasks"))?.stopped as
      | readonly TaskPosition[]
      | undefined;
    if (!before) throw new Error("no earlier step left where the tasks stood");
    const still = await waitUntilMoving(context, before);
    if (still.length > 0) await assertNothingWaits(context, still);
    const idle = new Set(still.map(({ id }) => id));
    const checks = before.map(({ id }) => ({
      name: `DMS task ${id} moves`,
      ok: true,
      expected: "running, its counts or its checkpoint moving, nothing loaded anew",
      got: idle.has(id) ? "running; nothing to carry: no change at the source" : "running and moving",
    }));
    return { checks, note: `${before.length} task(s) run` };
  },
};

/** Those that have not moved when the time is up. Fails for one that doesn't run, or that loads anew. */
async function waitUntilMoving(
  context: OperationContext,
  before: readonly TaskPosition[],
): Promise<readonly TaskPosition[]> {
  const started = context.clock.monotonicMs();
  let still = before;
  for (;;) {
    const tasks = await context.tasks.describe(before.map(({ arn }) => arn));
    const now = await Promise.all(tasks.map((task) => positionOf(context, task)));
    for (const was of before) assertRuns(was, tasks, now);
    still = still.filter(
      (was) =>
        !hasMoved(
          was,
          now.find(({ arn }) => arn === was.arn),
        ),
    );
    if (still.length === 0 || context.clock.monotonicMs() - started > movingSeconds * 1000) return still;
    await context.clock.sleep(movingPollMs, context.signal);
  }
}

function hasMoved(was: TaskPosition, now: TaskPosition | undefined): boolean {
  if (!now) return false;
  return now.changes !== was.changes || (now.checkpoint?.raw ?? "") !== (was.checkpoint?.raw ?? "");
}

function assertRuns(
  was: TaskPosition,
  tasks: Awaited<ReturnType<OperationContext["tasks"]["describe"]>>,
  now: readonly TaskPosition[],
): void {
  const task = tasks.find(({ arn }) => arn === was.arn);
  const what = `see that the DMS task ${was.id} goes on`;
  if (task?.status !== "running") {
    throw new RoundtripError({
      kind: "unavailable",
      what,
      expected: "running",
      got: task ? taskInWords(task) : "no such task",
      wayOut: "mend what DMS names (login, network, oplog), then run this again",
    });
  }
  const rows = now.find(({ arn }) => arn === was.arn)?.fullLoadRows ?? 0;
  if (rows === was.fullLoadRows || !was.isLoaded) return;
  throw new RoundtripError({
    kind: "differs",
    what,
    expected: `no full load: ${was.fullLoadRows} rows loaded, as before`,
    got: `${rows} rows: DMS loaded tables anew`,
    wayOut:
      "see who reloaded the task (CloudTrail: StartReplicationTask, ReloadTables), and let the load end",
  });
}

async function assertNothingWaits(context: OperationContext, still: readonly TaskPosition[]): Promise<void> {
  const times = still.flatMap(({ checkpoint }) => checkpoint?.timestamp ?? []);
  const since = times.length === still.length ? times.sort(compareTimes)[0] : undefined;
  const names = still.map(({ id }) => id).join(", ");
  const unknown = (got: string) =>
    new RoundtripError({
      kind: "unknown",
      what: `see that the DMS tasks ${names} carry changes`,
      expected: `counts or checkpoints that move within ${movingSeconds} s, or no change at the source`,
      got,
      wayOut: "look at the task's log in CloudWatch and at CDCLatencyTarget; run this again to look again",
    });
  if (!since)
    throw unknown("nothing moved, and DMS gives no time for its checkpoint to compare the source with");
  const { data } = await context.action("source-position", sourceParameters(context, since));
  const waiting = Number(data.waiting ?? Number.NaN);
  if (waiting !== 0)
    throw unknown(`nothing moved, while MongoDB has ${waiting} change(s) since ${timeInWords(since)}`);
}
