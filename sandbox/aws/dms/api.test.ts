import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateEndpointCommand,
  CreateReplicationInstanceCommand,
  CreateReplicationSubnetGroupCommand,
  CreateReplicationTaskCommand,
  DatabaseMigrationServiceClient,
  DeleteReplicationInstanceCommand,
  DeleteReplicationTaskCommand,
  DescribeConnectionsCommand,
  DescribeEndpointsCommand,
  DescribeReplicationInstancesCommand,
  DescribeReplicationTasksCommand,
  DescribeTableStatisticsCommand,
  ListTagsForResourceCommand,
  ModifyReplicationTaskCommand,
  ReloadTablesCommand,
  StartReplicationTaskCommand,
  StopReplicationTaskCommand,
  TestConnectionCommand,
} from "@aws-sdk/client-database-migration-service";
import { defaultCredentials } from "../identity.ts";
import { type AwsServer, startAws } from "../server.ts";

let directory: string;
let server: AwsServer;
let dms: DatabaseMigrationServiceClient;
const created: { source: string; target: string; instance: string } = {
  source: "",
  target: "",
  instance: "",
};

const mappings = JSON.stringify({
  rules: [
    {
      "rule-type": "selection",
      "rule-id": "1",
      "rule-name": "1",
      "object-locator": { "schema-name": "shop", "table-name": "orders" },
      "rule-action": "explicit",
    },
  ],
});

async function startServer(): Promise<void> {
  server = await startAws({ dir: directory, port: 0, region: "us-east-1" });
  dms = new DatabaseMigrationServiceClient({
    endpoint: server.url,
    region: "us-east-1",
    credentials: defaultCredentials,
    maxAttempts: 1,
  });
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "dms-api-"));
  await startServer();
  await fetch(`${server.url}/_sandbox/dms`, {
    method: "POST",
    body: JSON.stringify({ settleMs: 20, sourceLostMs: 300 }),
  });
  await dms.send(
    new CreateReplicationSubnetGroupCommand({
      ReplicationSubnetGroupIdentifier: "Private",
      ReplicationSubnetGroupDescription: "private subnets",
      SubnetIds: ["subnet-1", "subnet-2"],
    }),
  );
  const instance = await dms.send(
    new CreateReplicationInstanceCommand({
      ReplicationInstanceIdentifier: "Mover",
      ReplicationInstanceClass: "dms.t3.medium",
      ReplicationSubnetGroupIdentifier: "private",
      Tags: [{ Key: "environment", Value: "dev" }],
    }),
  );
  created.instance = instance.ReplicationInstance!.ReplicationInstanceArn!;
  const endpoint = async (id: string, type: "source" | "target", engine: string) =>
    (
      await dms.send(
        new CreateEndpointCommand({
          EndpointIdentifier: id,
          EndpointType: type,
          EngineName: engine,
          Username: "root",
          Password: "never shown",
          ServerName: "127.0.0.1",
          Port: 1,
        }),
      )
    ).Endpoint!.EndpointArn!;
  created.source = await endpoint("mongo", "source", "mongodb");
  created.target = await endpoint("docdb", "target", "docdb");
  await until(async () => {
    const { ReplicationInstances } = await dms.send(new DescribeReplicationInstancesCommand({}));
    return ReplicationInstances?.[0]?.ReplicationInstanceStatus === "available";
  });
});

afterAll(async () => {
  dms.destroy();
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error("the condition was not met within 10 s");
    await Bun.sleep(10);
  }
}

async function statusOf(arn: string) {
  const { ReplicationTasks } = await dms.send(
    new DescribeReplicationTasksCommand({ Filters: [{ Name: "replication-task-arn", Values: [arn] }] }),
  );
  return ReplicationTasks![0]!;
}

