import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { DescribeInstanceAttributeCommand, EC2Client } from "@aws-sdk/client-ec2";
import type { TestTerraform } from "../../support/terraform.ts";

const repository = join(import.meta.dirname, "../../..");

/** The product's units by name, as the stack gives them to its hosts. */
export function productUnitFiles(): Record<string, string> {
  const folder = join(repository, "services/units");
  return Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]),
  );
}

/**
 * The user data of a machine that `terraform apply` of terraform/modules/ec2 made, as EC2 hands it to cloud-init: unpacked, which
 * cloud-init does, too.
 */
export async function userDataOf(world: TestTerraform, installation: object): Promise<string> {
  const modules = world.copy(join(repository, "terraform/modules"), "modules");
  const root = world.root({
    "main.tf": `
      variable "installation" { type = any }
      provider "aws" { region = "us-east-1" }
      module "host" {
        source             = "${join(modules, "ec2")}"
        name               = "first-boot"
        role               = "operations"
        ami                = "ami-0123456789abcdef0"
        subnet_id          = "subnet-0123"
        security_group_ids = ["sg-0123"]
        instance_profile   = "first-boot"
        installation       = var.installation
      }
      output "id" { value = module.host.instance_id }`,
    "terraform.tfvars.json": JSON.stringify({ installation }),
  });
  await world.succeed(root, "init");
  await world.succeed(root, "apply", "-auto-approve");
  const id = (await world.succeed(root, "output", "-raw", "id")).stdout;
  const ec2 = new EC2Client({ region: "us-east-1", endpoint: world.aws.url });
  const { UserData } = await ec2.send(
    new DescribeInstanceAttributeCommand({ InstanceId: id, Attribute: "userData" }),
  );
  return gunzipSync(Buffer.from(UserData!.Value!, "base64")).toString("utf8");
}
