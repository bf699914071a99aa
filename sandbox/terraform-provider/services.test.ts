import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TestTerraform, terraformProgram, whyNoTerraform } from "../../tests/support/terraform.ts";

setDefaultTimeout(60_000);

const head = `
  terraform {
    required_providers { aws = { source = "hashicorp/aws", version = "~> 6.25" } }
  }
  provider "aws" {
    region = "us-east-1"
    default_tags { tags = { environment = "dev" } }
  }
`;

describe.skipIf(!terraformProgram)(`secrets, SSM, lambdas and the small providers${whyNoTerraform}`, () => {
  let world: TestTerraform;
  beforeAll(async () => {
    world = await TestTerraform.start();
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });

  /** A root of one file, initialised. */
  async function open(name: string, content: string): Promise<string> {
    const folder = world.root({ "main.tf": content }, name);
    await world.succeed(folder, "init");
    return folder;
  }

  test("a write-only secret reaches Secrets Manager and stands in neither plan nor state", async () => {
    const folder = await open(
      "write-only",
      `${head}
      resource "aws_secretsmanager_secret" "this" {
        name                    = "write-only"
        recovery_window_in_days = 7
      }
      resource "aws_secretsmanager_secret_version" "this" {
        secret_id                = aws_secretsmanager_secret.this.id
        secret_string_wo         = jsonencode({ password = "written-never-read-7" })
        secret_string_wo_version = 1
      }
      data "aws_secretsmanager_secret_version" "back" {
        secret_id  = aws_secretsmanager_secret.this.id
        depends_on = [aws_secretsmanager_secret_version.this]
      }
      output "length" {
        value     = length(data.aws_secretsmanager_secret_version.back.secret_string)
        sensitive = true
      }`,
    );
    await world.succeed(folder, "apply", "-auto-approve");
    const state = JSON.parse(readFileSync(join(folder, "terraform.tfstate"), "utf8")) as {
      outputs: { length: { value: number } };
      resources: { mode: string; instances: { attributes: object }[] }[];
    };
    expect(state.outputs.length.value).toBe('{"password":"written-never-read-7"}'.length);
    const managed = state.resources.filter(({ mode }) => mode === "managed");
    expect(JSON.stringify(managed)).not.toContain("written-never-read");
    expect(await world.plan(folder)).toEqual({});
    // The name stays taken in the recovery window: making it again is refused.
    await world.succeed(folder, "destroy", "-auto-approve");
    const again = await world.run(folder, "apply", "-auto-approve");
    expect(again.exitCode).toBe(1);
    expect(again.stderr).toContain("already scheduled for deletion");
  });

  test("a parameter and a document follow their content", async () => {
    const content = (text: string) => `${head}
      resource "aws_ssm_parameter" "this" {
        name  = "/roundtrip/dev/environment"
        type  = "String"
        value = "${text}"
      }
      resource "aws_ssm_document" "this" {
        name          = "roundtrip-test"
        document_type = "Command"
        content = jsonencode({
          schemaVersion = "2.2"
          description   = "${text}"
          mainSteps     = [{ action = "aws:runShellScript", name = "run", inputs = { runCommand = ["true"] } }]
        })
      }
      data "aws_ssm_parameter" "back" {
        name       = aws_ssm_parameter.this.name
        depends_on = [aws_ssm_parameter.this]
      }
      output "back" { value = nonsensitive(data.aws_ssm_parameter.back.value) }`;
    const folder = await open("parameter", content("one"));
    await world.succeed(folder, "apply", "-auto-approve");
    expect(await world.plan(folder)).toEqual({});
    writeFileSync(join(folder, "main.tf"), content("two"));
    expect(await world.plan(folder)).toEqual({
      "aws_ssm_document.this": "update",
      "aws_ssm_parameter.this": "update",
    });
    await world.succeed(folder, "apply", "plan.bin");
    expect((await world.succeed(folder, "output", "-raw", "back")).stdout).toBe("two");
    expect(await world.plan(folder)).toEqual({});
    await world.succeed(folder, "destroy", "-auto-approve");
  });

  test("a lambda runs as Terraform creates, changes and deletes its invocation", async () => {
    const content = (input: string) => `
      terraform {
        required_providers {
          aws     = { source = "hashicorp/aws" }
          archive = { source = "hashicorp/archive" }
        }
      }
      provider "aws" { region = "us-east-1" }
      data "archive_file" "code" {
        type                    = "zip"
        output_path             = "\${path.module}/code.zip"
        source_content_filename = "index.mjs"
        source_content          = "export const handler = async (event) => event;"
      }
      resource "aws_lambda_function" "this" {
        function_name    = "echo"
        role             = "arn:aws:iam::123456789012:role/echo"
        runtime          = "nodejs22.x"
        handler          = "index.handler"
        filename         = data.archive_file.code.output_path
        source_code_hash = data.archive_file.code.output_base64sha256
        environment { variables = { STAGE = "dev" } }
      }
      resource "aws_lambda_invocation" "this" {
        function_name   = aws_lambda_function.this.function_name
        lifecycle_scope = "CRUD"
        input           = jsonencode({ database = "${input}" })
      }
      output "result" { value = jsondecode(aws_lambda_invocation.this.result) }`;
    const folder = await open("lambda", content("one"));
    const result = async () =>
      JSON.parse((await world.succeed(folder, "output", "-json", "result")).stdout) as object;
    await world.succeed(folder, "apply", "-auto-approve");
    expect(await result()).toEqual({ database: "one", tf: { action: "create", prev_input: null } });
    expect(await world.plan(folder)).toEqual({});
    writeFileSync(join(folder, "main.tf"), content("two"));
    expect(await world.plan(folder)).toEqual({ "aws_lambda_invocation.this": "update" });
    await world.succeed(folder, "apply", "plan.bin");
    expect(await result()).toEqual({
      database: "two",
      tf: { action: "update", prev_input: { database: "one" } },
    });
    await world.succeed(folder, "destroy", "-auto-approve");
    const journal = (await world.aws.control("GET", "journal")) as { operation: string }[];
    expect(journal.filter(({ operation }) => operation === "Invoke")).toHaveLength(3);
  });

  test("the small providers make what they should and keep it", async () => {
    const folder = await open(
      "small",
      `terraform {
        required_providers {
          random = { source = "hashicorp/random" }
          null   = { source = "hashicorp/null" }
          time   = { source = "hashicorp/time" }
          local  = { source = "hashicorp/local" }
          cloudinit = { source = "hashicorp/cloudinit" }
          external  = { source = "hashicorp/external" }
        }
      }
      variable "user" { default = "one" }
      resource "random_password" "this" {
        length      = 32
        min_special = 2
        keepers     = { username = var.user }
      }
      resource "null_resource" "this" { triggers = { user = var.user } }
      resource "time_sleep" "this" { create_duration = "10ms" }
      resource "local_file" "this" {
        filename = "\${path.module}/made.txt"
        content  = "hello"
      }
      data "cloudinit_config" "this" {
        gzip          = false
        base64_encode = false
        part { content = "#cloud-config" }
      }
      data "external" "this" {
        program = ["cat"]
        query   = { answer = "42" }
      }
      output "cloudinit" { value = data.cloudinit_config.this.rendered }
      output "answer" { value = data.external.this.result.answer }
      output "length" { value = nonsensitive(length(random_password.this.result)) }`,
    );
    await world.succeed(folder, "apply", "-auto-approve");
    expect(await world.plan(folder)).toEqual({});
    expect(JSON.parse((await world.succeed(folder, "output", "-json")).stdout)).toMatchObject({
      answer: { value: "42" },
      length: { value: 32 },
      cloudinit: { value: expect.stringContaining("#cloud-config") },
    });
    expect(readFileSync(join(folder, "made.txt"), "utf8")).toBe("hello");
    // A new user name makes a new password.
    expect(await world.plan(folder, "-var=user=two")).toEqual({
      "null_resource.this": "delete+create",
      "random_password.this": "delete+create",
    });
  });
});
