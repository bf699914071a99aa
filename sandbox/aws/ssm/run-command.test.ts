import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import * as sdk from "@aws-sdk/client-ssm";
import { AwsInstances } from "../../../adapters/aws/instances.ts";
import { isAlive } from "../../host/processes.ts";
import { type HostHandle, startHost, steerHost, systemctl } from "../../up/host.ts";
import { startTestAws, type TestAws } from "../test-server.ts";
import { ssmDefaults } from "./settings.ts";

setDefaultTimeout(60_000);
const instanceId = "i-0facade0facade000";
let aws: TestAws;
let host: HostHandle;
let folder: string;
let ssm: sdk.SSMClient;
let counter = 0;
const instances = new AwsInstances();

beforeAll(async () => {
  aws = await startTestAws();
  ssm = new sdk.SSMClient({ maxAttempts: 1 });
  await aws.control("POST", "instances", { instanceId, tags: { role: "failback" } });
  await aws.control("POST", "ec2", { pendingMs: 50, stoppingMs: 50, agentDelayMs: 50 });
  await quick();
  folder = mkdtempSync(join(tmpdir(), "rt-run-command-"));
  host = await startHost({ dir: join(folder, "host"), aws: { url: aws.url, instanceId } });
  await instances.start(instanceId);
  await instances.waitReady(instanceId, 20);
}, 60_000);

afterAll(async () => {
  await host?.stop();
  await aws?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function quick(): Promise<void> {
  await aws.control("POST", "ssm", { ...ssmDefaults, invisibleMs: 0, invisibleCalls: 0, deliveryMs: 0 });
}

type Step = { name: string; lines: string[]; inputs?: object; precondition?: object };

async function create(steps: readonly Step[], parameters: object = {}): Promise<string> {
  const Name = `rt-run-${process.pid}-${++counter}`;
  const mainSteps = steps.map(({ name, lines, inputs, precondition }) => ({
    action: "aws:runShellScript",
    name,
    ...(precondition ? { precondition } : {}),
    inputs: { runCommand: lines, timeoutSeconds: "60", ...inputs },
  }));
  const Content = JSON.stringify({ schemaVersion: "2.2", parameters, mainSteps });
  await ssm.send(new sdk.CreateDocumentCommand({ Name, Content, DocumentType: "Command" }));
  return Name;
}

async function send(DocumentName: string, more: Partial<sdk.SendCommandCommandInput> = {}): Promise<string> {
  const input = { DocumentName, InstanceIds: [instanceId], ...more };
  return (await ssm.send(new sdk.SendCommandCommand(input))).Command!.CommandId!;
}

function read(CommandId: string, PluginName?: string): Promise<sdk.GetCommandInvocationCommandOutput> {
  return ssm.send(new sdk.GetCommandInvocationCommand({ CommandId, InstanceId: instanceId, PluginName }));
}

async function finish(id: string, plugin?: string): Promise<sdk.GetCommandInvocationCommandOutput> {
  for (let turn = 0; turn < 400; turn++) {
    const answer = await read(id, plugin);
    if (!["Pending", "InProgress", "Delayed", "Cancelling"].includes(answer.Status!)) return answer;
    await Bun.sleep(25);
  }
  throw new Error(`command ${id} didn't end`);
}

async function run(lines: string[], parameters: object = {}, values: Record<string, string[]> = {}) {
  return finish(await send(await create([{ name: "run", lines }], parameters), { Parameters: values }));
}

async function nameOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "none",
    (error: Error) => error.name,
  );
}

describe("eventual consistency", () => {
  test("by default a fresh invocation isn't there for a while, and for some calls whatever the time", async () => {
    await aws.control("POST", "ssm", ssmDefaults);
    try {
      const id = await send(await create([{ name: "run", lines: ["true"] }]));
      const began = Date.now();
      let misses = 0;
      for (; (await nameOf(read(id))) === "InvocationDoesNotExist"; misses++) await Bun.sleep(50);
      expect(misses).toBeGreaterThanOrEqual(ssmDefaults.invisibleCalls);
      expect(Date.now() - began).toBeGreaterThan(ssmDefaults.invisibleMs - 400);
      const second = await send(await create([{ name: "run", lines: ["true"] }]));
      await Bun.sleep(ssmDefaults.invisibleMs + 100);
      expect(await nameOf(read(second))).toBe("InvocationDoesNotExist");
    } finally {
      await quick();
    }
  });

  test("a command nobody sent is never there", async () => {
    expect(await nameOf(read("00000000-0000-4000-8000-000000000000"))).toBe("InvocationDoesNotExist");
  });
});

