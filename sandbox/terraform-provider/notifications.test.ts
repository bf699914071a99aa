import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { strToU8, zipSync } from "fflate";
import { TestTerraform, terraformProgram, whyNoTerraform } from "../../tests/support/terraform.ts";

setDefaultTimeout(60_000);

const content = (prefix: string, more = "") => `
  terraform {
    required_providers { aws = { source = "hashicorp/aws", version = "~> 6.25" } }
  }
  provider "aws" { region = "us-east-1" }
  resource "aws_s3_bucket" "this" { bucket = "roundtrip-told" }
  resource "aws_sns_topic" "this" { name = "alarms" }
  resource "aws_lambda_function" "this" {
    function_name = "told"
    role          = "arn:aws:iam::123456789012:role/told"
    runtime       = "nodejs22.x"
    handler       = "index.handler"
    filename      = "code.zip"
  }
  resource "aws_lambda_permission" "this" {
    for_each      = { s3 = aws_s3_bucket.this.arn, sns = aws_sns_topic.this.arn }
    statement_id  = each.key
    action        = "lambda:InvokeFunction"
    function_name = aws_lambda_function.this.function_name
    principal     = "\${each.key}.amazonaws.com"
    source_arn    = each.value
  }
  resource "aws_lambda_function_event_invoke_config" "this" {
    function_name = aws_lambda_function.this.function_name
    destination_config {
      on_failure { destination = aws_sns_topic.this.arn }
    }
  }
  resource "aws_sns_topic_subscription" "this" {
    topic_arn = aws_sns_topic.this.arn
    protocol  = "lambda"
    endpoint  = aws_lambda_function.this.arn
  }
  resource "aws_s3_bucket_notification" "this" {
    bucket = aws_s3_bucket.this.id
    lambda_function {
      lambda_function_arn = aws_lambda_function.this.arn
      events              = ["s3:ObjectCreated:*"]
      filter_prefix       = "${prefix}"
      filter_suffix       = "a & b.json"
    }
    ${more}
  }
`;

describe.skipIf(!terraformProgram)(`a bucket that calls a function, by Terraform${whyNoTerraform}`, () => {
  let world: TestTerraform;
  let folder: string;
  beforeAll(async () => {
    world = await TestTerraform.start();
    // Without the permission first: the order is Terraform's to know.
    folder = world.root({ "main.tf": content("one/", "depends_on = [aws_lambda_permission.this]") });
    writeFileSync(
      join(folder, "code.zip"),
      zipSync({ "index.mjs": strToU8("export const handler = async () => null;") }),
    );
    await world.succeed(folder, "init");
  });
  afterAll(() => world[Symbol.asyncDispose]());

  test("is made, leaves nothing to do, is changed in place, seen when it is gone, and taken away", async () => {
    await world.succeed(folder, "apply", "-auto-approve");
    expect(await world.plan(folder)).toEqual({});
    writeFileSync(join(folder, "main.tf"), content("two/", "depends_on = [aws_lambda_permission.this]"));
    expect(await world.plan(folder)).toEqual({ "aws_s3_bucket_notification.this": "update" });
    await world.succeed(folder, "apply", "plan.bin");
    expect(await world.plan(folder)).toEqual({});
    await world.putBucketSetting("roundtrip-told", "notification", "<NotificationConfiguration/>");
    expect(await world.plan(folder)).toEqual({ "aws_s3_bucket_notification.this": "update" });
    await world.succeed(folder, "destroy", "-auto-approve");
  });

  test("is refused where it does not wait for the permission", async () => {
    writeFileSync(join(folder, "main.tf"), content("one/").replace("s3 = aws_s3_bucket.this.arn, ", ""));
    const run = await world.run(folder, "apply", "-auto-approve");
    expect({ exitCode: run.exitCode, says: run.stderr }).toEqual({
      exitCode: 1,
      says: expect.stringContaining("Unable to validate the following destination configurations"),
    });
    await world.succeed(folder, "destroy", "-auto-approve");
  });
});
