import { actionCatalog } from "../../core/actions/catalog.ts";
import { unitParameter } from "../../core/actions/parameter.ts";
import { RoundtripError } from "../../core/errors.ts";
import { documentName } from "../../runbooks/engine/action.ts";
import { type Command, usageError } from "./command.ts";
import { dependenciesFor } from "./dependencies.ts";

const services = (unitParameter.allowedValues ?? []).map((unit) => unit.replace(/\.service$/, ""));
const waitSeconds = actionCatalog.find((action) => action.name === "service-logs")?.timeoutSeconds ?? 60;

export const logsCommand: Command = {
  name: "roundtrip logs",
  summary: "Shows the end of a service's journal on the failback host.",
  usage: "roundtrip logs <service> --env <environment> [--lines N]",
  options: { env: { type: "string" }, lines: { type: "string", default: "100" } },
  optionHelp: [
    ["<service>", services.join(", ")],
    ["--env NAME", "the environment, as Terraform published it"],
    ["--lines N", "how many lines from the end, 1 to 999; 100"],
  ],
  examples: ["roundtrip logs replication --env prod", "roundtrip logs restore --env prod --lines 500"],
  run: async (values, [service = ""]) => {
    if (!services.includes(service))
      throw usageError("choose a service", service || "none", services.join(", "));
    if (typeof values.env !== "string")
      throw usageError("choose the environment", "no --env", "add --env <name>");
    const lines = String(values.lines);
    if (!/^[1-9][0-9]{0,2}$/.test(lines)) throw usageError("take --lines", lines, "a number from 1 to 999");
    const { environment, commands } = await dependenciesFor(values.env, () => {});
    const document = documentName(environment, "service-logs");
    const id = await commands.send(environment.instanceId, document, { unit: `${service}.service`, lines });
    const result = await commands.wait(environment.instanceId, id, waitSeconds + 60);
    process.stdout.write(journalOf(result.stdout));
    if (result.status === "success") return 0;
    throw new RoundtripError({
      kind: "unavailable",
      what: `read the journal of ${service}`,
      expected: "status success",
      got: `${result.status}, exit code ${result.exitCode}: ${result.stderr.trim().slice(-500)}`,
      wayOut: "see that the failback host is on (`roundtrip status`) and try again",
    });
  },
};

/** The action's result carries the journal's text; what is not a result is shown as it came. */
function journalOf(stdout: string): string {
  try {
    const result = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as { data?: { journal?: string } };
    return `${result.data?.journal ?? stdout}\n`;
  } catch {
    return stdout;
  }
}
