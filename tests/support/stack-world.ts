import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { zipSync } from "fflate";
import { TestTerraform } from "./terraform.ts";

const repository = join(import.meta.dirname, "../..");

export const stateBucket = "roundtrip-state";

/**
 * The whole stack by the real binary, with its state in S3, for every environment's own variables. An account each: the
 * names of tasks and endpoints come from tasks.yaml and are the same everywhere.
 */
export class StackWorld implements AsyncDisposable {
  private constructor(
    readonly world: TestTerraform,
    readonly stack: string,
    readonly environment: string,
  ) {}

  private get variables(): string {
    return `-var-file=../environments/${this.environment}.tfvars`;
  }

  /**
   * An account with the secrets people make, and the stack's folder after `terraform init`.
   * @param prepare makes the bucket of the states, given the folder `terraform`; without it, the bucket is simply there
   */
  static async start(
    environment: string,
    prepare: (world: TestTerraform, terraform: string) => Promise<void> = (world) =>
      world.createBucket(stateBucket),
  ): Promise<StackWorld> {
    const world = await TestTerraform.start();
    const copy = world.copy(join(repository, "terraform"), "repository/terraform");
    const root = join(copy, "..");
    cpSync(join(repository, "runbooks/documents"), join(root, "runbooks/documents"), { recursive: true });
    cpSync(join(repository, "services/units"), join(root, "services/units"), { recursive: true });
    cpSync(join(repository, "tasks.yaml"), join(root, "tasks.yaml"));
    mkdirSync(join(root, "dist"));
    const handler = new TextEncoder().encode("export const handler = async () => ({});");
    for (const name of ["create-user-db", "notify"])
      writeFileSync(join(root, `dist/${name}.zip`), zipSync({ "index.mjs": handler }));
    writeFileSync(join(root, "dist/global-bundle.pem"), "-----BEGIN CERTIFICATE-----");
    const users = {
      master: "administrator",
      documentdb: "roundtrip",
      mongodb: "roundtrip",
      "mongodb-dms": "reader",
      shop: "shop",
      slack: "none",
    };
    for (const [name, username] of Object.entries(users))
      await world.call("secretsmanager", "secretsmanager.CreateSecret", {
        Name: `roundtrip/${environment}/${name}`,
        SecretString: JSON.stringify({ username, password: "held-in-secret-3391" }),
      });
    await prepare(world, copy);
    const stack = join(copy, "stack");
    const settings = {
      bucket: stateBucket,
      key: `${environment}.tfstate`,
      region: "us-east-1",
      use_path_style: "true",
    };
    const backend = Object.entries(settings).map(([name, value]) => `-backend-config=${name}=${value}`);
    await world.succeed(stack, "init", ...backend);
    return new StackWorld(world, stack, environment);
  }

  /** Where a task of the environment is written down. */
  get tasksFile(): string {
    return join(this.stack, "../../tasks.yaml");
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
