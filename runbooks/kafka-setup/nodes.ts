import { RoundtripError } from "../../core/errors.ts";
import type { Environment } from "../../core/failback/documents.ts";
import { electionWords, type KafkaNode, lossesBorne, nodeList } from "../../core/kafka/cluster.ts";
import { documentName, resultOf } from "../engine/action.ts";
import type { OperationContext } from "../engine/runbook.ts";
import type { OperationStep } from "../steps/selected-tasks.ts";

const readySeconds = 600;
/** A first boot fetches the worker, Java and Kafka; what is missing after that is missing for a reason. */
const installedMsMax = 600_000;
const lookEveryMs = 5000;
const lookSeconds = 120;

/** The nodes as Terraform published them, by their ids. Fails `refused` where the environment has none. */
export function nodesOf({ environment, kafka }: Environment): readonly KafkaNode[] {
  if (kafka) return kafka.nodes.toSorted((one, other) => one.id - other.id);
  throw new RoundtripError({
    kind: "refused",
    what: `set up Kafka of environment ${environment}`,
    expected: "Kafka's nodes in the environment's document",
    got: "none",
    wayOut: `give \`kafka\` in terraform/environments/${environment}.tfvars and apply; an environment without it has no Kafka to set up`,
  });
}

/** What actions are given of the cluster. */
export function clusterOf(environment: Environment): { readonly nodes: string } {
  return { nodes: nodeList(nodesOf(environment)) };
}

export const nodesReady: OperationStep = {
  name: "nodes",
  what: "see that every node runs and answers SSM; say how many may be lost",
  undo: "nothing to undo",
  every: true,
  plan: ({ environment }) => {
    const nodes = nodesOf(environment);
    return [
      { call: electionWords(nodes.length), target: nodeList(nodes) },
      ...nodes.flatMap(({ instanceId }) => [
        { call: "EC2 DescribeInstances", target: instanceId },
        { call: "SSM DescribeInstanceInformation", target: instanceId },
      ]),
    ];
  },
  run: async ({ environment, instances }) => {
    const nodes = nodesOf(environment);
    for (const { id, instanceId } of nodes) {
      const state = await instances.state(instanceId);
      if (state !== "running" && state !== "pending") throw notRunning(id, instanceId, state);
      await instances.waitReady(instanceId, readySeconds);
    }
    return { note: `${lossesBorne(nodes.length) === 0 ? "⚠️ " : ""}${electionWords(nodes.length)}` };
  },
};

function notRunning(id: number, instanceId: string, state: string): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what: `set up Kafka on node ${id}`,
    expected: `${instanceId} running`,
    got: state,
    wayOut:
      "find out who stopped it, start it, then run kafka-setup again; one that is gone is made by Terraform",
  });
}

/** A node that has just been made answers SSM before it has the worker that everything else is done by. */
export const nodesInstalled: OperationStep = {
  name: "installed",
  what: "wait until every node has its worker",
  undo: "nothing to undo: it only looks",
  every: true,
  plan: (context) =>
    nodesOf(context.environment).map(({ instanceId }) =>
      context.plannedAction("kafka-status", {}, { instanceId }),
    ),
  run: async (context) => {
    const nodes = nodesOf(context.environment);
    const found: Record<string, unknown> = {};
    for (const node of nodes) found[node.id] = await statusOf(context, node);
    return { data: found, note: `the worker answers on ${nodes.length} nodes` };
  },
};

/** Not a step's own action: that would re-attach to the look before, and this only looks. */
async function statusOf(
  { environment, commands, clock, signal, say }: OperationContext,
  { id, instanceId }: KafkaNode,
): Promise<Readonly<Record<string, unknown>>> {
  const endMs = clock.monotonicMs() + installedMsMax;
  for (;;) {
    signal.throwIfAborted();
    const command = await commands.send(instanceId, documentName(environment, "kafka-status"), {});
    const result = await commands.wait(instanceId, command, lookSeconds);
    try {
      return resultOf("kafka-status", result).data;
    } catch (cause) {
      if (clock.monotonicMs() >= endMs) throw notInstalled(id, instanceId, cause);
      say(`  node ${id} (${instanceId}) has no worker yet: ${result.stderr.trim().split("\n")[0] ?? ""}`);
    }
    await clock.sleep(lookEveryMs, signal);
  }
}

function notInstalled(id: number, instanceId: string, cause: unknown): RoundtripError {
  const got = cause instanceof RoundtripError ? cause.got : String(cause);
  return new RoundtripError(
    {
      kind: "unavailable",
      what: `wait for the worker on node ${id} (${instanceId})`,
      expected: `an answer of kafka-status within ${installedMsMax / 60_000} minutes`,
      got,
      wayOut:
        "on the node, /opt/roundtrip/install/status and journalctl -u roundtrip-install say what is missing; a node made before it had a worker is made anew by `terraform apply -replace`, its volume stays",
    },
    { cause },
  );
}
