import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateDocumentCommand, ListCommandsCommand, SSMClient } from "@aws-sdk/client-ssm";
import type { RoundtripError } from "../../core/errors.ts";
import { startTestAws, type TestAws } from "../../sandbox/aws/test-server.ts";
import { type HostHandle, startHost } from "../../sandbox/up/host.ts";
import { AwsCommands } from "./commands.ts";
import { AwsInstances } from "./instances.ts";

setDefaultTimeout(30_000);
const instanceId = "i-0c0ffee0c0ffee000";
let aws: TestAws;
let host: HostHandle;
let folder: string;
let counter = 0;
const commands = new AwsCommands({ invisibleSecondsMax: 3 });

beforeAll(async () => {
  aws = await startTestAws();
  await aws.control("POST", "instances", { instanceId });
  await aws.control("POST", "ec2", { pendingMs: 50, agentDelayMs: 50 });
  await aws.control("POST", "ssm", { invisibleMs: 400, invisibleCalls: 1, deliveryMs: 50 });
  folder = mkdtempSync(join(tmpdir(), "rt-commands-"));
  host = await startHost({ dir: join(folder, "host"), aws: { url: aws.url, instanceId } });
  const instances = new AwsInstances();
  await instances.start(instanceId);
  await instances.waitReady(instanceId, 20);
}, 60_000);

afterAll(async () => {
  await host?.stop();
  await aws?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Makes a document that runs these lines; gives its name. */
async function document(
  lines: string[],
  parameters: Record<string, object> = {},
  timeoutSeconds = "30",
): Promise<string> {
  const Name = `rt-test-${process.pid}-${++counter}`;
  const mainSteps = [
    { action: "aws:runShellScript", name: "run", inputs: { runCommand: lines, timeoutSeconds } },
  ];
  const Content = JSON.stringify({ schemaVersion: "2.2", parameters, mainSteps });
  await new SSMClient({}).send(new CreateDocumentCommand({ Name, Content, DocumentType: "Command" }));
  return Name;
}

async function failureOf(call: Promise<unknown>): Promise<RoundtripError> {
  return call.then(
    () => Promise.reject(new Error("expected a failure")),
    (error: RoundtripError) => error,
  );
}

describe("a command", () => {
  test("runs on the host and gives exit code, stdout and stderr", async () => {
    const name = await document(["echo out", "echo err >&2", "exit 3"]);
    const id = await commands.send(instanceId, name, {});
    const result = await commands.wait(instanceId, id, 20);
    expect(result).toMatchObject({ commandId: id, status: "failed", exitCode: 3, stdout: "out\n" });
    expect(result.stderr).toStartWith("err\n");
  });

  test("never takes a parameter for shell text", async () => {
    const parameters = { value: { type: "String", interpolationType: "ENV_VAR" } };
    const name = await document(['printf %s "{{ value }}"'], parameters);
    const value = `$(touch /tmp/rt-injected) \`id\` "; exit 9; ' {{ value }} $$`;
    const id = await commands.send(instanceId, name, { value });
    expect(await commands.wait(instanceId, id, 20)).toMatchObject({ status: "success", stdout: value });
  });

  test("waited for by another program with only its id, also after the AWS stand-in was restarted", async () => {
    const name = await document(["sleep 1", "echo done"]);
    const id = await commands.send(instanceId, name, {});
    await aws.restart();
    const other = new AwsCommands();
    expect(await other.wait(instanceId, id, 20)).toMatchObject({ status: "success", stdout: "done\n" });
    expect(await commands.wait(instanceId, id, 20)).toMatchObject({ status: "success" });
  });

  test("that runs too long for its document is timed out", async () => {
    const name = await document(["sleep 60"], {}, "5");
    const id = await commands.send(instanceId, name, {});
    expect(await commands.wait(instanceId, id, 30)).toMatchObject({ status: "timed-out", exitCode: 137 });
  }, 40_000);

  test("whose end isn't seen in time is unknown, never success", async () => {
    const name = await document(["sleep 3"]);
    const id = await commands.send(instanceId, name, {});
    const failure = await failureOf(commands.wait(instanceId, id, 1));
    expect(failure).toMatchObject({ kind: "unknown", what: `wait for command ${id} on ${instanceId}` });
    expect(await commands.wait(instanceId, id, 20)).toMatchObject({ status: "success" });
  });

  test("nobody ever sent is missing, not waited for until the end", async () => {
    const began = performance.now();
    const failure = await failureOf(commands.wait(instanceId, "00000000-0000-4000-8000-000000000000", 60));
    expect(failure.kind).toBe("configuration");
    expect(performance.now() - began).toBeLessThan(15_000);
  }, 30_000);
});

describe("sending", () => {
  test("refused parameters, an unknown document and an unknown instance are told apart", async () => {
    const parameters = { mode: { type: "String", allowedValues: ["a"], interpolationType: "ENV_VAR" } };
    const name = await document(["true"], parameters);
    expect((await failureOf(commands.send(instanceId, name, { mode: "b" }))).kind).toBe("usage");
    expect((await failureOf(commands.send(instanceId, name, {}))).kind).toBe("usage");
    expect((await failureOf(commands.send(instanceId, "rt-nothing", {}))).kind).toBe("configuration");
    expect((await failureOf(commands.send("i-00000000000000000", name, { mode: "a" }))).kind).toBe(
      "unavailable",
    );
  });

  test("an answer that is lost after the effect doesn't run the command twice", async () => {
    const name = await document(["echo once >> $HOME/once.log", "cat $HOME/once.log"]);
    await aws.control("POST", "faults", {
      service: "ssm",
      operation: "SendCommand",
      nth: 1,
      when: "after",
      action: { reset: true },
    });
    const id = await commands.send(instanceId, name, {});
    expect(await commands.wait(instanceId, id, 20)).toMatchObject({ status: "success", stdout: "once\n" });
    const { Commands } = await new SSMClient({}).send(
      new ListCommandsCommand({ Filters: [{ key: "DocumentName", value: name }] }),
    );
    expect(Commands?.length).toBe(1);
  }, 30_000);

  test("a request that never arrived is sent again", async () => {
    const name = await document(["echo arrived"]);
    await aws.control("POST", "faults", {
      service: "ssm",
      operation: "SendCommand",
      nth: 1,
      when: "before",
      action: { status: 503, code: "ServiceUnavailable" },
    });
    const id = await commands.send(instanceId, name, {});
    expect(await commands.wait(instanceId, id, 20)).toMatchObject({ status: "success" });
  }, 40_000);

  test("a passing fault while waiting is waited out", async () => {
    const name = await document(["sleep 1"]);
    const id = await commands.send(instanceId, name, {});
    await aws.control("POST", "faults", {
      service: "ssm",
      operation: "GetCommandInvocation",
      nth: 2,
      times: 3,
      when: "before",
      action: { status: 500, code: "InternalServerError" },
    });
    expect(await commands.wait(instanceId, id, 20)).toMatchObject({ status: "success" });
  }, 30_000);
});
