import {
  CreateEndpointCommand,
  CreateReplicationInstanceCommand,
  CreateReplicationTaskCommand,
  type DatabaseMigrationServiceClient,
  DescribeReplicationInstancesCommand,
  DescribeReplicationTasksCommand,
} from "@aws-sdk/client-database-migration-service";
import { drillCollections } from "../scope.ts";
import { databases, secretName, type UserName } from "./users.ts";

/** A replication instance, the endpoints, and one task for each database; returns when all can be started. */
export async function createTasks(
  dms: DatabaseMigrationServiceClient,
): Promise<{ id: string; arn: string }[]> {
  const role = "arn:aws:iam::000000000000:role/dms-secrets";
  const { ReplicationInstance } = await dms.send(
    new CreateReplicationInstanceCommand({
      ReplicationInstanceIdentifier: "drill",
      ReplicationInstanceClass: "dms.t3.medium",
    }),
  );
  await until("the replication instance", async () => {
    const { ReplicationInstances } = await dms.send(new DescribeReplicationInstancesCommand({}));
    return (
      ReplicationInstances?.every((instance) => instance.ReplicationInstanceStatus === "available") ?? false
    );
  });
  const endpoint = async (
    id: string,
    type: "source" | "target",
    engine: string,
    secret: UserName,
    database?: string,
  ) => {
    const settings = { SecretsManagerSecretId: secretName(secret), SecretsManagerAccessRoleArn: role };
    const made = await dms.send(
      new CreateEndpointCommand({
        EndpointIdentifier: id,
        EndpointType: type,
        EngineName: engine,
        ...(database ? { DatabaseName: database } : {}),
        ...(type === "source"
          ? {
              MongoDbSettings: {
                ...settings,
                NestingLevel: "none",
                ExtractDocId: "true",
                AuthSource: "admin",
              },
            }
          : { DocDbSettings: settings }),
      }),
    );
    return made.Endpoint?.EndpointArn ?? "";
  };
  const source = await endpoint("mongodb", "source", "mongodb", "dms_source");
  const tasks: { id: string; arn: string }[] = [];
  for (const database of databases) {
    const id = database.replaceAll("_", "-");
    const target = await endpoint(`documentdb-${id}`, "target", "docdb", "dms_target", database);
    const made = await dms.send(
      new CreateReplicationTaskCommand({
        ReplicationTaskIdentifier: id,
        SourceEndpointArn: source,
        TargetEndpointArn: target,
        ReplicationInstanceArn: ReplicationInstance?.ReplicationInstanceArn ?? "",
        MigrationType: "full-load-and-cdc",
        TableMappings: JSON.stringify({ rules: rulesFor(database) }),
        ReplicationTaskSettings: JSON.stringify({ FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING" } }),
      }),
    );
    tasks.push({ id, arn: made.ReplicationTask?.ReplicationTaskArn ?? "" });
  }
  await until("the replication tasks", async () => {
    const { ReplicationTasks } = await dms.send(new DescribeReplicationTasksCommand({}));
    return ReplicationTasks?.every((task) => task.Status === "ready") ?? false;
  });
  return tasks;
}

const untilSeconds = 60;

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + untilSeconds * 1000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${what}: not ready within ${untilSeconds} s`);
    await Bun.sleep(50);
  }
}

function rulesFor(database: string): object[] {
  return drillCollections
    .filter((collection) => collection.database === database)
    .map(({ collection }, index) => ({
      "rule-type": "selection",
      "rule-id": String(index + 1),
      "rule-name": collection,
      "object-locator": { "schema-name": database, "table-name": collection },
      "rule-action": "explicit",
    }));
}
