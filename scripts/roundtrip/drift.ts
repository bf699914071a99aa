import { readApplied } from "../../adapters/live/applied.ts";
import { PhaseStore } from "../../adapters/state/phase-store.ts";
import { findDrift } from "../../core/drift/drift.ts";
import type { DriftReport } from "../../core/drift/model.ts";
import { renderDriftMarkdown, renderDriftTerminal } from "../../core/drift/render.ts";
import { exitCodes } from "../../core/errors.ts";
import { readTerraformDrift, readTerraformPlan } from "../../core/plan/terraform-check.ts";
import { type Command, usageError } from "./command.ts";
import { dependenciesFor } from "./dependencies.ts";
import { liveStateOf, workUnderWay } from "./live.ts";
import { environmentNameOf, terraformText } from "./named-environment.ts";
import { readRevision } from "./revision.ts";

const exitDrift = 2;
/** EX_USAGE: 2 says drift here. */
const exitUsage = 64;

export const driftCommand: Command = {
  name: "roundtrip drift",
  summary: "Says what in an environment is not as it was applied: git, Terraform, DMS, DocumentDB, MongoDB.",
  usage: "roundtrip drift --env ENV [--terraform FILE] [--json|--markdown]",
  options: {
    env: { type: "string" },
    head: { type: "string", default: "HEAD" },
    file: { type: "string", default: "tasks.yaml" },
    terraform: { type: "string" },
    json: { type: "boolean" },
    markdown: { type: "boolean" },
  },
  optionHelp: [
    ["--env ENV", "dev, qa or prod"],
    ["--terraform FILE", "terraform show -json of a plan of this environment, -refresh-only or not"],
    ["--head FILE|REF", "tasks.yaml as it should be applied; HEAD"],
    ["--file PATH", "where the tasks file is at a reference; tasks.yaml"],
    ["--json", "one document by schemas/drift.schema.json"],
    ["--markdown", "the text of the environment's one issue"],
  ],
  examples: [
    "roundtrip drift --env prod",
    "roundtrip drift --env prod --terraform plan.json --markdown > issue.md",
  ],
  exitCodes: [
    ["0", "clean: everything was read and stands as it was applied"],
    [String(exitDrift), "drift; also when a part could not be read"],
    [String(exitCodes.unknown), "unknown: nothing differs in what could be read, but not everything could"],
    [String(exitUsage), "the command line is wrong"],
    ["other", "it could not be looked at all, see docs/exit-codes.md"],
  ],
  usageExitCode: exitUsage,
  run: async (values, positionals) => {
    if (positionals.length > 0)
      throw usageError("take options only", positionals.join(" "), "roundtrip drift --env ENV");
    if (values.json && values.markdown)
      throw usageError("choose one form", "--json and --markdown", "give one of them");
    const name = environmentNameOf(values.env);
    const terraform =
      typeof values.terraform === "string" ? await terraformText(values.terraform) : undefined;
    const path = String(values.file);
    const head = await readRevision("--head", String(values.head), path);
    if (!head.tasks)
      throw usageError(
        `read ${path} at ${head.revision.name}`,
        "no such file there",
        "name its place with --file",
      );
    const deps = await dependenciesFor(name, () => {});
    const { environment, store, clock } = deps;
    const applied = await readApplied(store, environment.environment);
    const { phase } = await new PhaseStore(store, clock, environment.environment).read();
    const underWay = await workUnderWay(deps);
    const declaredIds = (applied?.tasks ?? head.tasks).tasks.map(({ id }) => id);
    const live = await liveStateOf(deps, { declaredIds, tablesOf: new Set(declaredIds) });
    const report = findDrift({
      environment,
      name,
      head: { tasks: head.tasks, name: head.revision.name },
      applied,
      live,
      terraform:
        terraform === undefined
          ? undefined
          : { planned: readTerraformPlan(terraform), drifted: readTerraformDrift(terraform) },
      phase,
      underWay,
    });
    process.stdout.write(textOf(report, values));
    return { clean: exitCodes.ok, drift: exitDrift, unknown: exitCodes.unknown }[report.verdict];
  },
};

function textOf(report: DriftReport, values: Readonly<Record<string, unknown>>): string {
  if (values.json) return `${JSON.stringify(report)}\n`;
  return values.markdown ? renderDriftMarkdown(report) : renderDriftTerminal(report);
}
