import { parseNodeList } from "../../core/kafka/cluster.ts";
import { waitFor } from "../kafka/wait-for.ts";
import { registeredBrokers } from "../kafka/zookeeper.ts";
import { type Action, check } from "./action.ts";

const registeredMsMax = 180_000;

/** Waits until the brokers of the list are registered, no others, and one of them is the controller. */
export const run: Action = async ({ service, parameter }) => {
  const nodes = parseNodeList(parameter("nodes"));
  const ids = nodes.map(({ id }) => id).sort((one, other) => one - other);
  const seen = await waitFor(service, registeredMsMax, async () => {
    const brokers = await registeredBrokers(nodes);
    const ok = brokers.ids.join() === ids.join() && brokers.controller !== undefined;
    const got = `${brokers.ids.join(", ") || "none"}, controller ${brokers.controller ?? "none"}`;
    return { ok, ...brokers, expected: `${ids.join(", ")}, one of them the controller`, got };
  });
  const wayOut =
    "see journalctl -u kafka on the nodes that are missing; a broker that is too many belongs to no node of Terraform's";
  return {
    checks: [check("brokers are registered", seen.ok, { ...seen, wayOut })],
    data: { brokers: seen.ids, controller: seen.controller ?? null },
  };
};
