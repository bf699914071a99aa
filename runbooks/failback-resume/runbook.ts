import { RoundtripError } from "../../core/errors.ts";
import type { Runbook, RunbookContext, Step } from "../engine/runbook.ts";
import { actionStep } from "../steps/action-step.ts";
import { hostReady, hostStopped } from "../steps/host.ts";
import { phaseStep } from "../steps/phase.ts";
import { describeAll } from "../steps/replication-tasks.ts";

const startSeconds = 1800;
const staysRunningMs = 3000;

type Mode = "resume-processing" | "reload-target";

/** Decided on the host by what MongoDB's oplog still holds (invariants.md 28); unknown is never a start. */
function modeOf(context: RunbookContext): Mode {
  const mode = context.data("check-resume")?.mode;
  if (mode === "resume") return "resume-processing";
  if (mode === "reload") return "reload-target";
  throw new RoundtripError({
    kind: "unknown",
    what: "decide how DMS starts again",
    expected: "resume or reload from check-resume",
    got: String(mode),
    wayOut: "run failback-resume again; check-resume says what it saw",
  });
}

const startTasks: Step = {
  name: "start-tasks",
  what: "start each DMS task the way check-resume decided",
  undo: "pause the tasks",
  plan: ({ environment }) =>
    environment.replicationTasks.map((task) => ({
      call: "DMS StartReplicationTask",
      target: task.arn,
      parameters: { startType: "as check-resume decides: resume-processing or reload-target" },
    })),
  run: async (context) => {
    const mode = modeOf(context);
    for (const task of await describeAll(context)) {
      if (task.status === "running") continue;
      context.say(`  starting ${task.id} (${mode})`);
      await context.tasks.start(task.arn, mode, startSeconds);
    }
    return { data: { mode }, note: mode };
  },
};

/** One look after the start is not proof: a task that fails at once was "running" for a moment. */
const tasksRunning: Step = {
  name: "tasks-running",
  what: "see that every DMS task stays running",
  undo: "nothing was changed",
  every: true,
  plan: ({ environment }) => [
    {
      call: "DMS DescribeReplicationTasks",
      target: environment.replicationTasks.map((task) => task.arn).join(","),
    },
  ],
  run: async (context) => {
    for (let look = 0; look < 2; look++) {
      const notRunning = (await describeAll(context)).filter((task) => task.status !== "running");
      if (notRunning.length > 0) {
        throw new RoundtripError({
          kind: "unavailable",
          what: "verify that DMS runs again",
          expected: "every task running",
          got: notRunning
            .map((task) =>
              `${task.id} ${task.status} ${task.stopReason ?? ""} ${task.lastFailure ?? ""}`.trim(),
            )
            .join("; "),
          wayOut: "mend what the failure names, then run failback-resume again",
        });
      }
      if (look === 0) await context.clock.sleep(staysRunningMs, context.signal);
    }
    return { note: "all running" };
  },
};

export const failbackResume: Runbook = {
  name: "failback-resume",
  summary: "Start DMS again, so that MongoDB replicates to DocumentDB as before.",
  phases: ["cleaned"],
  inputs: [],
  steps: [
    hostReady,
    actionStep({
      name: "check-resume",
      what: "check DMS's checkpoint against MongoDB's oplog and decide resume or reload",
      undo: "nothing was changed",
      action: "check-resume",
    }),
    actionStep({
      name: "restore-roles",
      what: "give DMS's user on DocumentDB its old role back; application users stay read-only",
      undo: "demote it again",
      action: "restore-roles",
    }),
    startTasks,
    tasksRunning,
    hostStopped,
    phaseStep("normal", "close the failback: phase normal", "nothing to undo"),
  ],
  next: "nothing: MongoDB is the source again",
};
