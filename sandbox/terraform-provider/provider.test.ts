import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TestTerraform, terraformProgram, whyNoTerraform } from "../../tests/support/terraform.ts";
import { waitFor } from "../../tests/support/wait-for.ts";

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
const rule = (id: string, table: string) =>
  `{ rule-type = "selection", rule-id = "${id}", rule-name = "${id}", rule-action = "explicit", object-locator = { schema-name = "shop", table-name = "${table}" } }`;

/** A small replication: what the product's stack is made of. */
function replication({
  collections = ["orders"],
  instanceClass = "dms.t3.medium",
  taskId = "shop-orders",
  name = "main",
} = {}): string {
  return `${head}
    resource "aws_dms_replication_subnet_group" "this" {
      replication_subnet_group_id          = "${name}"
      replication_subnet_group_description = "for tests"
      subnet_ids                           = ["subnet-1", "subnet-2"]
    }
    resource "aws_dms_replication_instance" "this" {
      replication_instance_id     = "${name}"
      replication_instance_class  = "${instanceClass}"
      engine_version              = "3.6.1"
      replication_subnet_group_id = aws_dms_replication_subnet_group.this.id
    }
    resource "aws_dms_endpoint" "source" {
      endpoint_id   = "${name}-source"
      endpoint_type = "source"
      engine_name   = "mongodb"
      username      = "reader"
      password      = "shown-to-nobody-42"
      server_name   = "mongodb.test"
      port          = 27017
      mongodb_settings { extract_doc_id = "true" }
    }
    resource "aws_dms_endpoint" "target" {
      endpoint_id   = "${name}-target"
      endpoint_type = "target"
      engine_name   = "docdb"
      username      = "writer"
      password      = "shown-to-nobody-42"
      server_name   = "documentdb.test"
      port          = 27017
      database_name = "shop"
    }
    resource "aws_dms_replication_task" "this" {
      replication_task_id      = "${taskId}"
      migration_type           = "full-load-and-cdc"
      replication_instance_arn = aws_dms_replication_instance.this.replication_instance_arn
      source_endpoint_arn      = aws_dms_endpoint.source.endpoint_arn
      target_endpoint_arn      = aws_dms_endpoint.target.endpoint_arn
      table_mappings           = jsonencode({ rules = [${collections.map((each, index) => rule(String(index + 1), each)).join(", ")}] })
      replication_task_settings = jsonencode({ FullLoadSettings = { TargetTablePrepMode = "DO_NOTHING" } })
    }`;
}