describe("steps", () => {
  test("a failed step doesn't end the document unless it says so; finallyStep runs all the same", async () => {
    const goesOn = await send(
      await create([
        { name: "one", lines: ["exit 7"] },
        { name: "two", lines: ["echo two"] },
      ]),
    );
    expect(await finish(goesOn, "two")).toMatchObject({ Status: "Success", StandardOutputContent: "two\n" });
    expect(await finish(goesOn, "one")).toMatchObject({ Status: "Failed", ResponseCode: 7 });
    const ends = await send(
      await create([
        { name: "one", lines: ["exit 7"], inputs: { onFailure: "exit" } },
        { name: "two", lines: ["echo two > /root/two"] },
        { name: "three", lines: ["echo three"], inputs: { finallyStep: true } },
      ]),
    );
    expect(await finish(ends, "three")).toMatchObject({
      Status: "Success",
      StandardOutputContent: "three\n",
    });
    expect((await finish(ends, "two")).StandardOutputContent).toContain("skipped");
    expect(existsSync(join(folder, "host/root/two"))).toBe(false);
  });

  test("a document of several steps needs PluginName, and it must be one of them", async () => {
    const id = await send(
      await create([
        { name: "one", lines: ["true"] },
        { name: "two", lines: ["true"] },
      ]),
    );
    expect(await nameOf(read(id))).toBe("InvalidPluginName");
    expect(await nameOf(read(id, "three"))).toBe("InvalidPluginName");
  });

  test("a step for Windows is left out on Linux", async () => {
    const onlyWindows = { StringEquals: ["platformType", "Windows"] };
    const id = await send(
      await create([
        { name: "windows", lines: ["echo wrong > /root/windows"], precondition: onlyWindows },
        { name: "linux", lines: ["echo right"] },
      ]),
    );
    expect((await finish(id, "linux")).StandardOutputContent).toBe("right\n");
    expect(existsSync(join(folder, "host/root/windows"))).toBe(false);
  });

  test("the exit code before the start is -1, the workingDirectory is the machine's", async () => {
    await aws.control("POST", "ssm", { deliveryMs: 500 });
    try {
      const lines = ["pwd", "echo $SSM_COMMAND_ID $AWS_SSM_INSTANCE_ID"];
      const id = await send(await create([{ name: "run", lines, inputs: { workingDirectory: "/root" } }]));
      expect(await read(id)).toMatchObject({
        Status: "Pending",
        ResponseCode: -1,
        StandardOutputContent: "",
      });
      const done = await finish(id);
      expect(done.StandardOutputContent).toBe(`${join(folder, "host/root")}\n${id} ${instanceId}\n`);
      expect(done.ExecutionElapsedTime).toMatch(/^PT[\d.]+S$/);
    } finally {
      await quick();
    }
  });
});

describe("output", () => {
  test("is cut in the answer and whole in the bucket", async () => {
    const s3 = new S3Client({ forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: "rt-output" }));
    const lines = ["head -c 30000 /dev/zero | tr '\\0' a", "head -c 9000 /dev/zero | tr '\\0' b >&2"];
    const id = await send(await create([{ name: "run", lines }]), {
      OutputS3BucketName: "rt-output",
      OutputS3KeyPrefix: "commands",
    });
    const answer = await finish(id);
    expect([answer.StandardOutputContent!.length, answer.StandardErrorContent!.length]).toEqual([
      24_000, 8_000,
    ]);
    expect(answer.StandardOutputContent).toEndWith("---Output truncated---");
    const prefix = `commands/${id}/${instanceId}/awsrunShellScript/run`;
    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: "rt-output" }));
    expect(Contents?.map(({ Key }) => Key)).toEqual([`${prefix}/stderr`, `${prefix}/stdout`]);
    const object = await s3.send(new GetObjectCommand({ Bucket: "rt-output", Key: `${prefix}/stdout` }));
    expect((await object.Body!.transformToString()).length).toBe(30_000);
  });
});

