/** Stopping, resuming and watching the DMS tasks of an operation. */

import { RoundtripError } from "../../core/errors.ts";
import type { Check } from "../../core/failback/documents.ts";
import { counted } from "../../core/plan/words.ts";
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

/** Parameters of `source-position` for the databases of tasks.yaml. */
export function sourceParameters({ declared }: OperationContext, since?: OperationTime) {
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
function loadedCheck({ id, isLoading }: TaskPosition): Check {
  return {
    name: `DMS task ${id} has ended its full load`,
    ok: !isLoading,
    expected: "no table being loaded",
    got: isLoading ? "tables are being loaded" : "none",
    ...(!isLoading
      ? {}
      : { wayOut: "wait for the load to end (first-start follows it), then run this again" }),
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
    return { data: { stopped }, note: `${counted(stopped.length, "task")} stopped` };
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
    return { note: `${counted(wanted.length, "task")} resumed` };
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