async function createTask(id: string): Promise<string> {
  const { ReplicationTask } = await dms.send(
    new CreateReplicationTaskCommand({
      ReplicationTaskIdentifier: id,
      SourceEndpointArn: created.source,
      TargetEndpointArn: created.target,
      ReplicationInstanceArn: created.instance,
      MigrationType: "full-load-and-cdc",
      TableMappings: mappings,
    }),
  );
  expect(ReplicationTask!.Status).toBe("creating");
  const arn = ReplicationTask!.ReplicationTaskArn!;
  await until(async () => (await statusOf(arn)).Status === "ready");
  return arn;
}

const refused = (promise: Promise<unknown>) =>
  promise.then(
    () => "accepted",
    (error: Error) => error.name,
  );

test("a password is never shown, the endpoint's type is in capitals, and tags come back", async () => {
  const { Endpoints } = await dms.send(
    new DescribeEndpointsCommand({ Filters: [{ Name: "endpoint-id", Values: ["mongo"] }] }),
  );
  expect(Endpoints![0]!.EndpointType as string).toBe("SOURCE");
  expect(JSON.stringify(Endpoints)).not.toContain("never shown");
  const { TagList } = await dms.send(new ListTagsForResourceCommand({ ResourceArn: created.instance }));
  expect(TagList).toEqual([{ Key: "environment", Value: "dev", ResourceArn: created.instance }]);
});

test("filters that match nothing fail with ResourceNotFoundFault, unknown ones with InvalidParameterValue", async () => {
  const filters = { Filters: [{ Name: "replication-task-id", Values: ["nobody"] }] };
  expect(await refused(dms.send(new DescribeReplicationTasksCommand(filters)))).toBe("ResourceNotFoundFault");
  expect(
    await refused(
      dms.send(new DescribeReplicationTasksCommand({ Filters: [{ Name: "colour", Values: ["x"] }] })),
    ),
  ).toBe("InvalidParameterValueException");
});

test("an endpoint takes a secret or clear text, not both", async () => {
  const both = new CreateEndpointCommand({
    EndpointIdentifier: "both",
    EndpointType: "source",
    EngineName: "mongodb",
    MongoDbSettings: {
      SecretsManagerSecretId: "s",
      SecretsManagerAccessRoleArn: "arn:aws:iam::1:role/r",
      ServerName: "h",
    },
  });
  expect(await refused(dms.send(both))).toBe("InvalidParameterCombinationException");
});

test("a connection test against a closed port fails and says so, and a failed test stops a start", async () => {
  await dms.send(
    new TestConnectionCommand({ EndpointArn: created.source, ReplicationInstanceArn: created.instance }),
  );
  await until(async () => {
    const { Connections } = await dms.send(new DescribeConnectionsCommand({}));
    return (
      Connections![0]!.Status === "failed" &&
      (Connections![0]!.LastFailureMessage ?? "").includes("Failed to connect")
    );
  });
  const arn = await createTask("tested");
  const start = new StartReplicationTaskCommand({
    ReplicationTaskArn: arn,
    StartReplicationTaskType: "start-replication",
  });
  expect(await refused(dms.send(start))).toBe("InvalidResourceStateFault");
  await dms.send(new DeleteReplicationTaskCommand({ ReplicationTaskArn: arn }));
  const { DeleteConnectionCommand } = await import("@aws-sdk/client-database-migration-service");
  await dms.send(
    new DeleteConnectionCommand({ EndpointArn: created.source, ReplicationInstanceArn: created.instance }),
  );
});

test("mappings DMS refuses are refused: wildcards in an explicit rule, a repeated rule id, no rule that includes", async () => {
  const rule = JSON.parse(mappings).rules[0];
  const wrong = [
    { rules: [{ ...rule, "object-locator": { "schema-name": "shop", "table-name": "%" } }] },
    { rules: [rule, { ...rule, "rule-name": "2" }] },
    { rules: [{ ...rule, "rule-action": "exclude" }] },
  ];
  for (const each of wrong) {
    const command = new CreateReplicationTaskCommand({
      ReplicationTaskIdentifier: "wrong",
      SourceEndpointArn: created.source,
      TargetEndpointArn: created.target,
      ReplicationInstanceArn: created.instance,
      MigrationType: "full-load-and-cdc",
      TableMappings: JSON.stringify(each),
    });
    expect(await refused(dms.send(command))).toBe("InvalidParameterValueException");
  }
});

