/** A root module for applies with the real Terraform: DMS of the repository's own modules, over the stand-ins. */
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DescribeSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { defaultCredentials } from "../../sandbox/aws/identity.ts";
import { startTerraform } from "../../sandbox/up/terraform.ts";
import { secretName } from "../../scripts/drill/provision/users.ts";
import type { ApplyWorld } from "./apply-world.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const modules = join(import.meta.dirname, "../../terraform");

const root = `
variable "environment_document" { type = string }
variable "source_secret_arn" { type = string }
variable "target" { type = any }
variable "tasks_file" { type = string }

module "replication" {
  source                        = "./terraform/examples/replication"
  environment                   = "dev"
  tasks_file                    = var.tasks_file
  source_secret_arn             = var.source_secret_arn
  source_secret_access_role_arn = "arn:aws:iam::123456789012:role/dms-secrets"
  target                        = var.target
  subnet_ids                    = ["subnet-1", "subnet-2"]
}

resource "aws_ssm_parameter" "environment" {
  name      = "/roundtrip/dev/environment"
  type      = "String"
  overwrite = true
  value = jsonencode(merge(jsondecode(var.environment_document), {
    replicationTasks = [for id, arn in module.replication.task_arns : { id = id, arn = arn }]
  }))
}
`;

export interface TerraformRoot {
  readonly folder: string;
  /** Its file of variables. */
  readonly variables: string;
  /** What Terraform runs in. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Writes the root for a world, with more of it in `more`, such as a backend. */
export async function terraformRoot(world: ApplyWorld, more = ""): Promise<TerraformRoot> {
  const folder = join(temporaryFolder("roundtrip-apply-terraform"), "root");
  mkdirSync(folder);
  cpSync(modules, join(folder, "terraform"), { recursive: true });
  writeFileSync(join(folder, "main.tf"), `${more}${root}`);
  const secrets = new SecretsManagerClient({});
  const { ARN } = await secrets.send(new DescribeSecretCommand({ SecretId: secretName("dms_source") }));
  const { Parameter } = await new SSMClient({}).send(
    new GetParameterCommand({ Name: "/roundtrip/dev/environment" }),
  );
  const target = new URL(world.sandbox.addresses.documentdb!.replace(/^mongodb:/, "http:"));
  const variables = join(folder, "dev.tfvars.json");
  const values = {
    environment_document: Parameter!.Value!,
    source_secret_arn: ARN!,
    target: {
      server_name: target.hostname,
      port: Number(target.port),
      secret_id: secretName("dms_target"),
      ssl_mode: "none",
    },
    tasks_file: join(world.repository, "tasks.yaml"),
  };
  writeFileSync(variables, JSON.stringify(values));
  const environment = {
    ...startTerraform(join(folder, "providers"), world.aws),
    AWS_ACCESS_KEY_ID: defaultCredentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: defaultCredentials.secretAccessKey,
    AWS_REGION: "us-east-1",
  };
  return { folder, variables, environment };
}
