import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { TestTerraform, terraformProgram, whyNoTerraform } from "../../tests/support/terraform.ts";

setDefaultTimeout(60_000);

const volume = (given: string) => `
  provider "aws" { region = "us-east-1" }
  resource "aws_ebs_volume" "this" {
    ${given}
  }
  resource "aws_volume_attachment" "this" {
    device_name = "/dev/sdf"
    volume_id   = aws_ebs_volume.this.id
    instance_id = "i-0123456789abcdef0"
  }`;
const usual = `
    availability_zone = "us-east-1a"
    size              = 10
    encrypted         = true`;

describe.skipIf(!terraformProgram)(`volumes${whyNoTerraform}`, () => {
  let world: TestTerraform;
  let folder: string;
  const write = (given: string) => writeFileSync(join(folder, "main.tf"), volume(given));
  beforeAll(async () => {
    world = await TestTerraform.start();
    folder = world.root({ "main.tf": volume(usual) });
    await world.succeed(folder, "init");
    await world.succeed(folder, "apply", "-auto-approve");
  });
  afterAll(() => world[Symbol.asyncDispose]());

  test("made and attached, nothing is left to do", async () => {
    expect(await world.plan(folder)).toEqual({});
  });

  test("more gigabytes change it; another zone makes it and its attachment anew", async () => {
    write(usual.replace("10", "20"));
    expect(await world.plan(folder)).toEqual({ "aws_ebs_volume.this": "update" });
    write(usual.replace("us-east-1a", "us-east-1b"));
    expect(await world.plan(folder)).toEqual({
      "aws_ebs_volume.this": "delete+create",
      "aws_volume_attachment.this": "delete+create",
    });
  });

  test("without a size, or of a type EBS hasn't, it is refused", async () => {
    write('availability_zone = "us-east-1a"');
    expect((await world.run(folder, "plan")).stderr).toContain("`size`,`snapshot_id` must be specified");
    write(`${usual}\n    type = "gp9"`);
    expect((await world.run(folder, "plan")).stderr).toContain("gp9");
  });
});
