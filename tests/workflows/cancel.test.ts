/** A job that is cancelled in the middle of a runbook: what the program still does, and what the next run finds. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { S3ObjectStore } from "../../adapters/aws/object-store.ts";
import { readJson } from "../../adapters/state/json.ts";
import { leaseKey } from "../../core/failback/layout.ts";
import type { LeaseDocument } from "../../runbooks/engine/lease.ts";
import { startTestAws, type TestAws } from "../../sandbox/aws/test-server.ts";
import { worldEnvironment } from "../support/service-world.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { waitFor } from "../support/wait-for.ts";
import { workflows } from "./read.ts";

setDefaultTimeout(60_000);

const root = join(import.meta.dirname, "../..");
const bucket = "roundtrip-dev";
const region = "us-east-1";
/** Longer than any of these tests: only a signal ends the step. */
const silentMs = 120_000;

/** An environment of its own for each test: an interrupted operation stays open there. */
async function startEnvironment(): Promise<TestAws> {
  const aws = await startTestAws();
  await new S3Client({ forcePathStyle: true }).send(new CreateBucketCommand({ Bucket: bucket }));
  const replicationTasks = [{ id: "shop", arn: "arn:aws:dms:us-east-1:123456789012:task:SHOP" }];
  const environment = { ...worldEnvironment, environment: "dev", region, bucket, replicationTasks };
  const Name = "/roundtrip/dev/environment";
  const Value = JSON.stringify(environment);
  await new SSMClient({}).send(new PutParameterCommand({ Name, Value, Type: "String" }));
  return aws;
}

/** The step of tasks-pause as GitHub's runner starts it: a file for bash, whose own process gets the signals. */
function startStep(folder: string): Bun.Subprocess<"ignore", "pipe", "pipe"> {
  const steps = workflows.find(({ file }) => file === "tasks-pause")!.jobs.run!.steps!;
  const step = steps.find(({ name }) => name === "tasks-pause")!;
  const script = join(folder, "step.sh");
  writeFileSync(script, step.run!);
  return Bun.spawn(["bash", "-e", script], {
    cwd: root,
    env: {
      ...process.env,
      PATH: `${join(root, "node_modules/.bin")}:${process.env.PATH}`,
      GITHUB_STEP_SUMMARY: join(folder, "summary.md"),
      RUNBOOK_ENVIRONMENT: "dev",
      RUNBOOK_MODE: "run",
      RUNBOOK_TASKS: "all",
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
}

test.each(["SIGINT", "SIGTERM"] as const)(
  "%s: the summary says so, and the lease is given back for the next run",
  async (signal) => {
    await using aws = await startEnvironment();
    const folder = temporaryFolder("roundtrip-cancel");
    await aws.control("POST", "faults", { service: "dms", action: { delayMs: silentMs } });
    const step = startStep(folder);
    using _ended = { [Symbol.dispose]: () => step.kill("SIGKILL") };
    const ended = step.exited;
    const output = Promise.all([new Response(step.stdout).text(), new Response(step.stderr).text()]);
    const isAsked = async () =>
      ((await aws.control("GET", "faults")) as { fired?: number }[]).some(({ fired = 0 }) => fired > 0);
    await waitFor("DMS to be asked", isAsked, 30_000);
    step.kill(signal);
    expect(await ended).toBe(20);
    await output;
    const summary = readFileSync(join(folder, "summary.md"), "utf8");
    expect(summary).toStartWith("## ❌ tasks-pause stopped at step check-tasks\n");
    expect(summary).toContain("- **Got**: the run was interrupted");
    const store = new S3ObjectStore({ bucket, region });
    expect((await readJson<LeaseDocument>(store, leaseKey))?.value).toMatchObject({
      released: true,
      what: "tasks-pause",
    });
  },
);
