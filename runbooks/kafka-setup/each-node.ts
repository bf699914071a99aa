/** What is done on one node after the other. */
import type { Check } from "../../core/failback/documents.ts";
import type { KafkaNode } from "../../core/kafka/cluster.ts";
import type { OperationContext } from "../engine/runbook.ts";
import type { OperationStep } from "../steps/selected-tasks.ts";
import { clusterOf, nodesOf } from "./nodes.ts";

export const prepared: OperationStep = {
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
export function started(name: string, unit: string): OperationStep {
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
