import type { Host, Operation, OperationContext, StepContext } from "../engine/runbook.ts";
import { actionStep } from "../steps/action-step.ts";
import type { OperationStep } from "../steps/selected-tasks.ts";

const readySeconds = 900;

const hostOf = ({ inputs }: StepContext): Host => (inputs.host === "operations" ? "operations" : "failback");

/** Where an environment has no operations host, the failback host serves. */
function instanceOf(context: StepContext): string {
  const { environment } = context;
  return hostOf(context) === "operations"
    ? (environment.operationsInstanceId ?? environment.instanceId)
    : environment.instanceId;
}

const hostAnswers: OperationStep = {
  name: "host-ready",
  what: "see that the host answers; where it is off, start it",
  undo: "nothing to undo",
  every: true,
  plan: (context) => [
    { call: "EC2 DescribeInstances", target: instanceOf(context) },
    { call: "SSM DescribeInstanceInformation", target: instanceOf(context) },
  ],
  run: async (context) => {
    const { instances, say } = context;
    const instance = instanceOf(context);
    const before = await instances.state(instance);
    if (before !== "running") {
      say(`  host ${instance} is ${before}; starting it`);
      await instances.start(instance);
    }
    await instances.waitReady(instance, readySeconds);
    return { note: `${instance} answers (was ${before})` };
  },
};

const upgrade: OperationStep = {
  ...actionStep<OperationContext>({
    name: "upgrade",
    what: "fetch the worker by its checksum, put it in place, start capture anew with it; the old one back where that fails",
    undo: "run this again with version and checksum of the one before",
    action: "upgrade-worker",
    every: true,
  }),
  plan: (context) => [context.plannedAction("upgrade-worker", parametersOf(context), hostOf(context))],
  run: async (context) => {
    const { checks, data } = await context.action("upgrade-worker", parametersOf(context), hostOf(context));
    return { checks, data, note: `${String(data.to)}, before ${String(data.from)}` };
  },
};

/** As the release lays it out (docs/releases.md). */
function parametersOf({ inputs }: OperationContext): Record<string, string> {
  const { version = "", architecture = "", checksum = "" } = inputs;
  return { key: `${version}/roundtrip-worker-linux-${architecture}`, sha256: checksum };
}

/** What came up is not yet what works: a write on DocumentDB has to be found in the log. */
const captureProved: OperationStep = {
  name: "canary",
  what: "while a failback captures: write a canary to DocumentDB and find it in the log",
  undo: "nothing to undo: a control document",
  every: true,
  plan: (context) =>
    hostOf(context) === "failback"
      ? [context.plannedAction("canary", { failbackId: "open" }, "failback")]
      : [],
  run: async (context) => {
    const { phase, failbackId } = await context.phases.read();
    if (phase !== "capturing" || hostOf(context) !== "failback") return { note: "nothing is captured here" };
    const { checks, data } = await context.action("canary", { failbackId }, "failback");
    return { checks, data, note: `found after ${String(data.seenMs)} ms` };
  },
};

const hostAsBefore: OperationStep = {
  name: "host-as-before",
  what: "stop the failback host again in normal times; leave any other as it is",
  undo: "nothing to undo",
  every: true,
  plan: (context) =>
    instanceOf(context) === context.environment.instanceId
      ? [{ call: "EC2 StopInstances", target: context.environment.instanceId }]
      : [],
  run: async (context) => {
    const { environment, instances, phases } = context;
    const instance = instanceOf(context);
    const { phase } = await phases.read();
    if (instance !== environment.instanceId || phase !== "normal") return { note: `${instance} stays on` };
    await instances.stop(instance);
    return { note: `${instance} stopped` };
  },
};

export const upgradeWorker: Operation = {
  kind: "operation",
  name: "upgrade-worker",
  summary: "Put another version of the worker on a host, also in the middle of a capture; it loses nothing.",
  phases: ["normal", "capturing", "verified", "cleaned"],
  inputs: [
    {
      name: "version",
      description: "the release, like 0.2.0",
      pattern: /^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$/,
    },
    {
      name: "checksum",
      description: "sha256 of the worker for that machine, as the release's SHA256SUMS has it",
      pattern: /^[0-9a-f]{64}$/,
    },
    {
      name: "architecture",
      description: "what machine the host is",
      pattern: /^(x64|arm64)$/,
      default: "x64",
    },
    {
      name: "host",
      description: "which host; one after the other",
      pattern: /^(failback|operations)$/,
      default: "failback",
    },
  ],
  steps: [hostAnswers, upgrade, captureProved, hostAsBefore],
  next: "the other host, then host_release in terraform/environments: what the next machine installs",
};
