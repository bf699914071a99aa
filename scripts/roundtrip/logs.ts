import { actionCatalog } from "../../core/actions/catalog.ts";
import { operationsUnits, shownUnitParameter } from "../../core/actions/parameter.ts";
import { RoundtripError } from "../../core/errors.ts";
import { documentName } from "../../runbooks/engine/action.ts";
import { type Command, usageError } from "./command.ts";
import { dependenciesFor } from "./dependencies.ts";

const services = (shownUnitParameter.allowedValues ?? []).map((unit) => unit.replace(/\.service$/, ""));
const waitSeconds = actionCatalog.find((action) => action.name === "service-logs")?.timeoutSeconds ?? 60;

export const logsCommand: Command = {
  name: "roundtrip logs",
  summary: "Shows the end of a service's journal, on the host it runs on.",
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
    const unit = `${service}.service`;
    const { instanceId: failback, operationsInstanceId: operations = failback } = environment;
    const host = operationsUnits.includes(unit) ? operations : failback;
    const id = await commands.send(host, document, { unit, lines });
    const result = await commands.wait(host, id, waitSeconds + 60);
    process.stdout.write(journalOf(result.stdout));
    if (result.status === "success") return 0;
    throw new RoundtripError({
      kind: "unavailable",
      what: `read the journal of ${service}`,
      expected: "status success",
      got: `${result.status}, exit code ${result.exitCode}: ${result.stderr.trim().slice(-500)}`,
      wayOut: `see that host ${host} is on (roundtrip status) and try again`,
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
