/** A procedure's steps as a Mermaid sequence diagram: who asks whom for what, in order. */
import type { PlannedStep } from "../../runbooks/engine/plan.ts";
import type { PlannedCall } from "../../runbooks/engine/runbook.ts";

const runner = "Runner";
/** Documents of an environment are named `<prefix>-<environment>-<action>`; AWS's own calls are in capitals. */
const action = /^roundtrip-[a-z]+-([a-z-]+)$/;
const services: ReadonlyMap<string, string> = new Map(
  ["S3", "DMS", "EC2", "SSM", "Lambda", "Terraform"].map((name) => [name.toLowerCase(), name]),
);

interface Message {
  readonly to: string;
  readonly text: string;
}

/** Mermaid text of these steps as `planOf` gives them; `id` is what stands for the failback or operation in names. */
export function sequenceDiagram(steps: readonly PlannedStep[], id: string): string {
  const messages = steps.map(({ calls }) => calls.map((call) => messageOf(call, id)));
  const participants = [...new Set(messages.flat().map(({ to }) => to))].filter((name) => name !== runner);
  const lines = steps.flatMap(({ step }, index) => [
    `  Note over ${runner}: ${index + 1}. ${step}`,
    // What is asked of several machines in one step stands there once.
    ...new Set(messages[index]!.map(({ to, text }) => `  ${runner}->>${to}: ${text.replace(/[;#]/g, ",")}`)),
  ]);
  return [
    "sequenceDiagram",
    ...[runner, ...participants].map((name) => `  participant ${name}`),
    ...lines,
  ].join("\n");
}

function messageOf({ call, target, parameters = {} }: PlannedCall, id: string): Message {
  const [service = "", ...words] = call.split(" ");
  const to = services.get(service.toLowerCase());
  const text = words.join(" ");
  if (to === undefined) return { to: runner, text: call };
  const named = to === "SSM" ? action.exec(text)?.[1] : undefined;
  if (named)
    return {
      to: named.startsWith("kafka-") ? "Node" : "Host",
      text: [named, parameters.unit].filter((word) => word).join(" "),
    };
  return { to, text: to === "S3" ? `${text} ${target.replaceAll(id, "‹id›")}` : text };
}
