import type { Runbook } from "../engine/runbook.ts";
import { actionStep } from "../steps/action-step.ts";
import { hostReady, hostStopped } from "../steps/host.ts";
import { phaseStep } from "../steps/phase.ts";

export const failbackAbort: Runbook = {
  name: "failback-abort",
  summary: "The failback was opened for nothing: back to normal, provided that nothing was written.",
  phases: ["capturing"],
  inputs: [],
  steps: [
    hostReady,
    actionStep({
      name: "abort-cleanup",
      what: "take the users' writes, see that the log holds no write of theirs, give old roles back, change streams off",
      undo: "failback-start opens a new failback",
      action: "abort-cleanup",
    }),
    hostStopped,
    phaseStep("normal", "close the failback: phase normal", "failback-start opens a new one"),
  ],
  next: "start the DMS tasks again when MongoDB answers",
};
