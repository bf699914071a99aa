import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { TestTerraform } from "../support/terraform.ts";

setDefaultTimeout(60_000);

const region = "us-east-1";
const real = Bun.which("aws");
const programs: Readonly<Record<string, readonly string[]>> = {
  "the stand-in": [process.execPath, join(import.meta.dirname, "../systemd/fixtures/aws.ts")],
  ...(real ? { "the real one": [real] } : {}),
};

/** Hosts call `aws` in two ways (terraform/modules/ec2/install); the container's stand-in for it must be like the real one in both. */
describe("aws, as hosts call it", () => {
  let world: TestTerraform;
  let file: string;
  beforeAll(async () => {
    world = await TestTerraform.start();
    file = join(world.dir, "fetched");
    await world.createBucket("releases");
    const s3 = new S3Client({ region, endpoint: world.aws.url, forcePathStyle: true });
    await s3.send(new PutObjectCommand({ Bucket: "releases", Key: "1/worker", Body: "content" }));
    const ssm = new SSMClient({ region, endpoint: world.aws.url });
    await ssm.send(
      new PutParameterCommand({ Name: "/r/dev/environment", Value: '{"a":"ü"}', Type: "String" }),
    );
  });
  afterAll(() => world[Symbol.asyncDispose]());

  async function run(program: readonly string[], ...words: string[]) {
    rmSync(file, { force: true });
    const child = Bun.spawn([...program, ...words], {
      env: { ...process.env, AWS_MAX_ATTEMPTS: "1" },
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr, exitCode] = await Promise.all([
      child.stdout.text(),
      child.stderr.text(),
      child.exited,
    ]);
    const message = stderr.trim().split("\n").at(-1)!;
    return { exitCode, stdout, message };
  }

  for (const [name, program] of Object.entries(programs)) {
    test(`${name}: an object comes whole into the file`, async () => {
      const ran = await run(
        program,
        "s3api",
        "get-object",
        "--region",
        region,
        "--bucket",
        "releases",
        "--key",
        "1/worker",
        file,
      );
      expect({ exitCode: ran.exitCode, content: readFileSync(file, "utf8") }).toEqual({
        exitCode: 0,
        content: "content",
      });
    });

    test(`${name}: an object that is not there is an error of one line, and no file`, async () => {
      const ran = await run(
        program,
        "s3api",
        "get-object",
        "--region",
        region,
        "--bucket",
        "releases",
        "--key",
        "2/worker",
        file,
      );
      expect({ failed: ran.exitCode !== 0, file: existsSync(file) }).toEqual({ failed: true, file: false });
      expect(ran.message).toMatch(/An error occurred \(NoSuchKey\)/);
    });

    test(`${name}: a parameter's value is the line on stdout`, async () => {
      const ran = await run(
        program,
        "ssm",
        "get-parameter",
        "--region",
        region,
        "--name",
        "/r/dev/environment",
        "--query",
        "Parameter.Value",
        "--output",
        "text",
      );
      expect(ran).toMatchObject({ exitCode: 0, stdout: '{"a":"ü"}\n' });
    });

    test(`${name}: a parameter that is not there is an error, and nothing on stdout`, async () => {
      const ran = await run(
        program,
        "ssm",
        "get-parameter",
        "--region",
        region,
        "--name",
        "/r/qa/environment",
        "--query",
        "Parameter.Value",
        "--output",
        "text",
      );
      expect({ failed: ran.exitCode !== 0, stdout: ran.stdout }).toEqual({ failed: true, stdout: "" });
      expect(ran.message).toContain("ParameterNotFound");
    });
  }
});
