/** `roundtrip apply` as people run it: the real Terraform, the modules of this repository, providers over the stand-ins. */
import { describe, expect, test } from "bun:test";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DescribeSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { defaultCredentials } from "../../sandbox/aws/identity.ts";
import { startTerraform } from "../../sandbox/up/terraform.ts";
import { secretName } from "../../scripts/drill/provision/users.ts";
import { ApplyWorld } from "../support/apply-world.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { terraformProgram, whyNoTerraform } from "../support/terraform.ts";

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

async function rootOf(world: ApplyWorld): Promise<{ folder: string; variables: string }> {
  const folder = join(temporaryFolder("roundtrip-apply-terraform"), "root");
  mkdirSync(folder);
  cpSync(modules, join(folder, "terraform"), { recursive: true });
  writeFileSync(join(folder, "main.tf"), root);
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
  return { folder, variables };
}

const yaml = (collections: string) =>
  `version: 1\ntasks:\n  - {id: shop, database: shop, collections: [${collections}]}\n`;

describe.skipIf(!terraformProgram)(`apply with Terraform${whyNoTerraform}`, () => {
  test("the first apply makes everything, the next the collection that roundtrip plan showed", async () => {
    await using world = await ApplyWorld.start();
    await world.source
      .db("shop")
      .collection("orders")
      .insertMany([{ a: 1 }, { a: 2 }]);
    await world.source.db("shop").collection("notes").insertOne({ a: 1 });
    const { folder, variables } = await rootOf(world);
    const terraform = {
      ...startTerraform(join(folder, "providers"), world.aws),
      AWS_ACCESS_KEY_ID: defaultCredentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: defaultCredentials.secretAccessKey,
      AWS_REGION: "us-east-1",
    };
    const apply = (...args: string[]) =>
      world.run(["--terraform", folder, "--var-file", variables, ...args], { terraform });
    world.commit(yaml("orders"));
    const first = await apply("--unreviewed");
    expect(first.stderr).toContain("✓ shop.orders: 2 documents");
    expect(first.code).toBe(0);
    await world.requests();

    world.commit(yaml("orders, notes"));
    const reviewed = JSON.parse(
      (await world.roundtrip("plan", "--env", "dev", "--head", "HEAD", "--json")).stdout,
    );
    const second = await apply("--digest", (reviewed as { digest: string }).digest);
    expect(second.stderr).toContain(
      '✓ update module.replication.module.dms.aws_dms_replication_task.this["shop"] (',
    );
    expect(second.stderr).toContain("✓ shop.notes: 1 document");
    expect(second.stderr).toContain("✓ 2 of 2 predictions right");
    expect(second.code).toBe(0);
    await world.source.db("shop").collection("notes").insertOne({ a: 2 });
    await world.replicated("shop", "notes", 2);
  }, 180_000);
});
