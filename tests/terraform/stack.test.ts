import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Ajv2020 from "ajv/dist/2020.js";
import { zipSync } from "fflate";
import { TestTerraform, terraformProgram, whyNoTerraform } from "../support/terraform.ts";

setDefaultTimeout(180_000);

const repository = join(import.meta.dirname, "../..");
const environments = ["dev", "qa", "prod"] as const;

/**
 * The whole stack by the real binary, with its state in S3, for every environment's own variables. An account each: the
 * names of tasks and endpoints come from tasks.yaml and are the same everywhere.
 */
class StackWorld implements AsyncDisposable {
  private constructor(
    readonly world: TestTerraform,
    readonly stack: string,
    readonly environment: string,
  ) {}

  private get variables(): string {
    return `-var-file=../environments/${this.environment}.tfvars`;
  }

  static async start(environment: string): Promise<StackWorld> {
    const world = await TestTerraform.start();
    const copy = world.copy(join(repository, "terraform"), "repository/terraform");
    const root = join(copy, "..");
    cpSync(join(repository, "runbooks/documents"), join(root, "runbooks/documents"), { recursive: true });
    cpSync(join(repository, "services/units"), join(root, "services/units"), { recursive: true });
    cpSync(join(repository, "tasks.yaml"), join(root, "tasks.yaml"));
    mkdirSync(join(root, "dist"));
    const handler = new TextEncoder().encode("export const handler = async () => ({});");
    writeFileSync(join(root, "dist/create-user-db.zip"), zipSync({ "index.mjs": handler }));
    writeFileSync(join(root, "dist/global-bundle.pem"), "-----BEGIN CERTIFICATE-----");
    const users = {
      master: "administrator",
      documentdb: "roundtrip",
      mongodb: "roundtrip",
      "mongodb-dms": "reader",
      shop: "shop",
    };
    for (const [name, username] of Object.entries(users))
      await world.call("secretsmanager", "secretsmanager.CreateSecret", {
        Name: `roundtrip/${environment}/${name}`,
        SecretString: JSON.stringify({ username, password: "held-in-secret-3391" }),
      });
    await world.createBucket("roundtrip-state");
    const stack = join(copy, "stack");
    const settings = {
      bucket: "roundtrip-state",
      key: `${environment}.tfstate`,
      region: "us-east-1",
      use_path_style: "true",
    };
    const backend = Object.entries(settings).map(([name, value]) => `-backend-config=${name}=${value}`);
    await world.succeed(stack, "init", ...backend);
    return new StackWorld(world, stack, environment);
  }

  apply(): ReturnType<TestTerraform["succeed"]> {
    return this.world.succeed(this.stack, "apply", "-auto-approve", this.variables);
  }

  plan(): Promise<Record<string, string>> {
    return this.world.plan(this.stack, this.variables);
  }

  /** The hosts by their roles, as an output. */
  async hosts(): Promise<Record<string, { instance_id: string }>> {
    const { stdout } = await this.world.succeed(this.stack, "output", "-json", "hosts");
    return JSON.parse(stdout) as Record<string, { instance_id: string }>;
  }

  /** The environment's document, as runbooks read it. */
  async document(): Promise<Record<string, unknown>> {
    const { Parameter } = (await this.world.call("ssm", "AmazonSSM.GetParameter", {
      Name: `/roundtrip/${this.environment}/environment`,
    })) as { Parameter: { Value: string } };
    return JSON.parse(Parameter.Value) as Record<string, unknown>;
  }

  run(command: string): ReturnType<TestTerraform["run"]> {
    return this.world.run(this.stack, command, "-auto-approve", this.variables);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]();
  }
}

describe.skipIf(!terraformProgram)(`terraform/stack, applied${whyNoTerraform}`, () => {
  for (const environment of environments)
    test(`${environment}: made, nothing left to do, its document published, no password that AWS can hold in its state`, async () => {
      await using own = await StackWorld.start(environment);
      await own.apply();
      expect(await own.plan()).toEqual({});
      const document = await own.document();
      const schema = JSON.parse(
        readFileSync(join(repository, "schemas/environment.schema.json"), "utf8"),
      ) as object;
      const validate = new Ajv2020({ strict: false }).compile(schema);
      expect({ valid: validate(document), errors: validate.errors }).toEqual({ valid: true, errors: null });
      const tasks = document.replicationTasks as { id: string }[];
      expect(tasks.map(({ id }) => id).sort()).toEqual(["billing", "shop-customers", "shop-orders"]);
      const state = (await own.world.succeed(own.stack, "state", "pull")).stdout;
      expect(state).not.toContain("held-in-secret");
    });

  test("a stack whose only host had an address of its own keeps that host; both are in the document, by their roles", async () => {
    await using own = await StackWorld.start("qa");
    await own.apply();
    const before = await own.hosts();
    await own.world.succeed(own.stack, "state", "mv", 'module.hosts["failback"]', "module.failback_host");
    expect(await own.plan()).toEqual({});
    await own.apply();
    expect(await own.hosts()).toEqual(before);
    expect(await own.document()).toMatchObject({
      instanceId: before.failback!.instance_id,
      operationsInstanceId: before.operations!.instance_id,
    });
    expect(before.failback!.instance_id).not.toBe(before.operations!.instance_id);
  });

  test("dev is destroyed; made again at once, the deleted secret's name is still reserved: said, not hidden", async () => {
    await using own = await StackWorld.start("dev");
    await own.apply();
    expect((await own.run("destroy")).exitCode).toBe(0);
    const again = await own.run("apply");
    expect(again.exitCode).toBe(1);
    expect(again.stderr).toContain("already scheduled for deletion");
  });

  test("an account is bootstrapped once: bucket of the states, DMS's roles by their fixed names, GitHub's provider", async () => {
    await using world = await TestTerraform.start();
    const folder = join(world.copy(join(repository, "terraform"), "terraform-copy"), "bootstrap");
    const variables = ["-var=region=us-east-1", "-var=state_bucket_name=roundtrip-state"];
    await world.succeed(folder, "init");
    await world.succeed(folder, "apply", "-auto-approve", ...variables);
    expect(await world.plan(folder, ...variables)).toEqual({});
    const { Objects } = (await world.call("stored-objects", "StoredObjects.ListObjects", {
      TypeName: "aws_iam_role",
    })) as { Objects: { ObjectId: string }[] };
    expect(Objects.map(({ ObjectId }) => ObjectId)).toEqual(["dms-cloudwatch-logs-role", "dms-vpc-role"]);
  });

  test("prod is not destroyed: its cluster is protected, and its bucket isn't emptied", async () => {
    await using own = await StackWorld.start("prod");
    await own.apply();
    const destroyed = await own.run("destroy");
    expect(destroyed.exitCode).toBe(1);
    expect(destroyed.stderr).toContain("Cannot delete protected Cluster");
  });
});
