import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EC2Client, StartInstancesCommand, StopInstancesCommand } from "@aws-sdk/client-ec2";
import { AwsInstances } from "../../../adapters/aws/instances.ts";
import { startHost, steerHost } from "../../up/host.ts";
import { startTestAws, type TestAws } from "../test-server.ts";

setDefaultTimeout(30_000);
const instanceId = "i-0deadbeef0000000";
let aws: TestAws;
let instances: AwsInstances;

beforeEach(async () => {
  aws = await startTestAws();
  instances = new AwsInstances();
  await aws.control("POST", "instances", { instanceId });
});
afterEach(() => aws[Symbol.asyncDispose]());

test("a start that a restart of the stand-in interrupted is finished", async () => {
  await aws.control("POST", "ec2", { pendingMs: 60_000 });
  await instances.start(instanceId);
  await aws.control("POST", "ec2", { pendingMs: 100 });
  await aws.restart();
  const until = Date.now() + 10_000;
  while ((await instances.state(instanceId)) !== "running" && Date.now() < until) await Bun.sleep(50);
  expect(await instances.state(instanceId)).toBe("running");
});

test("the states between are refused, one bad instance refuses them all", async () => {
  await aws.control("POST", "ec2", { pendingMs: 60_000 });
  const client = new EC2Client({ maxAttempts: 1 });
  await aws.control("POST", "instances", { instanceId: "i-0deadbeef0000001" });
  await instances.start(instanceId);
  const stop = client.send(new StopInstancesCommand({ InstanceIds: [instanceId] }));
  expect(stop).rejects.toMatchObject({ name: "IncorrectInstanceState" });
  const both = client.send(
    new StartInstancesCommand({ InstanceIds: ["i-0deadbeef0000001", "i-0deadbeef0000009"] }),
  );
  expect(both).rejects.toMatchObject({ name: "InvalidInstanceID.NotFound" });
  await both.catch(() => {});
  expect(await instances.state("i-0deadbeef0000001")).toBe("stopped");
});

test("starting an instance boots its machine, stopping it shuts the machine down, and a host that starts late is booted", async () => {
  const folder = mkdtempSync(join(tmpdir(), "rt-ec2-"));
  try {
    await aws.control("POST", "ec2", { pendingMs: 50, stoppingMs: 50, agentDelayMs: 50 });
    await instances.start(instanceId);
    await using host = await startHost({ dir: join(folder, "host"), aws: { url: aws.url, instanceId } });
    await instances.waitReady(instanceId, 20);
    expect(await steerHost(host, "status")).toMatchObject({ running: true });
    await instances.stop(instanceId);
    await instances.waitStopped(instanceId, 20);
    expect(await steerHost(host, "status")).toMatchObject({ running: false });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("settings that aren't there or of another type are refused", async () => {
  expect(aws.control("POST", "ec2", { pendingSeconds: 1 })).rejects.toThrow("no setting pendingSeconds");
  expect(aws.control("POST", "ec2", { pendingMs: "soon" })).rejects.toThrow("expected a number");
});
