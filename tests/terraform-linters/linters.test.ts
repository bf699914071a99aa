import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { terraformLinter, tflintPlugins } from "../../scripts/setup/terraform-linters.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

setDefaultTimeout(240_000);

const repository = join(import.meta.dirname, "../..");

interface Finding {
  readonly rule: string;
  readonly where: string;
}

function program(name: "tflint" | "checkov"): string {
  const path = terraformLinter(name);
  if (path === undefined) throw new Error(`no ${name}: bun scripts/setup.ts --all gets it`);
  return path;
}

async function outputOf(command: string[], env: Record<string, string> = {}) {
  const child = Bun.spawn(command, { env: { ...process.env, ...env }, stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { exitCode: await child.exited, stdout, stderr };
}

/** What tflint finds in one folder of the copy. Its failure to read something is no finding: it throws. */
async function tflint(terraform: string, folder: string, ...parameters: string[]): Promise<Finding[]> {
  const { exitCode, stdout, stderr } = await outputOf(
    [
      program("tflint"),
      `--config=${join(terraform, ".tflint.hcl")}`,
      `--chdir=${join(terraform, folder)}`,
      "--format=json",
      ...parameters,
    ],
    { TFLINT_PLUGIN_DIR: tflintPlugins },
  );
  const answer = JSON.parse(stdout || "{}") as {
    issues?: {
      rule: { name: string };
      message: string;
      range: { filename: string; start: { line: number } };
    }[];
    errors?: { message: string }[];
  };
  if (answer.issues === undefined || (answer.errors ?? []).length > 0)
    throw new Error(`tflint ${folder}: exit code ${exitCode}\n${JSON.stringify(answer.errors)}\n${stderr}`);
  return answer.issues.map(({ rule, message, range }) => ({
    rule: rule.name,
    where: `${folder}/${range.filename}:${range.start.line} ${message}`,
  }));
}

/** What checkov finds below a folder. A check that could not be run is no passed one: it throws. */
async function checkov(folder: string): Promise<{ passed: number; failed: Finding[] }> {
  const configuration = join(repository, "terraform/.checkov.yaml");
  const { exitCode, stdout, stderr } = await outputOf([
    program("checkov"),
    ...["-d", folder, "--config-file", configuration, "-o", "json"],
  ]);
  if (/Failed to run check|Traceback/.test(stderr)) throw new Error(`checkov ${folder}:\n${stderr}`);
  const answer = JSON.parse(stdout) as {
    summary?: { passed: number; parsing_errors: number };
    results?: {
      failed_checks: { check_id: string; file_path: string; resource: string; check_name: string }[];
    };
  };
  if (answer.results === undefined || answer.summary?.parsing_errors !== 0)
    throw new Error(`checkov ${folder}: exit code ${exitCode}\n${stdout}\n${stderr}`);
  const failed = answer.results.failed_checks.map((each) => ({
    rule: each.check_id,
    where: `${each.file_path} ${each.resource}: ${each.check_name}`,
  }));
  return { passed: answer.summary.passed, failed };
}

const planted = `
resource "aws_dms_replication_task" "this" {
  replication_task_id      = "orders"
  migration_type           = "full-load-and-cdcs"
  replication_instance_arn = "arn:aws:dms:us-east-1:123456789012:rep:ABC"
  source_endpoint_arn      = "arn:aws:dms:us-east-1:123456789012:endpoint:ABC"
  target_endpoint_arn      = "arn:aws:dms:us-east-1:123456789012:endpoint:DEF"
  table_mappings           = jsonencode({ rules = [] })
}

resource "aws_instance" "this" {
  ami           = "ami-1"
  instance_type = "t3.largest"
}

variable "unused" {
  type = string
}
`;

const below = (folder: string) =>
  readdirSync(join(repository, "terraform", folder)).map((name) => `${folder}/${name}`);

describe("tflint", () => {
  let copy: string;
  beforeAll(() => {
    const root = temporaryFolder("roundtrip-tflint");
    copy = join(root, "terraform");
    cpSync(join(repository, "terraform"), copy, {
      recursive: true,
      filter: (path) => !path.includes(".terraform"),
    });
    cpSync(join(repository, "terraform/.tflint.hcl"), join(copy, ".tflint.hcl"));
    cpSync(join(repository, "tasks.yaml"), join(root, "tasks.yaml"));
    // What `make build` makes and the environments name.
    mkdirSync(join(root, "dist"));
    writeFileSync(join(root, "dist/global-bundle.pem"), "-----BEGIN CERTIFICATE-----");
  });

  test.each([...below("modules"), ...below("examples"), "bootstrap"])("%s has no finding", async (folder) => {
    expect(await tflint(copy, folder)).toEqual([]);
  });

  test.each(["dev", "qa", "prod"])("stack has no finding with the variables of %s", async (environment) => {
    const variables = `--var-file=../environments/${environment}.tfvars`;
    expect(await tflint(copy, "stack", variables)).toEqual([]);
  });

  test("finds what was planted: a migration type DMS hasn't, an instance class EC2 hasn't, a variable nobody uses", async () => {
    const folder = join(copy, "planted");
    mkdirSync(folder);
    writeFileSync(join(folder, "main.tf"), planted);
    const rules = (await tflint(copy, "planted")).map(({ rule }) => rule);
    expect(rules).toContain("aws_dms_replication_task_invalid_migration_type");
    expect(rules).toContain("aws_instance_invalid_type");
    expect(rules).toContain("terraform_unused_declarations");
  });
});

describe("checkov", () => {
  test("has no finding, and looked at something", async () => {
    const { passed, failed } = await checkov(join(repository, "terraform"));
    expect(failed).toEqual([]);
    expect(passed).toBeGreaterThan(100);
  });

  test("finds what was planted: a bucket open to everybody, a cluster that isn't encrypted", async () => {
    const folder = temporaryFolder("roundtrip-checkov");
    const bucket = readFileSync(join(repository, "terraform/modules/s3/main.tf"), "utf8").replace(
      "block_public_policy     = true",
      "block_public_policy     = false",
    );
    const cluster = readFileSync(join(repository, "terraform/modules/documentdb/main.tf"), "utf8").replace(
      /storage_encrypted +=.*\n/,
      "",
    );
    writeFileSync(join(folder, "bucket.tf"), bucket);
    writeFileSync(join(folder, "cluster.tf"), cluster);
    const rules = (await checkov(folder)).failed.map(({ rule }) => rule);
    expect(rules).toContain("CKV_AWS_54");
    expect(rules).toContain("CKV_AWS_74");
  });
});

test("each exception has its reason beside it", () => {
  const files = readdirSync(join(repository, "terraform"), { recursive: true, encoding: "utf8" });
  const lines = files
    .filter((file) => file.endsWith(".tf"))
    .flatMap((file) => readFileSync(join(repository, "terraform", file), "utf8").split("\n"));
  const exceptions = lines.filter((line) => /checkov:skip|tflint-ignore/.test(line));
  expect(exceptions.length).toBeGreaterThan(0);
  const reasoned = /#\s*checkov:skip=CKV2?_AWS_\d+:.{20}|# tflint-ignore: \w+ # .{20}/;
  expect(exceptions.filter((line) => !reasoned.test(line))).toEqual([]);
});
