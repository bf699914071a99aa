import { KafkaNode, type KafkaUnit } from "../kafka/node.ts";
import { waitFor } from "../kafka/wait-for.ts";
import { type Action, check } from "./action.ts";

const upMsMax = 30_000;

/**
 * Enables a unit and starts it where it is down, without waiting for the others: a first ZooKeeper has no majority yet. Says
 * whether one that runs was started with another configuration than the node has now.
 */
export const run: Action = async ({ service, parameter }) => {
  const unit = parameter("unit") as KafkaUnit;
  const { units } = service;
  const node = KafkaNode.of(process.env.ROUNDTRIP_CONFIG);
  await units.enable(unit);
  const before = await units.state(unit);
  const wasActive = before.active === "active";
  if (!wasActive) await units.start(unit);
  const { ok: isUp, state } = await waitFor(service, upMsMax, async () => {
    const now = await units.state(unit);
    return { ok: now.active === "active", state: now, expected: "active", got: now.active };
  });
  return {
    checks: [
      check(`node ${parameter("node")}: ${unit} runs`, isUp, {
        expected: "active, and enabled for each boot",
        got: isUp
          ? `active, ${wasActive ? "as before" : "started now"}`
          : `${state.active} (${state.sub}), result ${state.result}, exit code ${state.exitStatus}`,
        wayOut: `see journalctl -u ${unit} on the node; mend what it names and run kafka-setup again`,
      }),
    ],
    data: { started: !wasActive, outdated: isUp && !(await node.runsAsConfigured(unit)) },
  };
};