test("start types are legal only where DMS allows them, and a task whose source is gone ends failed and recoverable", async () => {
  const arn = await createTask("story");
  const start = (type: "start-replication" | "resume-processing" | "reload-target") =>
    dms.send(new StartReplicationTaskCommand({ ReplicationTaskArn: arn, StartReplicationTaskType: type }));
  expect(await refused(start("resume-processing"))).toBe("InvalidParameterCombinationException");
  expect(await refused(start("reload-target"))).toBe("InvalidParameterCombinationException");
  expect(await refused(dms.send(new StopReplicationTaskCommand({ ReplicationTaskArn: arn })))).toBe(
    "InvalidResourceStateFault",
  );
  expect((await start("start-replication")).ReplicationTask!.Status).toBe("starting");
  await until(async () => (await statusOf(arn)).Status === "running");
  expect(await refused(start("resume-processing"))).toBe("InvalidResourceStateFault");
  expect(await refused(dms.send(new DeleteReplicationTaskCommand({ ReplicationTaskArn: arn })))).toBe(
    "InvalidResourceStateFault",
  );
  expect(
    await refused(
      dms.send(new ModifyReplicationTaskCommand({ ReplicationTaskArn: arn, TableMappings: mappings })),
    ),
  ).toBe("InvalidResourceStateFault");
  expect(
    await refused(
      dms.send(new DeleteReplicationInstanceCommand({ ReplicationInstanceArn: created.instance })),
    ),
  ).toBe("InvalidResourceStateFault");
  const eleven = Array.from({ length: 11 }, (_, index) => ({ SchemaName: "shop", TableName: `t${index}` }));
  expect(
    await refused(dms.send(new ReloadTablesCommand({ ReplicationTaskArn: arn, TablesToReload: eleven }))),
  ).toBe("InvalidParameterValueException");
  await until(async () => (await statusOf(arn)).Status === "failed");
  const failed = await statusOf(arn);
  expect(failed.StopReason).toBe("Stop Reason RECOVERABLE_ERROR");
  expect(failed.LastFailureMessage).toContain("Last Error");
  expect(await refused(start("start-replication"))).toBe("InvalidParameterCombinationException");
  await dms.send(new ModifyReplicationTaskCommand({ ReplicationTaskArn: arn, TableMappings: mappings }));
  await until(async () => (await statusOf(arn)).Status === "stopped");
  await dms.send(new DeleteReplicationTaskCommand({ ReplicationTaskArn: arn }));
  await until(async () => (await refused(statusOf(arn))) === "ResourceNotFoundFault");
});

test("a running task goes on after the stand-in was started again, and keeps its settings", async () => {
  const arn = await createTask("lasting");
  await dms.send(
    new StartReplicationTaskCommand({
      ReplicationTaskArn: arn,
      StartReplicationTaskType: "start-replication",
    }),
  );
  await fetch(`${server.url}/_sandbox/dms`, {
    method: "POST",
    body: JSON.stringify({ taskId: "lasting", sourceLostMs: 600_000 }),
  });
  await until(async () => (await statusOf(arn)).Status === "running");
  await server.stop();
  await startServer();
  expect((await statusOf(arn)).Status).toBe("running");
  await until(async () => ((await statusOf(arn)).LastFailureMessage ?? "").includes("Last Error"));
  await dms.send(new StopReplicationTaskCommand({ ReplicationTaskArn: arn }));
  await until(async () => (await statusOf(arn)).Status === "stopped");
  expect((await statusOf(arn)).StopReason).toBe("Stop Reason NORMAL");
});

test("pages of table statistics hold between 20 and 500 rows", async () => {
  const arn = await createTask("pages");
  const ask = (MaxRecords: number) =>
    dms.send(new DescribeTableStatisticsCommand({ ReplicationTaskArn: arn, MaxRecords }));
  expect(await refused(ask(19))).toBe("InvalidParameterValueException");
  expect((await ask(500)).TableStatistics).toEqual([]);
});
