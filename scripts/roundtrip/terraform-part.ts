/** Terraform's side of a plan: of a file somebody made, or planned here, with credentials that read. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { RoundtripError } from "../../core/errors.ts";
import type { Plan, TerraformPart } from "../../core/plan/model.ts";
import { checkInfrastructure, readTerraformPlan } from "../../core/plan/terraform-check.ts";
import type { InfrastructureChange } from "../../core/ports.ts";
import type { EnvironmentName } from "../../core/tasks/model.ts";
import { usageError } from "./command.ts";
import { terraformText } from "./named-environment.ts";

type Values = Readonly<Record<string, unknown>>;
type Action = InfrastructureChange["action"];

/** Losses first, as everywhere in a plan. */
const order: readonly Action[] = ["replace", "delete", "create", "update"];

/** What the job could say to GitHub or for which it could get another role: nothing that Terraform or a provider needs. */
const keptBack = /^(ACTIONS_|GITHUB_TOKEN$|GH_TOKEN$)/;

/**
 * What Terraform would do, by `--terraform`: the JSON of a plan, or a root module. A root module that can't be planned
 * gives a part that says so, because the rest of the plan is still worth reading; a file that is no plan fails.
 */
export async function terraformPart(
  plan: Plan,
  name: EnvironmentName,
  values: Values,
): Promise<TerraformPart> {
  const source = String(values.terraform);
  const accepted = (values.accept as readonly string[] | undefined) ?? [];
  if (!isFolder(source)) {
    if (values["var-file"] !== undefined || values["backend-config"] !== undefined)
      throw usageError("plan with Terraform", source, "name the folder of the root module with --terraform");
    return partOf(plan, name, readTerraformPlan(await terraformText(source)), accepted);
  }
  try {
    return partOf(plan, name, await planned(source, name, values), accepted);
  } catch (error) {
    if (!(error instanceof RoundtripError) || error.kind === "usage" || error.kind === "interrupted")
      throw error;
    return {
      ...partOf(plan, name, [], accepted),
      problems: [],
      unknown: `${error.got}; way out: ${error.wayOut}`,
    };
  }
}

/** Takes no lock and leaves nothing: the plan file, which holds every value in clear, goes with the private folder. */
async function planned(
  directory: string,
  name: EnvironmentName,
  values: Values,
): Promise<readonly InfrastructureChange[]> {
  const { terraformFor } = await import("./terraform.ts");
  const variables = values["var-file"] ?? [join(directory, `../environments/${name}.tfvars`)];
  const environment = Object.fromEntries(Object.entries(process.env).filter(([key]) => !keptBack.test(key)));
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  using terraform = terraformFor(
    { environment: name },
    { ...values, "var-file": variables },
    say,
    undefined,
    {
      lock: false,
      environment,
    },
  );
  return await terraform.plan();
}

function partOf(
  plan: Plan,
  name: EnvironmentName,
  changes: readonly InfrastructureChange[],
  accepted: readonly string[],
): TerraformPart {
  const count = (wanted: Action) => changes.filter(({ action }) => action === wanted).length;
  return {
    environment: name,
    changes: {
      create: count("create"),
      update: count("update"),
      replace: count("replace"),
      delete: count("delete"),
    },
    resources: order.flatMap((wanted) =>
      changes
        .filter(({ action }) => action === wanted)
        .map(({ address, action, attributes }) => ({ address, action, attributes })),
    ),
    problems: checkInfrastructure(plan, name, changes, accepted),
    accepted: accepted.filter((address) => changes.some((change) => change.address === address)),
  };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
