import type { PlannedCall, Step, StepContext } from "../engine/runbook.ts";

const readySeconds = 900;
const stoppedSeconds = 900;

/** Starts the failback EC2, keeps it from being stopped by a schedule, and waits until SSM answers. */
export const hostReady: Step<StepContext> = {
  name: "host-ready",
  what: "start the failback host, protect it from being stopped, wait until SSM answers",
  undo: "failback-clean stops the host; until then leave it on",
  every: true,
  plan: ({ environment }): readonly PlannedCall[] => [
    { call: "EC2 StartInstances", target: environment.instanceId },
    {
      call: "EC2 ModifyInstanceAttribute",
      target: environment.instanceId,
      parameters: { disableApiStop: "true" },
    },
    {
      call: "SSM DescribeInstanceInformation",
      target: environment.instanceId,
      parameters: { until: "Online" },
    },
  ],
  run: async ({ environment, instances, say }) => {
    const before = await instances.state(environment.instanceId);
    if (before !== "running") {
      say(`  host ${environment.instanceId} is ${before}; starting it`);
      await instances.start(environment.instanceId);
    }
    await instances.setStopProtection(environment.instanceId, true);
    await instances.waitReady(environment.instanceId, readySeconds);
    const isProtected = await instances.stopProtection(environment.instanceId);
    return {
      checks: [
        {
          name: "host answers and is protected from being stopped",
          ok: isProtected,
          expected: "SSM Online, stop protection on",
          got: `SSM Online, stop protection ${isProtected ? "on" : "off"}`,
        },
      ],
      data: { stateBefore: before },
      note: `${environment.instanceId} ready (was ${before})`,
    };
  },
};

/** Stops the host again, where the runbook itself is what needed it. */
async function stopHost({ environment, instances }: StepContext): Promise<void> {
  await instances.setStopProtection(environment.instanceId, false);
  await instances.stop(environment.instanceId);
  await instances.waitStopped(environment.instanceId, stoppedSeconds);
}

export const hostStopped: Step<StepContext> = {
  name: "host-stopped",
  what: "stop the failback host",
  undo: "any failback runbook starts it again",
  every: true,
  plan: ({ environment }) => [{ call: "EC2 StopInstances", target: environment.instanceId }],
  run: async (context) => {
    await stopHost(context);
    return { note: `${context.environment.instanceId} stopped` };
  },
};
