import { parseNodeList } from "../../core/kafka/cluster.ts";
import { configurationChecks } from "../../core/kafka/configuration.ts";
import { KafkaNode } from "../kafka/node.ts";
import type { Action } from "./action.ts";

/**
 * Runs the node's installer, which fetches the configuration that Terraform keeps, and holds the files to the list of nodes
 * that the runner was given. Starts nothing, stops nothing: what runs takes a new configuration at its next start.
 */
export const run: Action = async ({ parameter }) => {
  const node = KafkaNode.of(process.env.ROUNDTRIP_CONFIG);
  const id = Number(parameter("node"));
  await node.install(id);
  const nodes = parseNodeList(parameter("nodes"));
  const checks = configurationChecks(id, nodes, await node.files());
  return { checks, data: { installed: (await node.installed()) ?? "" } };
};
