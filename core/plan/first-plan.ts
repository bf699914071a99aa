/** Terraform's plan of an environment that nothing was applied to yet: what is looked at, and the digest it is known by. */
import { RoundtripError } from "../errors.ts";
import type { EnvironmentName } from "../tasks/model.ts";
import { digestOfValue } from "./digest.ts";
import { readTerraformPlan } from "./terraform-plan.ts";

type Json = Readonly<Record<string, unknown>>;

export interface FirstPlan {
  /** The same before, during and after the apply, also one that was killed: it is of what shall be, not of what is missing. */
  readonly digest: string;
  /** Objects that Terraform would delete or replace, `delete ADDRESS`. */
  readonly losses: readonly string[];
}

/**
 * Reads `terraform show -json <planfile>` of a root module that is applied for the first time.
 * @param tree the git tree whose files Terraform reads
 * @param region where objects that a killed run left are looked for
 * Fails `refused` where the variables are another environment's or region's, `configuration` for text that is no plan.
 */
export function readFirstPlan(
  planText: string,
  { environment, tree, region }: { environment: EnvironmentName; tree: string; region: string },
): FirstPlan {
  const changes = readTerraformPlan(planText);
  const { configuration, variables, resource_changes: all } = JSON.parse(planText) as Json;
  const values = asRecord(variables);
  assertVariable(values, "environment", environment, "name that environment's variables with --var-file");
  assertVariable(values, "region", region, "set AWS_REGION to the region of the variables");
  const losses = changes
    .filter(({ action }) => action === "delete" || action === "replace")
    .map(({ action, address }) => `${action} ${address}`)
    .sort();
  const addresses = (all as readonly Json[])
    .filter(({ mode, change }) => mode === "managed" && String(asRecord(change).actions) !== "delete")
    .map(({ address }) => address)
    .sort();
  return {
    digest: digestOfValue({ environment, tree, configuration, variables, addresses, losses }),
    losses,
  };
}

/**
 * Whether this plan may be applied: somebody looked at it and gave its digest; or it is dev's and only makes and changes.
 * @param looked the digest that was given; undefined to apply unreviewed
 */
export function assertLookedAt(
  { digest, losses }: FirstPlan,
  environment: EnvironmentName,
  looked: string | undefined,
): void {
  if (looked === digest) return;
  const deeds = losses.length > 0 ? `, which does this: ${losses.join("; ")}` : "";
  if (looked === undefined && environment === "dev" && losses.length === 0) return;
  const unreviewed =
    environment === "dev" ? `--unreviewed, for a plan${deeds}` : "--unreviewed, which dev alone allows";
  throw new RoundtripError({
    kind: "refused",
    what: `apply plan ${digest} in ${environment}`,
    expected: looked === undefined ? "the digest of the plan that was looked at" : `the plan ${looked}`,
    got: looked === undefined ? unreviewed : `another one${deeds}`,
    wayOut: "look at the plan (the same command without --digest and --unreviewed), then give its digest",
  });
}

function assertVariable(values: Json, name: string, wanted: string, wayOut: string): void {
  const { value } = asRecord(values[name]);
  if (value === wanted) return;
  throw new RoundtripError({
    kind: "refused",
    what: "read Terraform's plan of the first apply",
    expected: `variable ${name} to be ${wanted}`,
    got: typeof value === "string" ? value : "no such variable",
    wayOut,
  });
}

function asRecord(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}
