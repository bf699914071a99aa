import type { Step, StepContext } from "../engine/runbook.ts";
import { operationsInstance } from "./inspection.ts";

const readySeconds = 900;

/**
 * Sees that the host operations run their actions on answers. The operations EC2 is always on; where an environment has
 * none, the failback EC2 serves, which is off in normal times: `operationsHostAsBefore` puts it off again.
 */
export const operationsHostReady: Step<StepContext> = {
  name: "host-ready",
  what: "see that the operations host answers; where it is off, start it",
  undo: "nothing to undo",
  every: true,
  plan: ({ environment }) => [
    { call: "EC2 DescribeInstances", target: operationsInstance(environment) },
    { call: "SSM DescribeInstanceInformation", target: operationsInstance(environment) },
  ],
  run: async ({ environment, instances, say }) => {
    const instance = operationsInstance(environment);
    const before = await instances.state(instance);
    if (before !== "running") {
      say(`  host ${instance} is ${before}; starting it`);
      await instances.start(instance);
    }
    await instances.waitReady(instance, readySeconds);
    return { data: { stateBefore: before }, note: `${instance} answers` };
  },
};

/** Stops the failback EC2 again, where it serves as operations host. The operations EC2 stays on. */
export const operationsHostAsBefore: Step<StepContext> = {
  name: "host-as-before",
  what: "stop the host again, where it is the failback host",
  undo: "nothing to undo",
  every: true,
  plan: ({ environment }) =>
    environment.operationsInstanceId === undefined
      ? [{ call: "EC2 StopInstances", target: environment.instanceId }]
      : [],
  run: async ({ environment, instances }) => {
    if (environment.operationsInstanceId !== undefined) return { note: "the operations host stays on" };
    await instances.stop(environment.instanceId);
    return { note: `${environment.instanceId} stopped` };
  },
};
