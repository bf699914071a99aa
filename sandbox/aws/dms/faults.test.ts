import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import {
  CreateEndpointCommand,
  DescribeConnectionsCommand,
  DescribeReplicationInstancesCommand,
  TestConnectionCommand,
} from "@aws-sdk/client-database-migration-service";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { MongoClient } from "mongodb";
import { startDatabase, type TestDatabase } from "../../documentdb/testing/start.ts";
import { startTestAws, type TestAws } from "../test-server.ts";
import { endpointOf, mappingsOf, setUpDms, type TestDms, until } from "./testing/setup.ts";

setDefaultTimeout(40_000);

let aws: TestAws;
let sourceDatabase: TestDatabase;
let targetDatabase: TestDatabase;
let source: MongoClient;
let target: MongoClient;
let dms: TestDms;
let schema = "";
let scenario = 0;

beforeAll(async () => {
  [aws, sourceDatabase, targetDatabase] = await Promise.all([
    startTestAws(),
    startDatabase(),
    startDatabase(),
  ]);
  await aws.control("POST", "dms", { settleMs: 20, lagMs: 0, sourceLostMs: 60_000 });
  source = await MongoClient.connect(sourceDatabase.uri);
  target = await MongoClient.connect(targetDatabase.uri);
  dms = await setUpDms(sourceDatabase.uri, targetDatabase.uri);
});
afterAll(async () => {
  await source?.close(true);
  await target?.close(true);
  await aws?.[Symbol.asyncDispose]();
  await targetDatabase?.[Symbol.asyncDispose]();
  await sourceDatabase?.[Symbol.asyncDispose]();
});
beforeEach(() => {
  schema = `shop${++scenario}`;
});

const arrived = (table: string, id: unknown) => async () =>
  (await target
    .db(schema)
    .collection(table)
    .findOne({ _id: id as never })) !== null;

async function loaded(id: string, table = "orders", settings = {}): Promise<string> {
  const arn = await dms.createTask(id, mappingsOf({ schema, table }), { settings });
  await dms.start(arn);
  await until(
    "it is loaded",
    async () => (await dms.table(arn, schema, table))?.TableState === "Table completed",
  );
  return arn;
}

test("an oplog that no longer holds the checkpoint fails the task for good; reloading starts anew", async () => {
  const orders = source.db(schema).collection("orders");
  await orders.insertOne({ _id: 1 as never });
  const arn = await loaded(`rolled-${schema}`);
  await dms.stop(arn);
  await orders.insertOne({ _id: 2 as never });
  await source.db("admin").command({ _sandbox: "truncateOplog" });
  await orders.insertOne({ _id: 3 as never });
  await dms.start(arn, "resume-processing");
  await dms.status(arn, "failed");
  const failed = await dms.task(arn);
  expect(failed.StopReason).toBe("Stop Reason FATAL_ERROR");
  expect(failed.LastFailureMessage).toContain("no longer holds the checkpoint");
  expect(await arrived("orders", 2)()).toBe(false);
  await dms.start(arn, "reload-target");
  await until("all is there", async () => (await arrived("orders", 2)()) && (await arrived("orders", 3)()));
  await orders.insertOne({ _id: 4 as never });
  await until("and changes follow", arrived("orders", 4));
  await dms.stop(arn);
});

test("a change the target refuses is logged, and those after it are applied", async () => {
  const orders = source.db(schema).collection("orders");
  await orders.insertOne({ _id: 1 as never, number: 1 });
  const id = `refused-${schema}`;
  const arn = await loaded(id);
  await target.db(schema).collection("orders").createIndex({ number: 1 }, { unique: true });
  await orders.insertMany([
    { _id: 2 as never, number: 1 },
    { _id: 3 as never, number: 3 },
  ]);
  await until("the one after it arrived", arrived("orders", 3));
  expect(await arrived("orders", 2)()).toBe(false);
  const state = (await aws.control("GET", "dms")) as {
    tasks: { id: string; exceptions: { table: string; error: string }[] }[];
  };
  const { exceptions } = state.tasks.find((task) => task.id === id)!;
  expect(exceptions).toHaveLength(1);
  expect(exceptions[0]).toMatchObject({ table: `${schema}.orders` });
  expect(exceptions[0]!.error).toContain("11000");
  await dms.stop(arn);
});

test("a dropped collection is dropped on the target too, unless the task's settings say otherwise", async () => {
  for (const table of ["follows", "stays"])
    await source
      .db(schema)
      .collection(table)
      .insertOne({ _id: 1 as never });
  const follows = await loaded(`follows-${schema}`, "follows");
  const stays = await loaded(`stays-${schema}`, "stays", {
    ChangeProcessingDdlHandlingPolicy: { HandleSourceTableDropped: false },
  });
  for (const table of ["follows", "stays"]) {
    await source.db(schema).collection(table).drop();
    await source
      .db(schema)
      .collection(table)
      .insertOne({ _id: 2 as never });
    await until(`${table} goes on`, arrived(table, 2));
  }
  expect(await arrived("follows", 1)()).toBe(false);
  expect(await arrived("stays", 1)()).toBe(true);
  await dms.stop(follows);
  await dms.stop(stays);
});

