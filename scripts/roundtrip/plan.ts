import { exitCodes } from "../../core/errors.ts";
import type { Plan } from "../../core/plan/model.ts";
import { makePlan } from "../../core/plan/plan.ts";
import { renderMarkdown } from "../../core/plan/render-markdown.ts";
import { renderTerminal } from "../../core/plan/render-terminal.ts";
import type { EnvironmentName } from "../../core/tasks/model.ts";
import { type Command, usageError } from "./command.ts";
import { environmentNameOf } from "./named-environment.ts";
import type { PlannedEnvironment } from "./plan-environment.ts";
import { readRevision } from "./revision.ts";
import { terraformPart } from "./terraform-part.ts";

type Values = Readonly<Record<string, unknown>>;

export const planCommand: Command = {
  name: "roundtrip plan",
  summary: "Says what a change of tasks.yaml will do: to DMS's tasks, and to the data on DocumentDB.",
  usage: "roundtrip plan [--base FILE|REF] [--head FILE|REF] [--env ENV] [--json|--markdown]",
  options: {
    base: { type: "string" },
    head: { type: "string", default: "tasks.yaml" },
    file: { type: "string", default: "tasks.yaml" },
    env: { type: "string" },
    "no-live": { type: "boolean" },
    terraform: { type: "string" },
    accept: { type: "string", multiple: true },
    "var-file": { type: "string", multiple: true },
    "backend-config": { type: "string", multiple: true },
    json: { type: "boolean" },
    markdown: { type: "boolean" },
  },
  optionHelp: [
    [
      "--base FILE|REF",
      "what is applied now: a tasks file, or a commit, branch or tag; with --env what was last applied there",
    ],
    ["--head FILE|REF", "what is to be applied; tasks.yaml as it lies here"],
    ["--file PATH", "where the tasks file is at a reference; tasks.yaml"],
    ["--env ENV", "dev, qa or prod: look at what stands there, too"],
    ["--no-live", "with --env: don't look at DMS and the databases"],
    [
      "--terraform FILE|DIR",
      "terraform show -json of that environment's plan, or the root module to plan here; with --env",
    ],
    ["--var-file FILE", "of a root module: its variables; ../environments/<environment>.tfvars beside it"],
    ["--backend-config name=value", "of a root module: settings its backend leaves open; repeat for several"],
    [
      "--accept ADDRESS",
      "let Terraform replace or delete this one although tasks.yaml doesn't announce it; repeatable",
    ],
    ["--json", "one document by schemas/plan.schema.json"],
    ["--markdown", "a comment for a pull request, within GitHub's limit"],
  ],
  examples: [
    "roundtrip plan --base origin/main",
    "roundtrip plan --env prod --head HEAD --terraform plan.json --markdown",
    "roundtrip plan --env prod --head HEAD --terraform terraform/stack --backend-config bucket=NAME",
    "roundtrip plan --base old.yaml --head new.yaml --json | jq '.tasks[] | select(.destructive)'",
  ],
  exitCodes: [
    ["0", "planned; with --env and --terraform everything was read, and Terraform agrees"],
    [String(exitCodes.usage), "the command line is wrong"],
    [String(exitCodes.differs), "planned, but Terraform would do something else than this plan"],
    [
      String(exitCodes.unknown),
      "planned, but not everything there could be read, or Terraform could not plan",
    ],
    ["other", "no plan, see docs/exit-codes.md"],
  ],
  run: async (values, positionals) => {
    assertUsage(values, positionals);
    const path = String(values.file);
    const name = values.env === undefined ? undefined : environmentNameOf(values.env);
    const head = await readRevision("--head", String(values.head), path);
    if (!head.tasks)
      throw usageError(
        `read ${path} at ${String(values.head)}`,
        "no such file there",
        "name its place with --file",
      );
    if (name && !head.revision.tree)
      process.stderr.write(
        `the digest is of a file; apply takes the digest of a commit's plan: --head ${head.revision.name === "tasks.yaml" ? "HEAD" : "REF"}\n`,
      );
    const environment = name && (await opened(name, values));
    const base =
      typeof values.base === "string"
        ? await readRevision("--base", values.base, path)
        : environment?.applied;
    if (!base?.tasks) process.stderr.write(`${withoutBase(values, path)}: everything is planned as new\n`);
    const made = makePlan({
      base: base?.tasks,
      head: head.tasks,
      baseRevision: base?.revision ?? { name: "nothing" },
      headRevision: head.revision,
    });
    const live = values["no-live"] ? undefined : await environment?.look(made, head.tasks, base?.tasks);
    const terraform =
      name && values.terraform !== undefined ? await terraformPart(made, name, values) : undefined;
    const plan: Plan = { ...made, ...(live ? { live } : {}), ...(terraform ? { terraform } : {}) };
    process.stdout.write(textOf(plan, values));
    return exitCodeFor(plan);
  },
};

/** Nobody asks AWS when both sides are named and nobody wants to look. */
async function opened(name: EnvironmentName, values: Values): Promise<PlannedEnvironment | undefined> {
  if (values["no-live"] && values.base !== undefined) return undefined;
  const { PlannedEnvironment } = await import("./plan-environment.ts");
  return await PlannedEnvironment.open(name);
}

function withoutBase(values: Values, path: string): string {
  return values.base === undefined
    ? `nothing was ever applied to ${String(values.env)}`
    : `${String(values.base)} has no ${path}`;
}

function exitCodeFor({ terraform, live }: Plan): number {
  if (terraform && terraform.problems.length > 0) return exitCodes.differs;
  const isUnknown = terraform?.unknown !== undefined || (live !== undefined && live.unknown.length > 0);
  return isUnknown ? exitCodes.unknown : exitCodes.ok;
}

function assertUsage(values: Values, positionals: readonly string[]): void {
  if (positionals.length > 0)
    throw usageError("take options only", positionals.join(" "), "roundtrip plan --base FILE|REF");
  if (values.base === undefined && values.env === undefined)
    throw usageError(
      "compare with a base",
      "no --base",
      "add --base <file or reference>, like --base origin/main, or --env <environment>",
    );
  if (values.json && values.markdown)
    throw usageError("choose one form", "--json and --markdown", "give one of them");
  if ((values.terraform !== undefined || values["no-live"]) && values.env === undefined)
    throw usageError("know the environment", "no --env", "add --env <environment>");
  if (values.accept !== undefined && values.terraform === undefined)
    throw usageError("accept what Terraform does", "no --terraform", "add --terraform <file>");
}

function textOf(plan: Plan, values: Values): string {
  if (values.json) return `${JSON.stringify(plan)}\n`;
  return values.markdown ? renderMarkdown(plan) : renderTerminal(plan);
}
