import { keysOf } from "../../core/failback/layout.ts";
import type { Runbook, Step } from "../engine/runbook.ts";
import { actionStep, startUnitStep } from "../steps/action-step.ts";
import { follow } from "../steps/await-service.ts";
import { hostReady } from "../steps/host.ts";

const cleanSeconds = 5 * 3600;
const stoppedSeconds = 3600;

const awaitClean: Step = {
  name: "cleaned",
  what: "follow clean on the host until the phase is cleaned",
  undo: "the archive holds log, manifests, ledger and verdict",
  plan: ({ failbackId }) => [{ call: "S3 GetObject", target: keysOf(failbackId).status("clean") }],
  run: async (context) => {
    await follow(context, ["monitor-restore", "clean", "monitor-clean"], cleanSeconds, async () =>
      (await context.phases.read()).phase === "cleaned" ? true : undefined,
    );
    return { note: `archived under ${keysOf(context.failbackId).archive}` };
  },
};

const hostIsStopped: Step = {
  name: "host-stopped",
  what: "see that the host stopped itself after clean and backup",
  undo: "any failback runbook starts it again",
  plan: ({ environment }) => [{ call: "EC2 DescribeInstances", target: environment.instanceId }],
  run: async ({ environment, instances }) => {
    await instances.waitStopped(environment.instanceId, stoppedSeconds);
    return { note: `${environment.instanceId} stopped` };
  },
};

/** Once cleaned, the host may be off already: then there is nothing left to start. */
function beforeCleaned(step: Step): Step {
  return {
    ...step,
    run: async (context) =>
      (await context.phases.read()).phase === "cleaned" ? { note: "already cleaned" } : step.run(context),
  };
}

export const failbackClean: Runbook = {
  name: "failback-clean",
  summary: "After PROVEN: reopen MongoDB, archive the evidence, remove what capture left, stop the host.",
  phases: ["verified", "cleaned"],
  inputs: [],
  steps: [
    beforeCleaned(hostReady),
    beforeCleaned(
      actionStep({
        name: "check-clean",
        what: "check that the verdict is PROVEN and nobody wrote to MongoDB since",
        undo: "nothing was changed",
        action: "check-clean",
      }),
    ),
    beforeCleaned(
      startUnitStep({
        name: "start-monitor",
        what: "start the monitor that starts clean and monitor-clean",
        undo: "nothing to undo",
        unit: "monitor-restore.service",
        every: true,
      }),
    ),
    awaitClean,
    hostIsStopped,
  ],
  next: "point the applications at MongoDB, then failback-resume to start DMS again",
};
