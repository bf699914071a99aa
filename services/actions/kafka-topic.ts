import type { Check } from "../../core/failback/documents.ts";
import { type Topic, topicOf } from "../../core/kafka/answers.ts";
import { archiveTopic, bootstrapServers, parseNodeList, replicasOf } from "../../core/kafka/cluster.ts";
import { KafkaNode } from "../kafka/node.ts";
import { waitFor } from "../kafka/wait-for.ts";
import { type Action, check } from "./action.ts";

const inSyncMsMax = 120_000;

/** Makes the topic unless it is there. One that is there is never changed: what differs from what it should be is said. */
export const run: Action = async ({ service, parameter }) => {
  const nodes = parseNodeList(parameter("nodes"));
  const node = KafkaNode.of(process.env.ROUNDTRIP_CONFIG);
  const wanted = replicasOf(nodes.length);
  const topics = (...args: string[]) =>
    node.tool("kafka-topics.sh", [
      "--bootstrap-server",
      bootstrapServers(nodes),
      "--topic",
      archiveTopic,
      ...args,
    ]);
  const copies = ["--partitions", "1", "--replication-factor", String(wanted.replicas)];
  const settings = ["--config", `min.insync.replicas=${wanted.inSync}`];
  const described = async () => topicOf(await topics("--describe", "--if-exists"));
  let created = false;
  const seen = await waitFor(service, inSyncMsMax, async () => {
    let topic = await described();
    if (!topic && !created) {
      await topics("--create", "--if-not-exists", ...copies, ...settings);
      created = true;
      topic = await described();
    }
    const lacking = topic?.partitions.filter(({ inSync, replicas }) => inSync.length < replicas.length) ?? [];
    const ok = topic !== undefined && lacking.length === 0;
    return { ok, topic, expected: "every partition on all of its replicas", got: partitionWords(topic) };
  });
  const { topic } = seen;
  return {
    checks: topic ? [...settingChecks(topic, wanted), copied(seen)] : [copied(seen)],
    data: {
      topic: archiveTopic,
      created,
      leaders: topic?.partitions.map(({ leader }) => leader ?? null) ?? [],
      partitions: partitionWords(topic),
    },
  };
};

function settingChecks(topic: Topic, { replicas, inSync }: ReturnType<typeof replicasOf>): Check[] {
  const got = topic.configuration.get("min.insync.replicas") ?? "nothing";
  return [
    check(`copies of ${archiveTopic}`, topic.replicationFactor === replicas, {
      expected: String(replicas),
      got: String(topic.replicationFactor),
      wayOut: `it was made with another number of nodes: kafka-reassign-partitions.sh gives it ${replicas} (docs/kafka.md), then run kafka-setup again`,
    }),
    check(`min.insync.replicas of ${archiveTopic}`, got === String(inSync), {
      expected: String(inSync),
      got,
      wayOut: `kafka-configs.sh --alter --entity-type topics --entity-name ${archiveTopic} --add-config min.insync.replicas=${inSync} on a node, then run kafka-setup again`,
    }),
  ];
}

function copied(seen: { readonly ok: boolean; readonly expected: string; readonly got: string }): Check {
  const wayOut = "see journalctl -u kafka on the nodes that are not in sync, and run kafka-setup again";
  return check(`${archiveTopic} is in sync`, seen.ok, { ...seen, wayOut });
}

function partitionWords(topic: Topic | undefined): string {
  if (!topic) return "no such topic";
  return topic.partitions
    .map(
      ({ number, leader, inSync }) =>
        `partition ${number}: leader ${leader ?? "none"}, in sync ${inSync.join(", ")}`,
    )
    .join("; ");
}
