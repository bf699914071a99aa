import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readTerraformDrift, readTerraformPlan } from "../../core/plan/terraform-check.ts";
import { addCollections } from "../../core/tasks/edit.ts";
import { StackWorld, stateBucket } from "../support/stack-world.ts";
import { type TestTerraform, terraformProgram, whyNoTerraform } from "../support/terraform.ts";

setDefaultTimeout(180_000);

const bootstrapVariables = ["-var=region=us-east-1", `-var=state_bucket_name=${stateBucket}`];
const replicationSecret = "roundtrip/dev/replication";

async function bootstrap(world: TestTerraform, terraform: string): Promise<void> {
  const folder = join(terraform, "bootstrap");
  await world.succeed(folder, "init");
  await world.succeed(folder, "apply", "-auto-approve", ...bootstrapVariables);
  expect(await world.plan(folder, ...bootstrapVariables)).toEqual({});
}

/** What the stack's state holds, by address. */
async function addresses(own: StackWorld): Promise<string[]> {
  return (await own.world.succeed(own.stack, "state", "list")).stdout.trim().split("\n");
}

// One story, test by test: the account is empty at its beginning.
describe.skipIf(!terraformProgram)(`an empty account${whyNoTerraform}`, () => {
  let own: StackWorld;
  let made: string[];
  beforeAll(async () => {
    own = await StackWorld.start("dev", bootstrap);
    await own.apply();
    made = await addresses(own);
  });
  afterAll(async () => {
    await own[Symbol.asyncDispose]();
  });

  test("is bootstrapped once: bucket of the states, DMS's roles by their fixed names, GitHub's provider", async () => {
    const { Objects } = (await own.world.call("stored-objects", "StoredObjects.ListObjects", {
      TypeName: "aws_iam_role",
    })) as { Objects: { ObjectId: string }[] };
    const ids = Objects.map(({ ObjectId }) => ObjectId);
    expect(ids).toEqual(expect.arrayContaining(["dms-cloudwatch-logs-role", "dms-vpc-role"]));
    // Pulled from the bucket the bootstrap made: nothing else has made one.
    const state = (await own.world.succeed(own.stack, "state", "pull")).stdout;
    expect(JSON.parse(state)).toMatchObject({ version: 4, resources: expect.any(Array) });
    expect(made.length).toBeGreaterThan(50);
  });

  /** What is planned with another tasks.yaml, which goes again. */
  async function planWith(edit: (text: string) => string): Promise<Record<string, string>> {
    const before = readFileSync(own.tasksFile, "utf8");
    writeFileSync(own.tasksFile, edit(before));
    try {
      return await own.plan();
    } finally {
      writeFileSync(own.tasksFile, before);
    }
  }

  test("a task added to tasks.yaml plans its own objects, and its line in the two that list tasks", async () => {
    const added = "  - id: returns\n    database: returns\n    collections: [parcels]\n";
    expect(await planWith((text) => `${text.trimEnd()}\n${added}`)).toEqual({
      "aws_ssm_parameter.environment": "update",
      'module.dms.aws_dms_endpoint.target["documentdb-returns"]': "create",
      'module.dms.aws_dms_replication_task.this["returns"]': "create",
      "module.monitoring.aws_cloudwatch_dashboard.this": "update",
      'module.monitoring.aws_cloudwatch_metric_alarm.this["dms-returns-source"]': "create",
      'module.monitoring.aws_cloudwatch_metric_alarm.this["dms-returns-target"]': "create",
    });
  });

  test("a collection added plans one change in place of one task", async () => {
    const plan = await planWith((text) => addCollections(text, "billing", [{ name: "reminders" }]));
    expect(plan).toEqual({ 'module.dms.aws_dms_replication_task.this["billing"]': "update" });
    expect(await own.plan()).toEqual({});
  });

  test("what was deleted behind Terraform's back is found by drift, and the next apply makes it again", async () => {
    const { ReplicationTasks } = (await own.world.callDms("DescribeReplicationTasks", {})) as {
      ReplicationTasks: { ReplicationTaskIdentifier: string; ReplicationTaskArn: string }[];
    };
    const billing = ReplicationTasks.find(({ ReplicationTaskIdentifier: id }) => id === "billing");
    await own.world.callDms("DeleteReplicationTask", { ReplicationTaskArn: billing!.ReplicationTaskArn });
    await own.world.call("ssm", "AmazonSSM.DeleteDocument", { Name: "roundtrip-dev-inspect" });
    const task = 'module.dms.aws_dms_replication_task.this["billing"]';
    const document = 'module.ssm_documents.aws_ssm_document.this["inspect"]';
    expect(await own.plan()).toMatchObject({ [task]: "create", [document]: "create" });
    const shown = (await own.world.succeed(own.stack, "show", "-json", "plan.bin")).stdout;
    const drifted = readTerraformDrift(shown).map(({ address }) => address);
    expect(drifted).toEqual(expect.arrayContaining([task, document]));
    const planned = readTerraformPlan(shown).map(({ address }) => address);
    expect(planned).toEqual(expect.arrayContaining([task, document]));
    await own.apply();
    expect(await own.plan()).toEqual({});
  });

  test("dev is destroyed to the last object and made again at once: its secret's name isn't reserved", async () => {
    const destroyed = await own.run("destroy");
    expect({ exitCode: destroyed.exitCode, stderr: destroyed.stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect((await addresses(own)).filter((address) => address !== "")).toEqual([]);
    await own.apply();
    expect(await addresses(own)).toEqual(made);
    expect(await own.plan()).toEqual({});
  });

  test("a name that AWS still reserves is said, with what was made kept in the state; once it is free, the same apply ends", async () => {
    expect((await own.run("destroy")).exitCode).toBe(0);
    // As a stack of before, or somebody at the console, deletes it: with a window.
    await own.world.call("secretsmanager", "secretsmanager.CreateSecret", { Name: replicationSecret });
    await own.world.call("secretsmanager", "secretsmanager.DeleteSecret", {
      SecretId: replicationSecret,
      RecoveryWindowInDays: 7,
    });
    const refused = await own.run("apply");
    expect({ exitCode: refused.exitCode, says: refused.stderr }).toEqual({
      exitCode: 1,
      says: expect.stringContaining("a secret with this name is already scheduled for deletion"),
    });
    await own.world.call("secretsmanager", "secretsmanager.RestoreSecret", { SecretId: replicationSecret });
    await own.world.call("secretsmanager", "secretsmanager.DeleteSecret", {
      SecretId: replicationSecret,
      ForceDeleteWithoutRecovery: true,
    });
    await own.apply();
    expect(await addresses(own)).toEqual(made);
    expect(await own.plan()).toEqual({});
  });
});
