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
});
