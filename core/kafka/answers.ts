/** What ZooKeeper's four-letter words and Kafka's own programs answer (ZooKeeper 3.8, Kafka 3.9). */

export type ZookeeperMode = "leader" | "follower";

/** `srvr`: a ZooKeeper without a majority answers, too, but has no mode. */
export function modeOf(srvr: string): ZookeeperMode | undefined {
  return /^Mode: (leader|follower)$/m.exec(srvr)?.[1] as ZookeeperMode | undefined;
}

export interface Brokers {
  readonly ids: readonly number[];
  /** The broker that decides who leads partitions. */
  readonly controller?: number;
}

/** `dump`: the session that holds `/brokers/ids/N` is broker N's; the one that holds `/controller`, too, is the controller's. */
export function brokersOf(dump: string): Brokers {
  const sessions = dump.slice(dump.indexOf("Sessions with Ephemerals")).split(/^0x[0-9a-f]+:$/m);
  const ids: number[] = [];
  let controller: number | undefined;
  for (const session of sessions) {
    const own = /^\t\/brokers\/ids\/(\d+)$/m.exec(session)?.[1];
    if (own === undefined) continue;
    ids.push(Number(own));
    if (/^\t\/controller$/m.test(session)) controller = Number(own);
  }
  ids.sort((one, other) => one - other);
  return { ids, ...(controller === undefined ? {} : { controller }) };
}

export interface Partition {
  readonly number: number;
  /** Undefined while nobody leads it. */
  readonly leader?: number;
  readonly replicas: readonly number[];
  readonly inSync: readonly number[];
}

export interface Topic {
  readonly name: string;
  readonly replicationFactor: number;
  readonly configuration: ReadonlyMap<string, string>;
  readonly partitions: readonly Partition[];
}

/** `kafka-topics.sh --describe` of one topic; undefined when the answer has none. */
export function topicOf(described: string): Topic | undefined {
  const head = described.split("\n").find((line) => line.startsWith("Topic: "));
  if (head === undefined) return undefined;
  const fields = fieldsOf(head);
  const configuration = (fields.get("Configs") ?? "").split(",").filter((each) => each.includes("="));
  return {
    name: fields.get("Topic") ?? "",
    replicationFactor: Number(fields.get("ReplicationFactor")),
    configuration: new Map(configuration.map((each) => each.split("=", 2) as [string, string])),
    partitions: described
      .split("\n")
      .filter((line) => line.startsWith("\tTopic: "))
      .map((line) => partitionOf(fieldsOf(line))),
  };
}

function partitionOf(fields: ReadonlyMap<string, string>): Partition {
  const leader = Number(fields.get("Leader"));
  return {
    number: Number(fields.get("Partition")),
    ...(Number.isInteger(leader) && leader >= 0 ? { leader } : {}),
    replicas: numbers(fields.get("Replicas")),
    inSync: numbers(fields.get("Isr")),
  };
}

function fieldsOf(line: string): ReadonlyMap<string, string> {
  const fields = line.split("\t").filter((field) => field !== "");
  return new Map(
    fields.map((field) => {
      const at = field.indexOf(":");
      return [field.slice(0, at), field.slice(at + 1).trim()] as const;
    }),
  );
}

function numbers(list = ""): number[] {
  return list
    .split(",")
    .filter((word) => /^\d+$/.test(word))
    .map(Number);
}

/** `kafka-get-offsets.sh`: where the next message of a partition goes; undefined for a partition without an answer. */
export function nextOffsetOf(answer: string, topic: string, partition: number): number | undefined {
  const line = answer.split("\n").find((each) => each.startsWith(`${topic}:${partition}:`));
  const offset = Number(line?.split(":").at(-1) || Number.NaN);
  return Number.isInteger(offset) ? offset : undefined;
}
