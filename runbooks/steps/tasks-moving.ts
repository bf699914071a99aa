/** The proof that DMS goes on: tasks run, move, and load nothing anew. */

import { RoundtripError } from "../../core/errors.ts";
import { compareTimes, timeInWords } from "../../core/failback/recorded-tasks.ts";
import { counted } from "../../core/plan/words.ts";
import type { ReplicationTask } from "../../core/ports.ts";
import { taskInWords } from "../../core/replication/task-selection.ts";
import type { OperationContext } from "../engine/runbook.ts";
import {
  chosenTasks,
  describeCalls,
  type OperationStep,
  positionOf,
  type TaskPosition,
} from "./selected-tasks.ts";
import { sourceParameters } from "./task-movement.ts";

const movingSeconds = 60;
const movingPollMs = 2000;

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
    if (before.length === 0) return { note: "no task was to go on" };
    const still = await waitUntilMoving(context, before);
    if (still.length > 0) await assertNothingWaits(context, still);
    const idle = new Set(still.map(({ id }) => id));
    const checks = before.map(({ id }) => ({
      name: `DMS task ${id} moves`,
      ok: true,
      expected: "running, its counts or its checkpoint moving, nothing loaded anew",
      got: idle.has(id) ? "running; nothing to carry: no change at the source" : "running and moving",
    }));
    return { checks, note: `${counted(before.length, "task")} running` };
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
  tasks: readonly ReplicationTask[],
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
  if (rows === was.fullLoadRows || was.isLoading) return;
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
    throw unknown(
      `nothing moved, while MongoDB has ${counted(waiting, "change")} since ${timeInWords(since)}`,
    );
}
