import { counted } from "../../core/plan/words.ts";
import type { Operation } from "../engine/runbook.ts";
import {
  describeCalls,
  describeChosen,
  type OperationStep,
  recordRunning,
  required,
  restingChecks,
  tasksInput,
} from "../steps/selected-tasks.ts";
import { stopTasks } from "../steps/task-movement.ts";

/** A task that never ran, or has ended, is no reason to refuse: it stands still already. */
const checkTasks: OperationStep = {
  name: "check-tasks",
  what: "see that each DMS task is at rest, and which ones run",
  undo: "nothing was changed",
  plan: describeCalls,
  run: async (context) => {
    const tasks = await describeChosen(context);
    const checks = required(restingChecks(tasks));
    const running = await recordRunning(context, tasks);
    return { checks, note: `${running.length} of ${counted(tasks.length, "task")} running` };
  },
};

export const tasksPause: Operation = {
  kind: "operation",
  name: "tasks-pause",
  summary: "Stop DMS tasks, so that they can be resumed where they stood.",
  inputs: [tasksInput],
  steps: [checkTasks, stopTasks],
  next: "tasks-resume, before MongoDB's oplog has rolled over what the tasks have not read",
};
