import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Changes } from "./repository.ts";

const root = join(import.meta.dirname, "../../..");

/**
 * `terraform/stack` of this repository: DMS by the repository's own modules, as tests/apply has it, with its state in S3.
 * The whole stack is applied in tests/terraform.
 */
export function stack(folder: string, variables: string): Changes {
  const main = readFileSync(join(folder, "main.tf"), "utf8").replaceAll('"./terraform/', '"../');
  const backend =
    'terraform {\n  backend "s3" {\n    use_path_style = true\n    use_lockfile   = true\n  }\n}\n\n';
  const values = {
    ...(JSON.parse(readFileSync(variables, "utf8")) as object),
    tasks_file: "../../tasks.yaml",
  };
  const assignments = Object.entries(values).map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`);
  const own = readdirSync(join(root, "terraform/stack")).map(
    (name) => [`terraform/stack/${name}`, undefined] as const,
  );
  return {
    ...Object.fromEntries(own),
    "terraform/stack/main.tf": `${backend}${main}`,
    "terraform/environments/dev.tfvars": assignments.join(""),
  };
}
