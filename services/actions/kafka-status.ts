import { KafkaNode, kafkaUnits } from "../kafka/node.ts";
import { type Action, passed } from "./action.ts";

/** What the installer left as its last word, and what systemd says of both units. It only looks. */
export const run: Action = async ({ service }) => {
  const node = KafkaNode.of(process.env.ROUNDTRIP_CONFIG);
  const installed = (await node.installed()) ?? "the installer has not ended yet";
  const states = await Promise.all(
    kafkaUnits.map(async (unit) => [unit, (await service.units.state(unit)).active] as const),
  );
  return {
    checks: [passed("installation", "shown", installed)],
    data: { installed, ...Object.fromEntries(states) },
  };
};