describe("parameters", () => {
  const definitions = {
    mode: { type: "String", allowedValues: ["plan", "run"], interpolationType: "ENV_VAR" },
    name: { type: "String", allowedPattern: "^[a-z]{1,8}$", interpolationType: "ENV_VAR", default: "abc" },
    list: { type: "StringList", default: ["x"] },
  };

  test("are checked at the API: value, pattern, number, name, presence", async () => {
    const name = await create([{ name: "run", lines: ["true"] }], definitions);
    const bad: Record<string, string[]>[] = [
      { mode: ["apply"] },
      { mode: ["run"], name: ["ABC"] },
      { mode: ["run"], name: ["abc\nabc"] },
      { mode: ["run", "plan"] },
      { mode: ["run"], other: ["x"] },
      {},
    ];
    for (const Parameters of bad) expect(await nameOf(send(name, { Parameters }))).toBe("InvalidParameters");
    expect(await nameOf(send(name, { Parameters: { mode: ["run"], name: ["abc"] } }))).toBe("none");
  });

  test("an old agent pastes an ENV_VAR value into the script; the documented fallback covers both", async () => {
    const definition = { who: { type: "String", interpolationType: "ENV_VAR" } };
    const lines = ['if [ -z "${SSM_who+x}" ]; then export SSM_who="{{ who }}"; fi', 'printf "%s" "$SSM_who"'];
    expect((await run(lines, definition, { who: ["$(echo pasted)"] })).StandardOutputContent).toBe(
      "$(echo pasted)",
    );
    await aws.control("POST", "ssm", { agentGeneration: "text" });
    try {
      expect((await run(lines, definition, { who: ["$(echo pasted)"] })).StandardOutputContent).toBe(
        "pasted",
      );
      const { InstanceInformationList: list } = await ssm.send(
        new sdk.DescribeInstanceInformationCommand({}),
      );
      expect(list![0]!.AgentVersion).toBe("3.3.1611.0");
    } finally {
      await quick();
    }
  });

  test("documents that could not work are refused when they are made", async () => {
    const step = [{ name: "run", lines: ["true"] }];
    expect(await nameOf(create(step, { with_underscore: { type: "String" } }))).toBe(
      "InvalidDocumentContent",
    );
    expect(await nameOf(create(step, { list: { type: "StringList", interpolationType: "ENV_VAR" } }))).toBe(
      "InvalidDocumentContent",
    );
    expect(await nameOf(create(step, { a: { type: "String", default: "z", allowedValues: ["y"] } }))).toBe(
      "InvalidDocumentContent",
    );
    expect(await nameOf(create([{ name: "run", lines: ["echo {{ nobody }}"] }]))).toBe(
      "InvalidDocumentContent",
    );
    expect(await nameOf(create([...step, ...step]))).toBe("InvalidDocumentContent");
  });
});

describe("who may be reached", () => {
  test("AWS-RunShellScript is denied unless the account allows it", async () => {
    const input = { Parameters: { commands: ["echo any text"] } };
    expect(await nameOf(send("AWS-RunShellScript", input))).toBe("AccessDeniedException");
    await aws.control("POST", "ssm", { allowRunShellScript: true });
    try {
      expect((await finish(await send("AWS-RunShellScript", input))).StandardOutputContent).toBe(
        "any text\n",
      );
    } finally {
      await quick();
    }
  });

  test("targets by tag, delivery limits, and an instance that isn't managed", async () => {
    const name = await create([{ name: "run", lines: ["true"] }]);
    const byTag = await ssm.send(
      new sdk.SendCommandCommand({
        DocumentName: name,
        Targets: [{ Key: "tag:role", Values: ["failback"] }],
      }),
    );
    expect(byTag.Command!.InstanceIds).toEqual([instanceId]);
    expect(await nameOf(send(name, { TimeoutSeconds: 29 }))).toBe("ValidationException");
    expect(await nameOf(send(name, { InstanceIds: ["i-00000000000000000"] }))).toBe("InvalidInstanceId");
    expect(await nameOf(send(name, { DocumentVersion: "9" }))).toBe("InvalidDocumentVersion");
  });

  test("commands are listed, newest first, and their invocations with the output cut", async () => {
    const id = await send(await create([{ name: "run", lines: ["head -c 3000 /dev/zero | tr '\\0' a"] }]), {
      Comment: "the note",
    });
    await finish(id);
    const { Commands } = await ssm.send(new sdk.ListCommandsCommand({}));
    expect(Commands![0]).toMatchObject({
      CommandId: id,
      Comment: "the note",
      Status: "Success",
      CompletedCount: 1,
      TargetCount: 1,
    });
    const { CommandInvocations } = await ssm.send(
      new sdk.ListCommandInvocationsCommand({ CommandId: id, Details: true }),
    );
    expect(CommandInvocations![0]!.CommandPlugins![0]!.Output!.length).toBe(2500);
  });
});

