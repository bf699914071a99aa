/** The Kafka cluster as Terraform publishes it (terraform/modules/kafka), and what its number of nodes means. */

export interface KafkaNode {
  /** `broker.id` and ZooKeeper's `myid`. */
  readonly id: number;
  readonly instanceId: string;
  readonly privateIp: string;
}

/** Where a node is reached by the others; what a node is told of its cluster. */
export type KafkaAddress = Pick<KafkaNode, "id" | "privateIp">;

/** Ports as terraform/modules/kafka/install has them in the configuration. */
export const zookeeperPort = 2181;
export const brokerPort = 9092;

/** The topic that an archive of MongoDB's oplog goes through. One partition: its order is the oplog's. */
export const archiveTopic = "oplog-backup";
/** Key of messages that prove the cluster and are no change of a document: who reads the topic passes them over. */
export const controlKey = "roundtrip-control";

/** How many copies of a message the cluster keeps, and on how many it stands before it is acknowledged. */
export function replicasOf(nodes: number): { readonly replicas: number; readonly inSync: number } {
  const replicas = Math.min(3, nodes);
  return { replicas, inSync: Math.max(1, replicas - 1) };
}

/** How many nodes may be lost while the others still elect: ZooKeeper needs more than half. */
export function lossesBorne(nodes: number): number {
  return Math.floor((nodes - 1) / 2);
}

/** What losing nodes means, in one sentence; a number that can't elect is said so. */
export function electionWords(nodes: number): string {
  const borne = lossesBorne(nodes);
  if (borne === 0)
    return `${nodes} ZooKeepers elect no leader when one is lost: a majority of ${nodes} is ${nodes}, and the cluster stands still until that node is back`;
  const better = nodes % 2 === 0 ? `, as ${nodes - 1} do` : "";
  return `${nodes} nodes bear the loss of ${borne}${better}: the others elect leaders and go on`;
}

/** `1=10.0.1.10,2=10.0.2.10`: as actions are given it. */
export function nodeList(nodes: readonly KafkaAddress[]): string {
  return nodes.map(({ id, privateIp }) => `${id}=${privateIp}`).join(",");
}

/** The reverse of `nodeList`, for a text that fits the actions' pattern. */
export function parseNodeList(text: string): KafkaAddress[] {
  return text.split(",").map((entry) => {
    const [id = "", privateIp = ""] = entry.split("=");
    return { id: Number(id), privateIp };
  });
}

/** Where clients find the cluster. */
export function bootstrapServers(nodes: readonly KafkaAddress[]): string {
  return nodes.map(({ privateIp }) => `${privateIp}:${brokerPort}`).join(",");
}
