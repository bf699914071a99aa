import type { Runbook, Step } from "../engine/runbook.ts";
import { actionStep, startUnitStep } from "../steps/action-step.ts";
import { hostReady } from "../steps/host.ts";
import { phaseStep } from "../steps/phase.ts";

const stopped = ["monitor-replication.service", "restore.service"];

const stopRestore: Step = {
  name: "stop-restore",
  what: "stop the monitor and restore; what was applied to MongoDB stays",
  undo: "failback-restore starts them again",
  plan: ({ environment }) =>
    stopped.map((unit) => ({
      call: `SSM ${environment.documentPrefix}-stop-service`,
      target: environment.instanceId,
      parameters: { unit },
    })),
  run: async (context) => {
    for (const unit of stopped) await context.action("stop-service", { unit });
    return { note: stopped.join(", ") };
  },
};

export const failbackReopen: Runbook = {
  name: "failback-reopen",
  summary:
    "Restore can't go on (MongoDB is down again, or DIFFERS): give DocumentDB its writers back on the same log.",
  phases: ["draining", "restoring", "capturing"],
  inputs: [
    {
      name: "allow-remove",
      description: "applications may delete documents",
      pattern: /^(true|false)$/,
      default: "false",
    },
  ],
  steps: [
    hostReady,
    stopRestore,
    startUnitStep({
      name: "start-replication",
      what: "see that capture runs, start it when it does not",
      undo: "nothing to undo",
      unit: "replication.service",
    }),
    actionStep({
      name: "canary",
      what: "write a canary to DocumentDB and find it in the log",
      undo: "nothing to undo: a control document",
      action: "canary",
    }),
    phaseStep("capturing", "go back to phase capturing", "failback-restore"),
    actionStep({
      name: "grant-writers",
      what: "let the application users write again, now that capture is proved",
      undo: "failback-restore takes the rights away again",
      action: "grant-writers",
      parameters: ({ inputs }) => ({ allowRemove: inputs["allow-remove"] ?? "false" }),
    }),
  ],
  next: "the applications may write to DocumentDB again; when MongoDB is ready: failback-restore",
};
