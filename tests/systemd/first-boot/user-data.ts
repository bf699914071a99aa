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

const machine = {
  ami: "ami-0123456789abcdef0",
  security_group_ids: ["sg-0123"],
  instance_profile: "first-boot",
};

/**
 * Applies a module of terraform/modules by itself; gives the user data of the instance its output `id` names, as EC2 hands it to
 * cloud-init, which unpacks it, too.
 */
async function applied(world: TestTerraform, module: string, id: string, given: object): Promise<string> {
  world.copy(join(repository, "terraform/modules"), "modules");
  const root = world.root({
    "main.tf": `
      variable "given" { type = any }
      provider "aws" { region = "us-east-1" }
      module "machine" {
        source = "../modules/${module}"
        ${Object.keys(given)
          .map((name) => `${name} = var.given.${name}`)
          .join("\n")}
      }
      output "id" { value = ${id} }`,
    "terraform.tfvars.json": JSON.stringify({ given }),
  });
  await world.succeed(root, "init");
  await world.succeed(root, "apply", "-auto-approve");
  return instanceUserData(world, (await world.succeed(root, "output", "-raw", "id")).stdout);
}

/** The user data of an instance, unpacked. */
export async function instanceUserData(world: TestTerraform, instance: string): Promise<string> {
  const ec2 = new EC2Client({ region: "us-east-1", endpoint: world.aws.url });
  const { UserData } = await ec2.send(
    new DescribeInstanceAttributeCommand({ InstanceId: instance, Attribute: "userData" }),
  );
  return gunzipSync(Buffer.from(UserData!.Value!, "base64")).toString("utf8");
}

/** User data of a host by terraform/modules/ec2. */
export function userDataOf(world: TestTerraform, installation: object): Promise<string> {
  const given = {
    ...machine,
    name: "first-boot",
    role: "operations",
    subnet_id: "subnet-0123",
    installation,
  };
  return applied(world, "ec2", "module.machine.instance_id", given);
}

/** User data of the first of three nodes by terraform/modules/kafka; its parameters are there afterwards. */
export function kafkaUserDataOf(
  world: TestTerraform,
  release: object,
  parameter_path: string,
): Promise<string> {
  const given = { ...machine, name: "kafka", subnet_ids: ["subnet-1", "subnet-2"], parameter_path, release };
  return applied(world, "kafka", "module.machine.nodes[0].instanceId", given);
}
