import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { AwsExistingObjects } from "../../adapters/aws/existing-objects.ts";
import { LockHolders } from "../../adapters/state/lock-holders.ts";
import { TerraformInfrastructure, type TerraformOptions } from "../../adapters/terraform/infrastructure.ts";
import { RecoveringInfrastructure } from "../../adapters/terraform/recovering.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Environment } from "../../core/failback/documents.ts";
import type { ObjectStore } from "../../core/ports.ts";
import { usageError } from "./command.ts";

/**
 * Terraform of one environment, by `--terraform`, `--var-file` and `--backend-config`. Fails `configuration` when a
 * folder or file that was named, or is taken by default, isn't there. With a bucket, who takes the state's lock is written
 * down there first.
 */
export function terraformFor(
  { environment }: Pick<Environment, "environment">,
  values: Readonly<Record<string, unknown>>,
  say: (line: string) => void,
  store?: ObjectStore,
  more: Partial<TerraformOptions> = {},
): TerraformInfrastructure {
  const directory = existing("root module", String(values.terraform), "--terraform");
  const files = (values["var-file"] as readonly string[] | undefined) ?? [
    `terraform/environments/${environment}.tfvars`,
  ];
  return new TerraformInfrastructure({
    directory,
    variableFiles: files.map((file) => existing("variables", file, "--var-file")),
    backend: Object.fromEntries(
      ((values["backend-config"] as readonly string[] | undefined) ?? []).map(settingOf),
    ),
    onProgress: (line) => say(`  ${line}`),
    ...(store ? { onLock: (holder) => new LockHolders(store).begin(holder) } : {}),
    ...more,
  });
}

/** Terraform as an apply needs it: what a killed one made and could not write down is taken over. */
export function recoveringTerraformFor(
  environment: Environment,
  values: Readonly<Record<string, unknown>>,
  say: (line: string) => void,
  store: ObjectStore,
): RecoveringInfrastructure {
  return recovering(terraformFor(environment, values, say, store), values, environment.region, say);
}

/** The same over a Terraform that the caller holds, too. `region` is where it looks for what was left behind. */
export function recovering(
  terraform: TerraformInfrastructure,
  values: Readonly<Record<string, unknown>>,
  region: string,
  say: (line: string) => void,
): RecoveringInfrastructure {
  return new RecoveringInfrastructure(terraform, {
    directory: resolve(String(values.terraform)),
    existing: new AwsExistingObjects({ region }),
    onProgress: (line) => say(`  ${line}`),
  });
}

function settingOf(pair: string): [string, string] {
  const at = pair.indexOf("=");
  if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)];
  throw usageError("take --backend-config", pair, "--backend-config bucket=NAME");
}

function existing(what: string, path: string, option: string): string {
  if (existsSync(path)) return resolve(path);
  throw new RoundtripError({
    kind: "configuration",
    what: `find the ${what} of Terraform`,
    expected: `something at ${path}`,
    got: "nothing",
    wayOut: `run this from the repository's root, or name the place with ${option}`,
  });
}
