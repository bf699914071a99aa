import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import {
  CreateEndpointCommand,
  DescribeReplicationInstancesCommand,
} from "@aws-sdk/client-database-migration-service";
import { RoundtripError } from "../../core/errors.ts";
import { mappingsOf, setUpDms, type TestDms, until } from "../../sandbox/aws/dms/testing/setup.ts";
import { startTestAws, type TestAws } from "../../sandbox/aws/test-server.ts";
import { startDatabase, type TestDatabase } from "../../sandbox/documentdb/testing/start.ts";
import { AwsReplicationEndpoints } from "./replication-endpoints.ts";

setDefaultTimeout(40_000);

let aws: TestAws;
let database: TestDatabase;
let dms: TestDms;
let instance = "";
const endpoints = new AwsReplicationEndpoints({ attemptsMax: 2 });

beforeAll(async () => {
  [aws, database] = await Promise.all([startTestAws(), startDatabase()]);
  await aws.control("POST", "dms", { settleMs: 30, lagMs: 0 });
  dms = await setUpDms(database.uri, database.uri);
  const { ReplicationInstances } = await dms.client.send(new DescribeReplicationInstancesCommand({}));
  instance = ReplicationInstances![0]!.ReplicationInstanceArn!;
});
afterAll(async () => {
  await aws?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
});

test("endpoints are listed with the secret or the user they log in with, over all pages, and no password", async () => {
  const DocDbSettings = {
    SecretsManagerSecretId: "prod/dms",
    SecretsManagerAccessRoleArn: "arn:aws:iam::123456789012:role/dms",
  };
  for (let number = 0; number < 105; number++) {
    await dms.client.send(
      new CreateEndpointCommand({
        EndpointIdentifier: `page-${number}`,
        EndpointType: "target",
        EngineName: "docdb",
        DocDbSettings,
      }),
    );
  }
  const all = await endpoints.list();
  expect(all.length).toBe(107);
  expect(all.find(({ id }) => id === "page-104")).toMatchObject({ type: "target", secret: "prod/dms" });
  const clear = all.find(({ type }) => type === "source")!;
  expect([clear.secret, clear.username]).toEqual([undefined, "root"]);
  expect(JSON.stringify(all)).not.toContain(new URL(database.uri.replace("mongodb:", "http:")).password);
});

test("a task's endpoints, its instance and when it began to run; a task that isn't there is named", async () => {
  const arn = await dms.createTask("linked", mappingsOf({ schema: "shop", table: "orders" }));
  const [before] = await endpoints.links([arn]);
  expect(before).toMatchObject({ taskId: "linked", taskArn: arn, instanceArn: instance });
  expect(before!.startedAt).toBeUndefined();
  await dms.start(arn);
  await dms.status(arn, "running");
  const [running] = await endpoints.links([arn]);
  expect(Date.now() - running!.startedAt!.getTime()).toBeLessThan(30_000);
  expect(await endpoints.links([])).toEqual([]);
  const missing = `${arn}X`;
  const error = await endpoints.links([arn, missing]).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ kind: "configuration", got: `no ${missing}` });
  await dms.stop(arn);
});

test("a connection is tested and its end waited for; a failed one is a result in DMS's words", async () => {
  const all = await endpoints.list();
  const good = all.find(({ type }) => type === "source")!;
  expect(await endpoints.lastTest(good.arn, instance)).toBeUndefined();
  expect(await endpoints.test(good.arn, instance, 20)).toEqual({ status: "successful" });
  expect(await endpoints.lastTest(good.arn, instance)).toEqual({ status: "successful" });
  const bad = all.find(({ id }) => id === "page-1")!;
  const failed = await endpoints.test(bad.arn, instance, 20);
  expect(failed.status).toBe("failed");
  expect(failed.failure).toContain("prod/dms");
});

test("two tests at once both end with a test of their own", async () => {
  const good = (await endpoints.list()).find(({ type }) => type === "source")!;
  const both = await Promise.all([
    endpoints.test(good.arn, instance, 20),
    endpoints.test(good.arn, instance, 20),
  ]);
  expect(both).toEqual([{ status: "successful" }, { status: "successful" }]);
});

test("a test whose end isn't seen in time is unknown, not failed and not successful", async () => {
  await aws.control("POST", "dms", { settleMs: 3000 });
  try {
    const good = (await endpoints.list()).find(({ type }) => type === "source")!;
    const error = await endpoints.test(good.arn, instance, 0.3).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RoundtripError);
    expect((error as RoundtripError).kind).toBe("unknown");
    await until("the test ends all the same", async () => {
      return (await endpoints.lastTest(good.arn, instance))?.status === "successful";
    });
  } finally {
    await aws.control("POST", "dms", { settleMs: 30 });
  }
});
