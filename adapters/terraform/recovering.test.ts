/** Objects that AWS has and Terraform's state doesn't: taken over when they are this environment's own, refused otherwise. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { RoundtripError } from "../../core/errors.ts";
import { TestTerraform, terraformProgram, whyNoTerraform } from "../../tests/support/terraform.ts";
import { AwsExistingObjects } from "../aws/existing-objects.ts";
import { TerraformInfrastructure } from "./infrastructure.ts";
import { importsFile, RecoveringInfrastructure } from "./recovering.ts";

setDefaultTimeout(90_000);

const own = { product: "roundtrip", environment: "dev" };

function configuration(
  name: string,
  tags = 'product = "roundtrip", environment = "dev"',
): Record<string, string> {
  return {
    "main.tf": `
      terraform {
        required_providers { aws = { source = "hashicorp/aws" } }
      }
      provider "aws" {
        default_tags { tags = { ${tags} } }
      }
      resource "aws_cloudwatch_log_group" "this" {
        for_each = toset(["${name}", "${name}-other"])
        name     = each.key
      }
      resource "aws_security_group" "this" {
        name        = "${name}"
        description = "of a test"
        vpc_id      = "vpc-1"
      }`,
  };
}

describe.skipIf(!terraformProgram)(`what exists is taken over${whyNoTerraform}`, () => {
  let world: TestTerraform;
  beforeAll(async () => {
    world = await TestTerraform.start();
  });
  afterAll(() => world?.[Symbol.asyncDispose]());

  function open(directory: string, lines: string[] = []): RecoveringInfrastructure {
    const onProgress = (line: string) => void lines.push(line);
    const environment = { ...process.env, ...world.environment };
    const terraform = new TerraformInfrastructure({
      directory,
      environment,
      lockTimeoutSeconds: 0,
      onProgress,
    });
    return new RecoveringInfrastructure(terraform, {
      directory,
      existing: new AwsExistingObjects(),
      onProgress,
    });
  }

  const makeGroup = (name: string, tags: Readonly<Record<string, string>>) =>
    world.call("stored-objects", "StoredObjects.CreateObject", {
      TypeName: "aws_cloudwatch_log_group",
      ObjectId: name,
      Attributes: { id: name, name, retention_in_days: 0, skip_destroy: false, tags_all: tags },
    });

  async function groups(prefix: string): Promise<string[]> {
    const { Objects } = (await world.call("stored-objects", "StoredObjects.ListObjects", {
      TypeName: "aws_cloudwatch_log_group",
    })) as { Objects: { ObjectId: string }[] };
    return Objects.map(({ ObjectId }) => ObjectId).filter((id) => id.startsWith(prefix));
  }

  test("a name that AWS refuses a second time: taken over on the way, the rest is made, nothing is left to do", async () => {
    await makeGroup("named", own);
    const directory = world.root(configuration("named"), "named");
    const lines: string[] = [];
    using infrastructure = open(directory, lines);
    expect((await infrastructure.plan()).map(({ action }) => action)).toEqual(["create", "create", "create"]);
    await infrastructure.apply();
    expect(lines).toContainEqual(
      expect.stringContaining('aws_cloudwatch_log_group.this["named"] exists (named): taken over'),
    );
    expect(await groups("named")).toEqual(["named", "named-other"]);
    expect(existsSync(join(directory, importsFile))).toBe(false);
    expect(await infrastructure.plan()).toEqual([]);
  });

  test("an identifier of AWS's own: found before the plan, so that it isn't made twice; what its maker still had to do is done", async () => {
    const group = { id: "sg-7", name: "found", description: "of a test", vpc_id: "vpc-1", tags_all: own };
    const stored = { TypeName: "aws_security_group", ObjectId: "sg-7", Attributes: group };
    const type = "aws_vpc_security_group_egress_rule";
    const everything = { id: "sgr-7", security_group_id: "sg-7", ip_protocol: "-1", cidr_ipv4: "0.0.0.0/0" };
    // As AWS makes a group: with a rule of its own, which the provider then takes away.
    const Along = [{ TypeName: type, ObjectId: "sgr-7", Attributes: everything }];
    await world.call("stored-objects", "StoredObjects.CreateObject", { ...stored, Along });
    const rules = async () =>
      (
        (await world.call("stored-objects", "StoredObjects.ListObjects", { TypeName: type })) as {
          Objects: object[];
        }
      ).Objects;
    const directory = world.root(configuration("found"), "found");
    const lines: string[] = [];
    using infrastructure = open(directory, lines);
    const changes = await infrastructure.plan();
    // What is imported stands in no list of changes, unless it is changed; nothing was made yet.
    expect(
      changes.filter(({ type, action }) => type === "aws_security_group" && action === "create"),
    ).toEqual([]);
    expect(readFileSync(join(directory, importsFile), "utf8")).toContain('id = "sg-7"');
    expect(await rules()).toHaveLength(1);
    await infrastructure.apply();
    expect(await rules()).toEqual([]);
    expect(lines).toContain(
      "aws_security_group.this: AWS's own rule of a new group (sgr-7: everything to 0.0.0.0/0) taken away",
    );
    expect(await infrastructure.plan()).toEqual([]);
    const { Objects } = await world.call("stored-objects", "StoredObjects.ListObjects", {
      TypeName: "aws_security_group",
    });
    const names = (Objects as { Attributes: { name: string } }[]).map(({ Attributes }) => Attributes.name);
    expect(names.filter((name) => name === "found")).toHaveLength(1);
  });

  test("an object of the same name without this environment's tags is refused by name, and stays as it is", async () => {
    await makeGroup("foreign", { ...own, environment: "qa" });
    using infrastructure = open(world.root(configuration("foreign"), "foreign"));
    await infrastructure.plan();
    const error = (await infrastructure.apply().catch((thrown: unknown) => thrown)) as RoundtripError;
    expect(error.kind).toBe("refused");
    expect(error.got).toBe(
      'aws_cloudwatch_log_group.this["foreign"]: foreign exists and does not carry this environment\'s tags (environment)',
    );
    expect(error.wayOut).toContain("another name");
    expect(await groups("foreign")).toEqual(["foreign", "foreign-other"]);
  });

  test("without tags to recognise its own by, a root is told the command for each object, and nothing is taken over", async () => {
    await makeGroup("plain", {});
    using infrastructure = open(world.root(configuration("plain", ""), "plain"));
    await infrastructure.plan();
    const error = (await infrastructure.apply().catch((thrown: unknown) => thrown)) as RoundtripError;
    expect(error.got).toContain("aws_cloudwatch_log_group plain already exists");
    expect(error.wayOut).toContain(`terraform import 'aws_cloudwatch_log_group.this["plain"]' 'plain'`);
  });
});
