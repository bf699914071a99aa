/** Endpoints, an instance and tasks on the stand-in, for tests that move data. */
import {
  CreateEndpointCommand,
  CreateReplicationInstanceCommand,
  CreateReplicationTaskCommand,
  DatabaseMigrationServiceClient,
  DescribeReplicationInstancesCommand,
  DescribeReplicationTasksCommand,
  DescribeTableStatisticsCommand,
  type MigrationTypeValue,
  type ReplicationTask,
  StartReplicationTaskCommand,
  type StartReplicationTaskTypeValue,
  StopReplicationTaskCommand,
  type TableStatistics,
} from "@aws-sdk/client-database-migration-service";

/** Waits for a condition, at most `seconds`. The message says what was waited for. */
export async function until(
  what: string,
  condition: () => Promise<boolean> | boolean,
  seconds = 15,
): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`within ${seconds} s this did not come true: ${what}`);
    await Bun.sleep(20);
  }
}

export interface Rule {
  readonly action?: "include" | "exclude" | "explicit";
  readonly schema: string;
  readonly table: string;
}

export function mappingsOf(...rules: readonly Rule[]): string {
  return JSON.stringify({
    rules: rules.map(({ action = "explicit", schema, table }, index) => ({
      "rule-type": "selection",
      "rule-id": String(index + 1),
      "rule-name": String(index + 1),
      "object-locator": { "schema-name": schema, "table-name": table },
      "rule-action": action,
    })),
  });
}

export interface TestDms {
  readonly client: DatabaseMigrationServiceClient;
  createTask(
    id: string,
    mappings: string,
    options?: { type?: MigrationTypeValue; settings?: object },
  ): Promise<string>;
  start(arn: string, type?: StartReplicationTaskTypeValue): Promise<void>;
  stop(arn: string): Promise<void>;
  task(arn: string): Promise<ReplicationTask>;
  table(arn: string, schema: string, table: string): Promise<TableStatistics | undefined>;
  status(arn: string, wanted: string): Promise<void>;
}

export function endpointOf(uri: string) {
  const { hostname, port, username, password } = new URL(
    uri.replace(/^mongodb:/, "http:").replace(/,[^/]*/, ""),
  );
  return {
    ServerName: hostname,
    Port: Number(port),
    Username: decodeURIComponent(username),
    Password: decodeURIComponent(password),
  };
}

/** A source endpoint for one connection string, a target endpoint for the other, and an available instance. */
export async function setUpDms(source: string, target: string): Promise<TestDms> {
  const client = new DatabaseMigrationServiceClient({ maxAttempts: 1 });
  const suffix = Math.random().toString(36).slice(2, 10);
  const endpoint = async (type: "source" | "target", engine: string, uri: string) => {
    const created = await client.send(
      new CreateEndpointCommand({
        EndpointIdentifier: `${type}-x${suffix}`,
        EndpointType: type,
        EngineName: engine,
        ...endpointOf(uri),
      }),
    );
    return created.Endpoint!.EndpointArn!;
  };
  const SourceEndpointArn = await endpoint("source", "mongodb", source);
  const TargetEndpointArn = await endpoint("target", "docdb", target);
  const instance = await client.send(
    new CreateReplicationInstanceCommand({
      ReplicationInstanceIdentifier: `mover-x${suffix}`,
      ReplicationInstanceClass: "dms.t3.medium",
    }),
  );
  const ReplicationInstanceArn = instance.ReplicationInstance!.ReplicationInstanceArn!;
  await until("the replication instance is available", async () => {
    const { ReplicationInstances } = await client.send(new DescribeReplicationInstancesCommand({}));
    return ReplicationInstances!.every(
      ({ ReplicationInstanceStatus }) => ReplicationInstanceStatus === "available",
    );
  });
  const dms: TestDms = {
    client,
    async createTask(id, TableMappings, { type = "full-load-and-cdc", settings = {} } = {}) {
      const created = await client.send(
        new CreateReplicationTaskCommand({
          ReplicationTaskIdentifier: id,
          SourceEndpointArn,
          TargetEndpointArn,
          ReplicationInstanceArn,
          MigrationType: type,
          TableMappings,
          ReplicationTaskSettings: JSON.stringify(settings),
        }),
      );
      const arn = created.ReplicationTask!.ReplicationTaskArn!;
      await dms.status(arn, "ready");
      return arn;
    },
    async start(arn, type = "start-replication") {
      await client.send(
        new StartReplicationTaskCommand({ ReplicationTaskArn: arn, StartReplicationTaskType: type }),
      );
    },
    async stop(arn) {
      await client.send(new StopReplicationTaskCommand({ ReplicationTaskArn: arn }));
      await dms.status(arn, "stopped");
    },
    async task(arn) {
      const filter = { Name: "replication-task-arn", Values: [arn] };
      const { ReplicationTasks } = await client.send(
        new DescribeReplicationTasksCommand({ Filters: [filter] }),
      );
      return ReplicationTasks![0]!;
    },
    async table(arn, schema, table) {
      const { TableStatistics } = await client.send(
        new DescribeTableStatisticsCommand({ ReplicationTaskArn: arn }),
      );
      return TableStatistics!.find(
        ({ SchemaName, TableName }) => SchemaName === schema && TableName === table,
      );
    },
    status: (arn, wanted) =>
      until(`the task is ${wanted}`, async () => {
        const { Status, LastFailureMessage } = await dms.task(arn);
        if (Status === "failed" && wanted !== "failed")
          throw new Error(`the task failed: ${LastFailureMessage}`);
        return Status === wanted;
      }),
  };
  return dms;
}
