import type { Check } from "../../core/failback/documents.ts";
import { phases } from "../../core/failback/phase.ts";
import type { KafkaNode } from "../../core/kafka/cluster.ts";
import type { Operation, OperationContext } from "../engine/runbook.ts";
import type { OperationStep } from "../steps/selected-tasks.ts";
import { clusterOf, nodesInstalled, nodesOf, nodesReady } from "./nodes.ts";

const prepared: OperationStep = {
  name: "prepare",
  what: "bring each node's configuration to what Terraform published: myid, servers, broker id, listeners",
  undo: "apply what Terraform had before and run this again; what runs takes it at its next start",
  every: true,
  plan: (context) =>
    nodesOf(context.environment).map((node) => context.plannedAction("kafka-prepare", ...of(context, node))),
  run: async (context) => {
    const nodes = nodesOf(context.environment);
    const checks: Check[] = [];
    for (const node of nodes)
      checks.push(...(await context.action("kafka-prepare", ...of(context, node))).checks);
    return { checks, note: `${nodes.length} nodes are configured as published` };
  },
};

function of(
  { environment }: OperationContext,
  { id, instanceId }: KafkaNode,
): [Readonly<Record<string, string>>, { readonly instanceId: string }] {
  return [{ node: String(id), ...clusterOf(environment) }, { instanceId }];
}

/** Starts a unit on every node that has it down; then one that runs with an old configuration anew, a node after the other. */
function started(name: string, unit: string): OperationStep {
  return {
    name,
    what: `start ${unit} on every node, now and at each boot; where it has an older configuration, restart it, one node after the other`,
    undo: `systemctl disable --now ${unit} on each node: its data stays on the volume`,
    every: true,
    plan: (context) => {
      const nodes = nodesOf(context.environment);
      const restart = (node: KafkaNode) => {
        const [parameters, host] = of(context, node);
        const call = context.plannedAction("kafka-restart", { unit, ...parameters }, host);
        return { ...call, target: `${call.target}, where its configuration is an older one` };
      };
      return [
        ...nodes.map(({ id, instanceId }) =>
          context.plannedAction("kafka-start", { unit, node: String(id) }, { instanceId }),
        ),
        ...nodes.map(restart),
      ];
    },
    run: async (context) => {
      const begun: number[] = [];
      const outdated: KafkaNode[] = [];
      const checks: Check[] = [];
      for (const node of nodesOf(context.environment)) {
        const { id, instanceId } = node;
        const parameters = { unit, node: String(id) };
        const { data, ...result } = await context.action("kafka-start", parameters, { instanceId });
        checks.push(...result.checks);
        if (data.started) begun.push(id);
        if (data.outdated) outdated.push(node);
      }
      for (const node of outdated) {
        const [parameters, host] = of(context, node);
        checks.push(...(await context.action("kafka-restart", { unit, ...parameters }, host)).checks);
      }
      const again = outdated.map(({ id }) => id);
      return { checks, data: { started: begun, restarted: again }, note: words(begun, again) };
    },
  };
}

function words(begun: readonly number[], again: readonly number[]): string {
  if (begun.length + again.length === 0) return "runs on every node, as configured";
  const parts = [
    ...(begun.length > 0 ? [`started on ${begun.join(", ")}`] : []),
    ...(again.length > 0 ? [`restarted with the new configuration on ${again.join(", ")}`] : []),
  ];
  return parts.join("; ");
}

interface FromOneNode {
  readonly name: string;
  readonly what: string;
  readonly undo: string;
  readonly action: string;
  parameters?(context: OperationContext): Readonly<Record<string, string>>;
  note(data: Readonly<Record<string, unknown>>): string;
}

/** What one node, the first, finds out or does for the whole cluster. */
function fromOneNode({ name, what, undo, action, parameters, note }: FromOneNode): OperationStep {
  const all = (context: OperationContext): Parameters<typeof context.action> => {
    const { instanceId } = nodesOf(context.environment)[0]!;
    return [action, { ...clusterOf(context.environment), ...parameters?.(context) }, { instanceId }];
  };
  return {
    name,
    what,
    undo,
    every: true,
    plan: (context) => [context.plannedAction(...all(context))],
    run: async (context) => {
      const { checks, data } = await context.action(...all(context));
      return { checks, data, note: note(data) };
    },
  };
}

const quorum = fromOneNode({
  name: "quorum",
  what: "wait until every ZooKeeper answers and exactly one leads",
  undo: "nothing to undo: it only looks",
  action: "kafka-quorum",
  note: ({ leader }) => `node ${leader} leads ZooKeeper`,
});

const brokers = fromOneNode({
  name: "brokers",
  what: "wait until every broker is registered",
  undo: "nothing to undo: it only looks",
  action: "kafka-brokers",
  note: ({ brokers: ids, controller }) => `brokers ${listOf(ids)}; ${controller} is the controller`,
});

const topic = fromOneNode({
  name: "topic",
  what: "make the topic oplog-backup, or check the one there is",
  undo: "kafka-topics.sh --delete --topic oplog-backup on a node, while nobody needs what is in it",
  action: "kafka-topic",
  note: ({ topic: name, created, partitions }) => `${name} ${created ? "made" : "was there"}: ${partitions}`,
});

const message = fromOneNode({
  name: "message",
  what: "produce a message that every copy acknowledges, and consume it",
  undo: "nothing to undo: it has a key of its own, and goes with the topic's retention",
  action: "kafka-message",
  parameters: ({ operationId }) => ({ message: operationId }),
  note: ({ topic: name, offset }) => `a message came through ${name} (offset ${offset} or later)`,
});

function listOf(value: unknown): string {
  return Array.isArray(value) ? value.join(", ") : String(value);
}

export const kafkaSetup: Operation = {
  kind: "operation",
  name: "kafka-setup",
  summary: "Start Kafka's nodes as Terraform published them, and prove the cluster with a message.",
  phases,
  inputs: [],
  steps: [
    nodesReady,
    nodesInstalled,
    prepared,
    started("zookeeper", "zookeeper.service"),
    quorum,
    started("kafka", "kafka.service"),
    brokers,
    topic,
    message,
  ],
  next: "nothing; after Terraform changed the nodes, run it again",
};
