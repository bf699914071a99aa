import { readFile } from "node:fs/promises";
import { exitCodes } from "../../core/errors.ts";
import { preflightReport, renderPreflight } from "../../core/preflight/report.ts";
import { parseTasks } from "../../core/tasks/tasks.ts";
import { type Command, usageError } from "./command.ts";
import { gatherFacts } from "./preflight-facts.ts";

export const preflightCommand: Command = {
  name: "roundtrip preflight",
  summary:
    "Says whether a new environment is ready: one list of facts, each that is missing with its fix. Changes nothing.",
  usage: "roundtrip preflight --env <environment> [--json]",
  options: {
    env: { type: "string" },
    file: { type: "string", default: "tasks.yaml" },
    json: { type: "boolean" },
  },
  optionHelp: [
    ["--env NAME", "the environment, as Terraform published it"],
    ["--file FILE", "the tasks file; tasks.yaml"],
    ["--json", "one document by schemas/preflight.schema.json"],
  ],
  examples: [
    "roundtrip preflight --env dev",
    "roundtrip preflight --env prod --json | jq '.lines[] | select(.state != \"ok\")'",
  ],
  exitCodes: [
    ["0", "ready: all that is needed was seen; notes stop nothing"],
    ["2", "the command line is wrong"],
    ["3", "not ready: at least one line failed"],
    ["6", "tasks.yaml is not valid"],
    ["14", "unknown: nothing failed, but not everything could be asked"],
  ],
  run: async (values, positionals) => {
    if (positionals.length > 0)
      throw usageError("take options only", positionals.join(" "), "add --env <name>");
    if (typeof values.env !== "string" || !/^[a-z][a-z0-9-]{0,31}$/.test(values.env)) {
      throw usageError("choose the environment", String(values.env ?? "no --env"), "add --env <name>");
    }
    const file = String(values.file);
    const text = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
      throw usageError(`read ${file}`, cause.code ?? "it can't be read", "name the tasks file with --file");
    });
    const report = preflightReport(await gatherFacts(values.env, parseTasks(text, file)));
    process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : renderPreflight(report));
    return {
      ready: exitCodes.ok,
      "not-ready": exitCodes.refused,
      unknown: exitCodes.unknown,
    }[report.verdict];
  },
};
