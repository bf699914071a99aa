import type { Check } from "../../core/failback/documents.ts";
import { counted } from "../../core/plan/words.ts";
import type { ReplicationTask } from "../../core/ports.ts";
import { taskInWords } from "../../core/replication/task-selection.ts";
import { effectiveTask } from "../../core/tasks/effective.ts";
import { environmentNames } from "../../core/tasks/model.ts";
import type { Operation, OperationContext } from "../engine/runbook.ts";
import { operationsHostAsBefore, operationsHostReady } from "../steps/operations-host.ts";
import {
  chosenTasks,
  describeCalls,
  describeChosen,
  type OperationStep,
  positionOf,
  required,
  restingChecks,
  resumeChecks,
  type TaskPosition,
  tasksInput,
} from "../steps/selected-tasks.ts";
import { checkSource, resumeAll } from "../steps/task-movement.ts";
import { tasksMoving } from "../steps/tasks-moving.ts";

/** Resuming is legal only for what ran before; and only what tasks.yaml wants running is resumed. */
const checkTasks: OperationStep = {
  name: "check-tasks",
  what: "see that each DMS task ran before, is wanted running, and can go on from its checkpoint",
  undo: "nothing was changed",
  plan: describeCalls,
  run: async (context) => {
    const tasks = await describeChosen(context);
    const wanted = tasks.filter((task) => isWanted(context, task.id));
    const toResume = wanted.filter(({ status }) => status !== "running");
    const checks = required([
      ...restingChecks(wanted),
      ...toResume.map(hasRun),
      ...resumeChecks(
        context,
        toResume.filter(({ status }) => status !== "ready"),
      ),
    ]);
    const stopped = await Promise.all(toResume.map((task) => positionOf(context, task)));
    const unwanted = tasks.length - wanted.length;
    const note = `${stopped.length} to resume, ${wanted.length - stopped.length} run already${unwanted > 0 ? `, ${unwanted} not wanted running by tasks.yaml` : ""}`;
    return { checks, data: { stopped }, note };
  },
};

/** `running: false` in tasks.yaml holds; where the environment is none of the file's, every task is wanted. */
function isWanted({ declared, environment }: OperationContext, id: string): boolean {
  const task = declared.tasks.find((each) => each.id === id);
  const name = environmentNames.find((each) => each === environment.environment);
  return !task || !name || effectiveTask(declared, task, name).running;
}

function hasRun(task: ReplicationTask): Check {
  const ok = task.status !== "ready";
  return {
    name: `DMS task ${task.id} ran before`,
    ok,
    expected: "stopped or failed",
    got: taskInWords(task),
    ...(ok ? {} : { wayOut: `it was never started, and can't be resumed: run first-start for ${task.id}` }),
  };
}

const resume: OperationStep = {
  name: "resume-tasks",
  what: "resume the DMS tasks from their checkpoints",
  undo: "roundtrip runbook tasks-pause stops them",
  plan: (context) =>
    chosenTasks(context).map(({ arn }) => ({
      call: "DMS StartReplicationTask (where it is stopped)",
      target: arn,
      parameters: { startType: "resume-processing" },
    })),
  run: async (context) => {
    const stopped = (context.data("check-tasks")?.stopped ?? []) as readonly TaskPosition[];
    await resumeAll(context, new Set(stopped.map(({ arn }) => arn)));
    return { note: `${counted(stopped.length, "task")} resumed` };
  },
};

export const tasksResume: Operation = {
  kind: "operation",
  name: "tasks-resume",
  summary: "Resume stopped DMS tasks where they stood, and see them move.",
  inputs: [tasksInput],
  steps: [operationsHostReady, checkSource, checkTasks, resume, tasksMoving, operationsHostAsBefore],
  next: "nothing: the tasks replicate",
};