describe.skipIf(!terraformProgram)(`stand-in provider under the real terraform${whyNoTerraform}`, () => {
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

  async function refusal(name: string, content: string): Promise<string> {
    const run = await world.run(await open(name, head + content), "validate");
    expect(run.exitCode).toBe(1);
    return (run.stdout + run.stderr).replace(/\s+/g, " ").replace(/[│╷╵]/g, "").replace(/ +/g, " ");
  }

  test("apply makes it, nothing is left to do, changes are made in place or by replacement, destroy takes it away", async () => {
    const folder = await open("life", replication());
    const change = (options: Parameters<typeof replication>[0]) =>
      writeFileSync(join(folder, "main.tf"), replication(options));
    await world.succeed(folder, "validate");
    expect(Object.values(await world.plan(folder))).toEqual([
      "create",
      "create",
      "create",
      "create",
      "create",
    ]);
    const applied = await world.succeed(folder, "apply", "plan.bin");
    expect(applied.stdout).toContain("5 added, 0 changed, 0 destroyed");
    expect(await world.plan(folder)).toEqual({});

    change({ collections: ["orders", "returns"], instanceClass: "dms.t3.large" });
    expect(await world.plan(folder)).toEqual({
      "aws_dms_replication_instance.this": "update",
      "aws_dms_replication_task.this": "update",
    });
    await world.succeed(folder, "apply", "plan.bin");
    const described = await world.callDms("DescribeReplicationTasks", {});
    expect(JSON.stringify(described)).toContain("returns");
    expect(await world.plan(folder)).toEqual({});

    change({ collections: ["orders", "returns"], instanceClass: "dms.t3.large", taskId: "shop-all" });
    expect(await world.plan(folder)).toEqual({ "aws_dms_replication_task.this": "delete+create" });
    await world.succeed(folder, "apply", "plan.bin");

    await world.succeed(folder, "apply", "-destroy", "-auto-approve");
    const endpoints = (await world.callDms("DescribeEndpoints", {})) as { Endpoints: object[] };
    expect(endpoints.Endpoints).toEqual([]);
    expect(await world.callDms("DescribeReplicationTasks", {})).toMatchObject({ ReplicationTasks: [] });
  });

  test("what DMS fills into the settings by itself is no change", async () => {
    const folder = await open("settings", replication({ taskId: "settings-task", name: "settings" }));
    await world.succeed(folder, "apply", "-auto-approve");
    const { ReplicationTasks } = (await world.callDms("DescribeReplicationTasks", {
      Filters: [{ Name: "replication-task-id", Values: ["settings-task"] }],
    })) as { ReplicationTasks: { ReplicationTaskArn: string; ReplicationTaskSettings: string }[] };
    const [task] = ReplicationTasks;
    const settings = JSON.parse(task!.ReplicationTaskSettings) as { FullLoadSettings: object };
    await world.callDms("ModifyReplicationTask", {
      ReplicationTaskArn: task!.ReplicationTaskArn,
      ReplicationTaskSettings: JSON.stringify({
        ...settings,
        FullLoadSettings: { ...settings.FullLoadSettings, CommitRate: 10000 },
        Logging: { EnableLogging: true, CloudWatchLogGroup: "dms-tasks-main" },
      }),
    });
    expect(await world.plan(folder)).toEqual({});
    await world.callDms("ModifyReplicationTask", {
      ReplicationTaskArn: task!.ReplicationTaskArn,
      ReplicationTaskSettings: JSON.stringify({
        FullLoadSettings: { TargetTablePrepMode: "DROP_AND_CREATE" },
      }),
    });
    expect(await world.plan(folder)).toEqual({ "aws_dms_replication_task.this": "update" });
    await world.succeed(folder, "apply", "-destroy", "-auto-approve");
  });

  const single = (id: string, more = "") => `${head}
    resource "aws_dms_endpoint" "this" {
      endpoint_id   = "${id}"
      endpoint_type = "target"
      engine_name   = "docdb"
      server_name   = "documentdb.test"
      port          = 27017
      username      = "writer"
      password      = "shown-to-nobody-42"
      ${more}
    }`;

  test("an object deleted behind Terraform's back is planned again; one changed there is planned back", async () => {
    const folder = await open("behind", single("behind"));
    await world.succeed(folder, "apply", "-auto-approve");
    const state = JSON.parse((await world.succeed(folder, "show", "-json")).stdout) as {
      values: { root_module: { resources: { values: { endpoint_arn: string } }[] } };
    };
    const EndpointArn = state.values.root_module.resources[0]!.values.endpoint_arn;
    await world.callDms("ModifyEndpoint", { EndpointArn, ServerName: "somewhere-else.test" });
    expect(await world.plan(folder)).toEqual({ "aws_dms_endpoint.this": "update" });
    await world.succeed(folder, "apply", "plan.bin");
    expect(await world.plan(folder)).toEqual({});
    await world.callDms("DeleteEndpoint", { EndpointArn });
    expect(await world.plan(folder)).toEqual({ "aws_dms_endpoint.this": "create" });
  });

  test("an object that exists already is imported and needs no change", async () => {
    await world.callDms("CreateEndpoint", {
      EndpointIdentifier: "adopted",
      EndpointType: "target",
      EngineName: "docdb",
      ServerName: "documentdb.test",
      Port: 27017,
      Username: "writer",
      Password: "shown-to-nobody-42",
      Tags: [{ Key: "environment", Value: "dev" }],
    });
    const folder = await open("adopted", single("adopted", "lifecycle { ignore_changes = [password] }"));
    await world.succeed(folder, "import", "aws_dms_endpoint.this", "adopted");
    expect(await world.plan(folder)).toEqual({});
    await world.succeed(folder, "destroy", "-auto-approve");
  });

  test("sensitive values are in no plan that people see, only in the plan file", async () => {
    const folder = await open("sensitive", single("sensitive"));
    const plan = await world.succeed(folder, "plan", "-out=plan.bin");
    const applied = await world.succeed(folder, "apply", "plan.bin");
    const shown = await world.succeed(folder, "show");
    for (const { stdout } of [plan, applied, shown]) expect(stdout).not.toContain("shown-to-nobody");
    expect(plan.stdout).toContain("password                    = (sensitive value)");
    await world.succeed(folder, "destroy", "-auto-approve");
  });

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

  test("refusals name the argument", async () => {
    const endpoint = (body: string) => `resource "aws_dms_endpoint" "wrong" {\n${body}\n}`;
    const base = 'endpoint_id = "wrong"\nendpoint_type = "target"';
    expect(await refusal("enum", endpoint(`${base}\nengine_name = "documentdb"`))).toMatch(
      /Invalid value for engine_name .*on main.tf line \d+, in resource "aws_dms_endpoint" "wrong".*got documentdb/,
    );
    expect(
      await refusal("computed", endpoint(`${base}\nengine_name = "docdb"\nendpoint_arn = "arn"`)),
    ).toContain(`Can't configure a value for "endpoint_arn"`);
    expect(
      await refusal(
        "nested",
        endpoint(`${base}\nengine_name = "mongodb"\nmongodb_settings { auth_mechanism = "scram-sha-256" }`),
      ),
    ).toMatch(/Invalid value for mongodb_settings.auth_mechanism .*got scram-sha-256/);
    expect(
      await refusal(
        "conflict",
        endpoint(
          `${base}\nengine_name = "docdb"\npassword = "x"\nsecrets_manager_arn = "arn:aws:secretsmanager:us-east-1:1:secret:x"`,
        ),
      ),
    ).toContain('"secrets_manager_arn": conflicts with password');
    expect(
      await refusal(
        "identifier",
        endpoint('endpoint_id = "a--b"\nendpoint_type = "target"\nengine_name = "docdb"'),
      ),
    ).toContain('"endpoint_id" must not contain consecutive hyphens, got a--b');
  });

  test("a type the stand-in hasn't got validates and plans; its apply fails and says so", async () => {
    const folder = await open(
      "missing",
      `${head}\nresource "aws_budgets_budget" "this" {\n  budget_type = "COST"\n  time_unit = "MONTHLY"\n}`,
    );
    await world.succeed(folder, "validate");
    expect(await world.plan(folder)).toEqual({ "aws_budgets_budget.this": "create" });
    const run = await world.run(folder, "apply", "plan.bin");
    expect(run.exitCode).toBe(1);
    expect(run.stderr.replace(/[│\s]+/g, " ")).toContain(
      "the stand-in has no aws_budgets_budget: it can be validated and planned, not applied",
    );
  });

  test("a terraform that is killed leaves no provider behind", async () => {
    const folder = await open("killed", single("killed"));
    await world.aws.control("POST", "faults", { operation: "CreateEndpoint", action: { delayMs: 3000 } });
    const child = Bun.spawn([terraformProgram!, "apply", "-auto-approve"], {
      cwd: folder,
      env: { ...process.env, ...world.environment },
      stdout: "ignore",
      stderr: "ignore",
    });
    await waitFor("the creation", async () => {
      const faults = (await world.aws.control("GET", "faults")) as { fired: number }[];
      return faults.some(({ fired }) => fired > 0);
    });
    // Go starts processes from any of its threads.
    const pids = readdirSync(`/proc/${child.pid}/task`)
      .map((thread) => readFileSync(`/proc/${child.pid}/task/${thread}/children`, "utf8").trim())
      .filter((children) => children !== "");
    expect(pids[0]).toMatch(/^\d+$/);
    child.kill("SIGKILL");
    await child.exited;
    await waitFor("the provider's end", () => pids.every((pid) => !existsSync(`/proc/${pid}`)));
    await world.aws.control("DELETE", "faults");
  });

  test("terraform test runs against it, with mocks too", async () => {
    const folder = await open("tests", single("tested"));
    world.root(
      {
        "main.tftest.hcl": `
          run "applied" {
            assert {
              condition     = aws_dms_endpoint.this.id == "tested"
              error_message = "the id is the endpoint's"
            }
          }`,
        "mocked.tftest.hcl": `
          mock_provider "aws" {}
          run "mocked" {
            assert {
              condition     = aws_dms_endpoint.this.endpoint_id == "tested"
              error_message = "mocks keep what is configured"
            }
          }`,
      },
      "tests",
    );
    const run = await world.succeed(folder, "test");
    expect(run.stdout).toContain("Success! 2 passed, 0 failed.");
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
