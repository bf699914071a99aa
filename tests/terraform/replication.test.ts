import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { addCollections } from "../../core/tasks/edit.ts";
import { TestTerraform, terraformProgram, whyNoTerraform } from "../support/terraform.ts";
import { waitFor } from "../support/wait-for.ts";

setDefaultTimeout(120_000);

const tasksOf = (more = "") => `version: 1
defaults: {owners: [team-platform]}
tasks:
  - id: shop-orders
    database: shop_orders
    collections: [orders, order_items]
  - id: billing
    database: billing
    collections: [invoices]
${more}`;

describe.skipIf(!terraformProgram)(`terraform/examples/replication, applied${whyNoTerraform}`, () => {
  let world: TestTerraform;
  let root: string;
  let tasksFile: string;
  const writingPassword = "written-by-dms-8812";

  beforeAll(async () => {
    world = await TestTerraform.start();
    const source = await world.call("secretsmanager", "secretsmanager.CreateSecret", {
      Name: "roundtrip/dev/mongodb",
      SecretString: JSON.stringify({
        username: "reader",
        password: "read-by-dms-5521",
        host: "mongodb.test",
        port: 27017,
      }),
    });
    await world.call("secretsmanager", "secretsmanager.CreateSecret", {
      Name: "roundtrip/dev/replication",
      SecretString: JSON.stringify({ username: "writer", password: writingPassword }),
    });
    root = join(
      world.copy(join(import.meta.dirname, "../../terraform"), "terraform-copy"),
      "examples/replication",
    );
    tasksFile = join(world.dir, "tasks.yaml");
    writeFileSync(tasksFile, tasksOf());
    writeFileSync(
      join(root, "terraform.tfvars"),
      `environment                   = "dev"
       tasks_file                    = "${tasksFile}"
       source_secret_arn             = "${String(source.ARN)}"
       source_secret_access_role_arn = "arn:aws:iam::123456789012:role/dms-secrets"
       target                        = { server_name = "documentdb.test", secret_id = "roundtrip/dev/replication", ssl_mode = "none" }
       subnet_ids                    = ["subnet-1", "subnet-2"]`,
    );
    await world.succeed(root, "init");
    await world.succeed(root, "apply", "-auto-approve");
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });

  async function tasks(): Promise<Record<string, { status: string; collections: string[] }>> {
    const { ReplicationTasks } = (await world.callDms("DescribeReplicationTasks", {})) as {
      ReplicationTasks: { ReplicationTaskIdentifier: string; Status: string; TableMappings: string }[];
    };
    return Object.fromEntries(
      ReplicationTasks.map(({ ReplicationTaskIdentifier: id, Status: status, TableMappings }) => {
        const { rules } = JSON.parse(TableMappings) as {
          rules: { "object-locator": { "table-name": string } }[];
        };
        return [id, { status, collections: rules.map((rule) => rule["object-locator"]["table-name"]) }];
      }),
    );
  }

  test("it makes the tasks and starts none; a second plan is empty; the reading user's password is nowhere in the state", async () => {
    expect(await tasks()).toEqual({
      billing: { status: "ready", collections: ["invoices"] },
      "shop-orders": { status: "ready", collections: ["order_items", "orders"] },
    });
    expect(await world.plan(root)).toEqual({});
    expect(readFileSync(join(root, "terraform.tfstate"), "utf8")).not.toContain("read-by-dms");
  });

  test("a task more plans exactly its own objects", async () => {
    const more = "  - id: customers\n    database: customers\n    collections: [people]\n";
    writeFileSync(tasksFile, tasksOf(more));
    expect(await world.plan(root)).toEqual({
      'module.dms.aws_dms_endpoint.target["documentdb-customers"]': "create",
      'module.dms.aws_dms_replication_task.this["customers"]': "create",
    });
    // A second task of a database that is there needs no endpoint.
    writeFileSync(
      tasksFile,
      tasksOf("  - id: shop-returns\n    database: shop_orders\n    collections: [returns]\n"),
    );
    expect(await world.plan(root)).toEqual({
      'module.dms.aws_dms_replication_task.this["shop-returns"]': "create",
    });
    writeFileSync(tasksFile, tasksOf());
  });

  test("a collection more plans one change in place of one task, and applying it starts nothing", async () => {
    const edited = addCollections(tasksOf(), "shop-orders", [{ name: "returns" }]);
    writeFileSync(tasksFile, edited);
    expect(await world.plan(root)).toEqual({
      'module.dms.aws_dms_replication_task.this["shop-orders"]': "update",
    });
    await world.succeed(root, "apply", "plan.bin");
    expect(await tasks()).toMatchObject({
      billing: { collections: ["invoices"] },
      "shop-orders": { status: "ready", collections: ["order_items", "orders", "returns"] },
    });
    expect(await world.plan(root)).toEqual({});
    writeFileSync(tasksFile, tasksOf());
    await world.succeed(root, "apply", "-auto-approve");
  });

  test("a task that fails or is stopped while an apply runs doesn't make it fail: starting and stopping isn't Terraform's", async () => {
    const { ReplicationTasks } = (await world.callDms("DescribeReplicationTasks", {})) as {
      ReplicationTasks: { ReplicationTaskIdentifier: string; ReplicationTaskArn: string }[];
    };
    const billing = ReplicationTasks.find((task) => task.ReplicationTaskIdentifier === "billing")!;
    writeFileSync(tasksFile, addCollections(tasksOf(), "shop-orders", [{ name: "returns" }]));
    await world.aws.control("POST", "dms", { sourceLostMs: 100 });
    // The apply is held at its one change, until billing has been started and has failed: its databases don't exist.
    await world.aws.control("POST", "faults", {
      operation: "ModifyReplicationTask",
      action: { delayMs: 2000 },
    });
    const applying = world.run(root, "apply", "-auto-approve");
    await waitFor("the change", async () => {
      const faults = (await world.aws.control("GET", "faults")) as { fired: number }[];
      return faults.some(({ fired }) => fired > 0);
    });
    await world.callDms("StartReplicationTask", {
      ReplicationTaskArn: billing.ReplicationTaskArn,
      StartReplicationTaskType: "start-replication",
    });
    await waitFor("billing's failure", async () => (await tasks()).billing?.status === "failed");
    expect((await applying).exitCode).toBe(0);
    expect(await world.plan(root)).toEqual({});
    writeFileSync(tasksFile, tasksOf());
    await world.succeed(root, "apply", "-auto-approve");
  });

  test("a task removed plans its end and nothing else's", async () => {
    writeFileSync(tasksFile, tasksOf().replace(/ {2}- id: billing[\s\S]*$/, ""));
    expect(await world.plan(root)).toEqual({
      'module.dms.aws_dms_endpoint.target["documentdb-billing"]': "delete",
      'module.dms.aws_dms_replication_task.this["billing"]': "delete",
    });
    writeFileSync(tasksFile, tasksOf());
  });

  test("a new password in the secret changes the target endpoints in place", async () => {
    await world.call("secretsmanager", "secretsmanager.PutSecretValue", {
      SecretId: "roundtrip/dev/replication",
      SecretString: JSON.stringify({ username: "writer-2", password: "another-one-4410" }),
    });
    expect(await world.plan(root)).toEqual({
      'module.dms.aws_dms_endpoint.target["documentdb-billing"]': "update",
      'module.dms.aws_dms_endpoint.target["documentdb-shop-orders"]': "update",
    });
    const shown = await world.succeed(root, "plan");
    expect(shown.stdout).not.toContain("another-one");
  });
});
