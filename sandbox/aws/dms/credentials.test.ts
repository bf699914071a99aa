import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import {
  CreateEndpointCommand,
  CreateReplicationTaskCommand,
  DescribeReplicationTasksCommand,
  ModifyEndpointCommand,
  TestConnectionCommand,
} from "@aws-sdk/client-database-migration-service";
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { MongoClient } from "mongodb";
import { startDatabase, type TestDatabase } from "../../documentdb/testing/start.ts";
import { startTestAws, type TestAws } from "../test-server.ts";
import { endpointOf, mappingsOf, setUpDms, type TestDms, until } from "./testing/setup.ts";

setDefaultTimeout(40_000);

const roles = [{ role: "readWriteAnyDatabase", db: "admin" }];
let aws: TestAws;
let sourceDatabase: TestDatabase;
let targetDatabase: TestDatabase;
let source: MongoClient;
let target: MongoClient;
let dms: TestDms;
let endpoint = "";
let task = "";

const secret = (username: string, password: string) => {
  const { ServerName, Port } = endpointOf(targetDatabase.uri);
  return JSON.stringify({ username, password, host: ServerName, port: Port });
};
const rotate = (username: string, password: string) =>
  new SecretsManagerClient({}).send(
    new PutSecretValueCommand({ SecretId: "dms/target", SecretString: secret(username, password) }),
  );
const arrived = (id: number) => async () =>
  (await target
    .db("shop")
    .collection("orders")
    .findOne({ _id: id as never })) !== null;
const insert = (id: number) =>
  source
    .db("shop")
    .collection("orders")
    .insertOne({ _id: id as never });

beforeAll(async () => {
  [aws, sourceDatabase, targetDatabase] = await Promise.all([
    startTestAws(),
    startDatabase(),
    startDatabase(),
  ]);
  await aws.control("POST", "dms", { settleMs: 30, lagMs: 0 });
  source = await MongoClient.connect(sourceDatabase.uri);
  target = await MongoClient.connect(targetDatabase.uri);
  dms = await setUpDms(sourceDatabase.uri, targetDatabase.uri);
  await target.db("admin").command({ createUser: "one", pwd: "first", roles });
  await new SecretsManagerClient({}).send(
    new CreateSecretCommand({ Name: "dms/target", SecretString: secret("one", "first") }),
  );
  const made = await dms.client.send(
    new CreateEndpointCommand({
      EndpointIdentifier: "target-secret",
      EndpointType: "target",
      EngineName: "docdb",
      DocDbSettings: {
        SecretsManagerSecretId: "dms/target",
        SecretsManagerAccessRoleArn: "arn:aws:iam::123456789012:role/dms",
      },
    }),
  );
  endpoint = made.Endpoint!.EndpointArn!;
  await insert(1);
  const mapped = mappingsOf({ schema: "shop", table: "orders" });
  const pattern = await dms.createTask("pattern", mapped);
  const { ReplicationTasks } = await dms.client.send(new DescribeReplicationTasksCommand({}));
  const { SourceEndpointArn, ReplicationInstanceArn } = ReplicationTasks!.find(
    ({ ReplicationTaskArn }) => ReplicationTaskArn === pattern,
  )!;
  const created = await dms.client.send(
    new CreateReplicationTaskCommand({
      ReplicationTaskIdentifier: "orders",
      SourceEndpointArn,
      TargetEndpointArn: endpoint,
      ReplicationInstanceArn,
      MigrationType: "full-load-and-cdc",
      TableMappings: mapped,
    }),
  );
  task = created.ReplicationTask!.ReplicationTaskArn!;
  await dms.status(task, "ready");
  await dms.start(task);
  await until("it is loaded", arrived(1));
});
afterAll(async () => {
  await source?.close(true);
  await target?.close(true);
  await aws?.[Symbol.asyncDispose]();
  await targetDatabase?.[Symbol.asyncDispose]();
  await sourceDatabase?.[Symbol.asyncDispose]();
});

test("a running task stays with the login it began with, although the secret names another user now", async () => {
  await target.db("admin").command({ createUser: "two", pwd: "second", roles });
  await rotate("two", "second");
  await insert(2);
  await until("its change arrives", arrived(2));
  const { inprog } = await target.db("admin").command({ currentOp: 1, $all: true });
  const names = (inprog as { appName?: string; effectiveUsers?: { user: string }[] }[])
    .filter(({ appName }) => appName === "dms target-secret")
    .flatMap(({ effectiveUsers = [] }) => effectiveUsers.map(({ user }) => user));
  expect([...new Set(names)]).toEqual(["one"]);
});

test("without its user the task fails for good and says why; started again it has the new login and lost nothing", async () => {
  await target.db("admin").command({ dropUser: "one" });
  await insert(3);
  await dms.status(task, "failed");
  const failed = await dms.task(task);
  expect(failed.StopReason).toBe("Stop Reason FATAL_ERROR");
  expect(failed.LastFailureMessage).toContain("Authentication failed");
  expect(await arrived(3)()).toBe(false);
  await insert(4);
  await dms.start(task, "resume-processing");
  await until("both arrive", async () => (await arrived(3)()) && (await arrived(4)()));
});

test("an endpoint can't be changed while its task runs; stopped it can", async () => {
  const change = () =>
    dms.client
      .send(new ModifyEndpointCommand({ EndpointArn: endpoint, ExtraConnectionAttributes: "x=y" }))
      .then(
        () => "",
        (error: Error) => error.name,
      );
  expect(await change()).toBe("InvalidResourceStateFault");
  await dms.stop(task);
  expect(await change()).toBe("");
});

test("a second connection test while one is under way is refused", async () => {
  const { ReplicationInstanceArn = "" } = await dms.task(task);
  const tested = () =>
    dms.client.send(new TestConnectionCommand({ EndpointArn: endpoint, ReplicationInstanceArn })).then(
      () => "",
      (error: Error) => error.name,
    );
  expect(await tested()).toBe("");
  expect(await tested()).toBe("InvalidResourceStateFault");
});
