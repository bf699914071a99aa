import { electionWords, parseNodeList } from "../../core/kafka/cluster.ts";
import { waitFor } from "../kafka/wait-for.ts";
import { leaderOf, stateWords, zookeeperStates } from "../kafka/zookeeper.ts";
import { type Action, check } from "./action.ts";

const electedMsMax = 90_000;

/** Waits until every ZooKeeper answers and exactly one leads; says what the number of nodes can bear. */
export const run: Action = async ({ service, parameter }) => {
  const nodes = parseNodeList(parameter("nodes"));
  const seen = await waitFor(service, electedMsMax, async () => {
    const states = await zookeeperStates(nodes);
    const leader = leaderOf(states);
    const ok = leader !== undefined && states.every(({ mode }) => mode !== undefined);
    return { ok, leader, expected: "every ZooKeeper answers, one leads", got: stateWords(states) };
  });
  const losses = electionWords(nodes.length);
  const wayOut = `see journalctl -u zookeeper on the nodes that don't answer, and that 2888 and 3888 are open among them. ${losses}`;
  return {
    checks: [check("ZooKeepers have elected", seen.ok, { ...seen, wayOut })],
    data: { leader: seen.leader ?? null, losses },
  };
};
