import { bootstrapServers, type KafkaAddress, parseNodeList } from "../../core/kafka/cluster.ts";
import { counted } from "../../core/plan/words.ts";
import { KafkaNode, type KafkaUnit } from "../kafka/node.ts";
import { type Seen, waitFor } from "../kafka/wait-for.ts";
import { leaderOf, registeredBrokers, stateWords, zookeeperStates } from "../kafka/zookeeper.ts";
import { type Action, check } from "./action.ts";

/** Catching up after a restart takes as long as what was missed; before one, whatever is under way has to end. */
const wholeMsMax = 600_000;

/**
 * Starts a unit anew that runs with an old configuration, once the others can do without it, and waits until it is back among
 * them: the next node may be touched then. One that runs as configured stays as it is.
 */
export const run: Action = async ({ service, parameter }) => {
  const unit = parameter("unit") as KafkaUnit;
  const nodes = parseNodeList(parameter("nodes"));
  const own = Number(parameter("node"));
  const node = KafkaNode.of(process.env.ROUNDTRIP_CONFIG);
  if (await node.runsAsConfigured(unit))
    return { checks: [done(own, unit, "as configured")], data: { restarted: false } };
  const look = (back?: number) =>
    unit === "kafka.service" ? lookAtBrokers(node, nodes, back) : lookAtZookeepers(nodes, back);
  const before = await waitFor(service, wholeMsMax, () => look());
  if (!before.ok) return { checks: [whole(own, "before the restart", before)], data: { restarted: false } };
  await service.units.stop(unit);
  await service.units.start(unit);
  const after = await waitFor(service, wholeMsMax, () => look(own));
  const isNew = await node.runsAsConfigured(unit);
  const now = done(own, unit, isNew ? "started anew" : "still an old one", isNew);
  return { checks: [whole(own, "after the restart", after), now], data: { restarted: true } };
};

function done(id: number, unit: string, got: string, ok = true) {
  return check(`node ${id}: ${unit} has the configuration Terraform published`, ok, {
    expected: "the node's own",
    got,
    wayOut: `see journalctl -u ${unit} on the node, and run kafka-setup again`,
  });
}

function whole(id: number, when: string, { ok, expected, got }: Seen) {
  return check(`node ${id}: the cluster is whole ${when}`, ok, {
    expected,
    got,
    wayOut: "no other node was touched: mend the one that is named, then run kafka-setup again",
  });
}

/** One leads; node `back` follows or leads as well. */
async function lookAtZookeepers(nodes: readonly KafkaAddress[], back?: number): Promise<Seen> {
  const states = await zookeeperStates(nodes);
  const isBack = back === undefined || states.some(({ id, mode }) => id === back && mode !== undefined);
  const expected =
    back === undefined ? "one ZooKeeper leads" : `one ZooKeeper leads, node ${back} is with it`;
  return { ok: leaderOf(states) !== undefined && isBack, expected, got: stateWords(states) };
}

/** Nothing is behind; broker `back` is registered. */
async function lookAtBrokers(node: KafkaNode, nodes: readonly KafkaAddress[], back?: number): Promise<Seen> {
  const expected = "every partition on all of its replicas";
  const { ids } = await registeredBrokers(nodes);
  if (back !== undefined && !ids.includes(back))
    return { ok: false, expected, got: `broker ${back} is not registered` };
  const servers = ["--bootstrap-server", bootstrapServers(nodes)];
  const said = await node
    .tool("kafka-topics.sh", [...servers, "--describe", "--under-replicated-partitions"])
    .catch((error: Error) => error);
  if (said instanceof Error) return { ok: false, expected, got: said.message };
  const lacking = said.split("\n").filter((line) => line.includes("Partition: ")).length;
  return { ok: lacking === 0, expected, got: `${counted(lacking, "partition")} without all replicas` };
}
