import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultCredentials } from "../../sandbox/aws/identity.ts";
import { startTestAws, type TestAws, type TestAwsOptions } from "../../sandbox/aws/test-server.ts";
import { AwsClient } from "../../sandbox/terraform-provider/aws/client.ts";
import { startTerraform } from "../../sandbox/up/terraform.ts";

export const terraformProgram = Bun.which("terraform");
/** Why tests with the real binary are skipped, for their titles. */
export const whyNoTerraform = terraformProgram ? "" : " (skipped: no terraform on PATH)";

/**
 * A program to run in Terraform's place: it tells the stand-in its process group, in which its providers are, too, so that a
 * fault can kill them together as `terraform`.
 */
export function terraformWrapper(aws: string): string {
  const body = '{"name":"terraform","pid":\'$group\',"group":true}';
  return `#!/bin/sh
group=$(ps -o pgid= -p $$ | tr -d ' ')
curl --silent --fail --output /dev/null --data '${body}' '${aws}/_sandbox/processes' || exit 1
exec '${terraformProgram}' "$@"
`;
}

export interface Run {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly milliseconds: number;
}

/** The real `terraform` binary over the stand-in provider and an AWS stand-in of its own, in a folder of its own. */
export class TestTerraform implements AsyncDisposable {
  private constructor(
    readonly aws: TestAws,
    readonly dir: string,
    /** What Terraform is run in. */
    readonly environment: Readonly<Record<string, string>>,
  ) {}

  static async start(options: TestAwsOptions = {}): Promise<TestTerraform> {
    const aws = await startTestAws(options);
    const dir = mkdtempSync(join(tmpdir(), "terraform-test-"));
    const environment = startTerraform(join(dir, "terraform"), aws.url);
    return new TestTerraform(aws, dir, environment);
  }

  /** A root module of these files; gives its folder. */
  root(files: Readonly<Record<string, string>>, name = "root"): string {
    const folder = join(this.dir, name);
    for (const [file, content] of Object.entries(files)) {
      Bun.spawnSync(["mkdir", "-p", join(folder, file, "..")]);
      writeFileSync(join(folder, file), content);
    }
    return folder;
  }

  /** A copy of a folder of the repository, where Terraform may leave its files. */
  copy(from: string, name: string): string {
    const folder = join(this.dir, name);
    cpSync(from, folder, { recursive: true, filter: (path) => !path.includes(".terraform") });
    return folder;
  }

  /** Runs terraform in a folder and waits; input is off, output plain. */
  async run(folder: string, ...parameters: readonly string[]): Promise<Run> {
    const started = performance.now();
    const child = Bun.spawn([terraformProgram ?? "terraform", ...parameters], {
      cwd: folder,
      env: { ...process.env, ...this.environment, TF_INPUT: "0", TF_CLI_ARGS: "-no-color" },
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr, exitCode] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    return { exitCode, stdout, stderr, milliseconds: Math.round(performance.now() - started) };
  }

  /** As `run`, but anything except exit code 0 fails with what Terraform said. */
  async succeed(folder: string, ...parameters: readonly string[]): Promise<Run> {
    const run = await this.run(folder, ...parameters);
    if (run.exitCode !== 0)
      throw new Error(
        `terraform ${parameters.join(" ")}: exit code ${run.exitCode}\n${run.stdout}${run.stderr}`,
      );
    return run;
  }

  /** The actions of a plan by address; addresses that stay as they are aren't in it. */
  async plan(folder: string, ...parameters: readonly string[]): Promise<Record<string, string>> {
    await this.succeed(folder, "plan", "-out=plan.bin", ...parameters);
    const shown = JSON.parse((await this.succeed(folder, "show", "-json", "plan.bin")).stdout) as {
      resource_changes?: { address: string; mode: string; change: { actions: string[] } }[];
    };
    const changes = (shown.resource_changes ?? []).filter(
      ({ mode, change }) => mode === "managed" && change.actions.join() !== "no-op",
    );
    return Object.fromEntries(changes.map(({ address, change }) => [address, change.actions.join("+")]));
  }

  /** One call of an AWS JSON API, as somebody makes it who knows nothing of Terraform. */
  async call(service: string, target: string, input: object): Promise<Record<string, unknown>> {
    const client = new AwsClient(this.aws.url, async () => defaultCredentials);
    return client.json(service, target, input, "us-east-1");
  }

  async createBucket(bucket: string): Promise<void> {
    const client = new AwsClient(this.aws.url, async () => defaultCredentials);
    await client.send({
      service: "s3",
      operation: "CreateBucket",
      method: "PUT",
      path: `/${bucket}`,
      region: "us-east-1",
    });
  }

  async putObject(bucket: string, key: string, body: string): Promise<void> {
    const client = new AwsClient(this.aws.url, async () => defaultCredentials);
    await client.send({
      service: "s3",
      operation: "PutObject",
      method: "PUT",
      path: `/${bucket}/${key}`,
      body,
      region: "us-east-1",
    });
  }

  async deleteObject(bucket: string, key: string): Promise<void> {
    const client = new AwsClient(this.aws.url, async () => defaultCredentials);
    await client.send({
      service: "s3",
      operation: "DeleteObject",
      method: "DELETE",
      path: `/${bucket}/${key}`,
      region: "us-east-1",
    });
  }

  /** Replaces a bucket's subresource by a document. */
  async putBucketSetting(bucket: string, setting: string, body: string): Promise<void> {
    const client = new AwsClient(this.aws.url, async () => defaultCredentials);
    await client.send({
      service: "s3",
      operation: `Put ${setting}`,
      method: "PUT",
      path: `/${bucket}`,
      query: { [setting]: "" },
      body,
      region: "us-east-1",
    });
  }

  callDms(operation: string, input: object): Promise<Record<string, unknown>> {
    return this.call("dms", `AmazonDMSv20160101.${operation}`, input);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.aws[Symbol.asyncDispose]();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