describe("ends that aren't the script's own", () => {
  test("a cancelled command is killed with everything it started", async () => {
    const id = await send(
      await create([{ name: "run", lines: ["sleep 600 & echo $! > /root/pid", "wait"] }]),
    );
    const pidFile = join(folder, "host/root/pid");
    while (!existsSync(pidFile) || readFileSync(pidFile, "utf8").trim() === "") await Bun.sleep(20);
    await ssm.send(new sdk.CancelCommandCommand({ CommandId: id }));
    expect(await finish(id)).toMatchObject({ Status: "Cancelled", ResponseCode: 137 });
    expect(isAlive(Number(readFileSync(pidFile, "utf8")))).toBe(false);
  });

  test("a machine that loses its power while it runs leaves the command in progress until its time is up", async () => {
    const id = await send(
      await create([{ name: "run", lines: ["echo begun; sleep 600"], inputs: { timeoutSeconds: "6" } }]),
    );
    while ((await read(id)).Status !== "InProgress") await Bun.sleep(20);
    await steerHost(host, "halt", { hard: true });
    await Bun.sleep(300);
    expect((await read(id)).Status).toBe("InProgress");
    await steerHost(host, "boot", {});
    expect(await finish(id)).toMatchObject({ Status: "TimedOut", StatusDetails: "ExecutionTimedOut" });
  });

  test("a kill fault reaches a unit by its name, and the unit's own policy brings it back", async () => {
    const text = "[Service]\nExecStart=/bin/sleep 600\nRestart=on-failure\nRestartSec=200ms\n";
    const unit = join(folder, "host/etc/systemd/system/victim.service");
    writeFileSync(unit, text);
    expect((await systemctl(host, "start", "victim")).status).toBe(0);
    const pid = async (): Promise<string> =>
      (await systemctl(host, "show", "-p", "MainPID", "--value", "victim")).stdout.trim();
    const first = await pid();
    const action = { kill: "victim.service" };
    await aws.control("POST", "faults", { service: "ssm", operation: "DescribeInstanceInformation", action });
    expect(await nameOf(ssm.send(new sdk.DescribeInstanceInformationCommand({})))).not.toBe("none");
    const until = Date.now() + 10_000;
    while (["0", first].includes(await pid()) && Date.now() < until) await Bun.sleep(20);
    expect(["0", first]).not.toContain(await pid());
    expect((await systemctl(host, "show", "-p", "NRestarts", "--value", "victim")).stdout).toBe("1\n");
    await systemctl(host, "stop", "victim");
  });

  test("a restart of the AWS stand-in loses neither a running command nor its output", async () => {
    const id = await send(await create([{ name: "run", lines: ["sleep 1; echo survived"] }]));
    while ((await read(id)).Status !== "InProgress") await Bun.sleep(20);
    await aws.restart();
    ssm = new sdk.SSMClient({ maxAttempts: 1 });
    expect((await finish(id)).StandardOutputContent).toBe("survived\n");
  });

  test("after a stop the agent still seems Online for a moment, then ConnectionLost; commands are refused at once", async () => {
    await aws.control("POST", "ssm", { connectionLostMs: 1500 });
    const ping = async () =>
      (await ssm.send(new sdk.DescribeInstanceInformationCommand({}))).InstanceInformationList![0]!
        .PingStatus;
    await instances.stop(instanceId);
    await instances.waitStopped(instanceId, 20);
    expect(await ping()).toBe("Online");
    expect(await nameOf(send(await create([{ name: "run", lines: ["true"] }])))).toBe("InvalidInstanceId");
    const until = Date.now() + 10_000;
    while ((await ping()) === "Online" && Date.now() < until) await Bun.sleep(50);
    expect(await ping()).toBe("ConnectionLost");
    await instances.start(instanceId);
    await instances.waitReady(instanceId, 20);
  });
});