test("paused it applies nothing and stays running; what it had not applied when the source died, it never has", async () => {
  const orders = source.db(schema).collection("orders");
  await orders.insertOne({ _id: 1 as never });
  const id = `paused-${schema}`;
  const arn = await loaded(id);
  await aws.control("POST", "dms", { taskId: id, paused: true });
  await Bun.sleep(300);
  await orders.insertOne({ _id: 2 as never });
  await Bun.sleep(600);
  expect(await arrived("orders", 2)()).toBe(false);
  expect((await dms.task(arn)).Status).toBe("running");
  const checkpoint = (await dms.task(arn)).RecoveryCheckpoint;
  sourceDatabase.process.kill("SIGSTOP");
  try {
    await aws.control("POST", "dms", { taskId: id, paused: false });
    await Bun.sleep(1_000);
    expect(await arrived("orders", 2)()).toBe(false);
    expect((await dms.task(arn)).RecoveryCheckpoint).toBe(checkpoint);
  } finally {
    sourceDatabase.process.kill("SIGCONT");
  }
  await until("with the source back it arrives", arrived("orders", 2));
  await dms.stop(arn);
});

test("an endpoint with a secret logs in with it; a secret that isn't there is named by the connection test", async () => {
  const { ServerName, Port, Username, Password } = endpointOf(sourceDatabase.uri);
  await new SecretsManagerClient({}).send(
    new CreateSecretCommand({
      Name: `dms/${schema}`,
      SecretString: JSON.stringify({ host: ServerName, port: Port, username: Username, password: Password }),
    }),
  );
  const { ReplicationInstances } = await dms.client.send(new DescribeReplicationInstancesCommand({}));
  const ReplicationInstanceArn = ReplicationInstances![0]!.ReplicationInstanceArn!;
  const tested = async (EndpointIdentifier: string, SecretsManagerSecretId: string) => {
    const { Endpoint } = await dms.client.send(
      new CreateEndpointCommand({
        EndpointIdentifier,
        EndpointType: "source",
        EngineName: "mongodb",
        MongoDbSettings: {
          SecretsManagerSecretId,
          SecretsManagerAccessRoleArn: "arn:aws:iam::123456789012:role/dms",
        },
      }),
    );
    const EndpointArn = Endpoint!.EndpointArn!;
    await dms.client.send(new TestConnectionCommand({ EndpointArn, ReplicationInstanceArn }));
    const connection = async () => {
      const Filters = [{ Name: "endpoint-arn", Values: [EndpointArn] }];
      return (await dms.client.send(new DescribeConnectionsCommand({ Filters }))).Connections![0]!;
    };
    await until("the test ended", async () => (await connection()).Status !== "testing");
    return connection();
  };
  expect((await tested(`secret-${schema}`, `dms/${schema}`)).Status).toBe("successful");
  const missing = await tested(`missing-${schema}`, "dms/nobody");
  expect(missing.Status).toBe("failed");
  expect(missing.LastFailureMessage).toContain("dms/nobody");
});

test("a wrong password fails a task for good, with the reason", async () => {
  await source.db("admin").command({ createUser: `dms-${schema}`, pwd: "right password", roles: ["root"] });
  const uri = sourceDatabase.uri.replace(/\/\/[^@]*@/, `//dms-${schema}:wrong@`);
  const wrong = await setUpDms(uri, targetDatabase.uri);
  const arn = await wrong.createTask(`wrong-${schema}`, mappingsOf({ schema, table: "orders" }));
  await wrong.start(arn);
  await wrong.status(arn, "failed");
  expect((await wrong.task(arn)).StopReason).toBe("Stop Reason FATAL_ERROR");
  expect((await wrong.task(arn)).LastFailureMessage).toContain("Authentication failed");
});

test("a user with SCRAM-SHA-256 alone is refused: DMS doesn't speak it", async () => {
  await source
    .db("admin")
    .command({ createUser: `sha-${schema}`, pwd: "right", roles: ["root"], mechanisms: ["SCRAM-SHA-256"] });
  const modern = await setUpDms(
    sourceDatabase.uri.replace(/\/\/[^@]*@/, `//sha-${schema}:right@`),
    targetDatabase.uri,
  );
  const arn = await modern.createTask(`sha-${schema}`, mappingsOf({ schema, table: "orders" }));
  await modern.start(arn);
  await modern.status(arn, "failed");
});
