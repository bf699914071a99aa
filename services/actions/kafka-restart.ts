import { bootstrapServers, type KafkaAddress, parseNodeList } from "../../core/kafka/cluster.ts";
import { counted } from "../../core/plan/words.ts";
import { KafkaNode, type KafkaUnit } from "../kafka/node.ts";
import { type Seen, waitFor } from "../kafka/wait-for.ts";
import { leaderOf, stateWords, zookeeperStates } from "../kafka/zookeeper.ts";
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
    return { checks: [done(unit, true, "as configured")], data: { restarted: false } };
  const look =
    unit === "kafka.service" ? () => lookAtBrokers(node, nodes) : () => lookAtZookeepers(nodes, own);
  const before = await waitFor(
    service,
    wholeMsMax,
    unit === "kafka.service" ? look : () => lookAtZookeepers(nodes),
  );
  if (!before.ok) return { checks: [whole("before the restart", before)], data: { restarted: false } };
  await service.units.stop(unit);
  await service.units.start(unit);
  const after = await waitFor(service, wholeMsMax, look);
  const isNew = await node.runsAsConfigured(unit);
  return {
    checks: [
      whole("after the restart", after),
      done(unit, isNew, isNew ? "started anew" : "still an old one"),
    ],
    data: { restarted: true },
  };
};

function done(unit: string, ok: boolean, got: string) {
  return check(`${unit} has the configuration Terraform published`, ok, {
    expected: "the node's own",
    got,
    wayOut: `see journalctl -u ${unit} on the node, and run kafka-setup again`,
  });
}

function whole(when: string, { ok, expected, got }: Seen) {
  return check(`the cluster is whole ${when}`, ok, {
    expected,
    got,
    wayOut: "no other node was touched: mend the one that is named, then run kafka-setup again",
  });
}

/** One leads; with `own`, that node follows or leads as well. */
async function lookAtZookeepers(nodes: readonly KafkaAddress[], own?: number): Promise<Seen> {
  const states = await zookeeperStates(nodes);
  const isBack = own === undefined || states.some(({ id, mode }) => id === own && mode !== undefined);
  const expected = own === undefined ? "one ZooKeeper leads" : `one ZooKeeper leads, node ${own} is with it`;
  return { ok: leaderOf(states) !== undefined && isBack, expected, got: stateWords(states) };
}

async function lookAtBrokers(node: KafkaNode, nodes: readonly KafkaAddress[]): Promise<Seen> {
  const expected = "every partition on all of its replicas";
  const asked = [
    "--bootstrap-server",
    bootstrapServers(nodes),
    "--describe",
    "--under-replicated-partitions",
  ];
  const said = await node.tool("kafka-topics.sh", asked).catch((error: Error) => error);
  if (said instanceof Error) return { ok: false, expected, got: said.message };
  const lacking = said.split("\n").filter((line) => line.includes("Partition: ")).length;
  return { ok: lacking === 0, expected, got: `${counted(lacking, "partition")} without all replicas` };
}
