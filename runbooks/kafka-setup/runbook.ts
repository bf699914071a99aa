import { phases } from "../../core/failback/phase.ts";
import type { Operation, OperationContext } from "../engine/runbook.ts";
import type { OperationStep } from "../steps/selected-tasks.ts";
import { prepared, started } from "./each-node.ts";
import { clusterOf, nodesInstalled, nodesOf, nodesReady } from "./nodes.ts";

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
