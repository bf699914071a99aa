import { randomBytes } from "node:crypto";
import { copyFile, link, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  CreateEndpointCommand,
  CreateReplicationInstanceCommand,
  CreateReplicationTaskCommand,
  DatabaseMigrationServiceClient,
  DescribeReplicationInstancesCommand,
  DescribeReplicationTasksCommand,
} from "@aws-sdk/client-database-migration-service";
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { CreateDocumentCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { type Db, MongoClient } from "mongodb";
import type { Environment } from "../../core/failback/documents.ts";
import { environmentParameter } from "../roundtrip/environment.ts";
import { drillCollections } from "./scope.ts";

const root = join(import.meta.dirname, "../..");

export interface Addresses {
  readonly mongodb: string;
  readonly documentdb: string;
  readonly aws: string;
  readonly hostDirectory: string;
  readonly instanceId: string;
  /** Folder with mongodump; "" when it is on PATH. */
  readonly toolsFolder: string;
  /** AWS variables every program gets. */
  readonly awsVariables: Readonly<Record<string, string>>;
  readonly settings: NonNullable<Environment["settings"]>;
}

export interface Provisioned {
  readonly environment: Environment;
  readonly bucket: string;
  readonly passwords: Readonly<Record<UserName, string>>;
  readonly taskArns: readonly string[];
}

const users = [
  "roundtrip_mongodb",
  "dms_source",
  "shop_mongodb",
  "roundtrip_documentdb",
  "dms_target",
  "shop",
] as const;
type UserName = (typeof users)[number];

const databases = [...new Set(drillCollections.map(({ database }) => database))];
const environmentName = "drill";
const region = "us-east-1";

/** Makes the world a drill runs in: users, bucket, secrets, SSM documents, DMS tasks, and the host's files. */
export async function provision(at: Addresses): Promise<Provisioned> {
  const passwords = Object.fromEntries(
    users.map((name) => [name, randomBytes(12).toString("hex")]),
  ) as Record<UserName, string>;
  await createUsers(at, passwords);
  const bucket = "roundtrip-drill";
  const client = { region, endpoint: at.aws };
  const s3 = new S3Client({ ...client, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  await s3.send(
    new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: "Enabled" } }),
  );
  await createSecrets(new SecretsManagerClient(client), at, passwords);
  const ssm = new SSMClient(client);
  await createDocuments(ssm);
  const tasks = await createTasks(new DatabaseMigrationServiceClient(client));
  const environment = environmentOf(at, bucket, tasks);
  const Value = JSON.stringify(environment);
  await ssm.send(
    new PutParameterCommand({ Name: environmentParameter(environmentName), Value, Type: "String" }),
  );
  await prepareHost(at, environment);
  return { environment, bucket, passwords, taskArns: tasks.map((task) => task.arn) };
}

/** Runs with a connected client and closes it, whatever happens. */
export async function withClient<T>(uri: string, work: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = await new MongoClient(uri).connect();
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

function userUri(uri: string, user: string, password: string): string {
  const url = new URL(uri.replace(/^mongodb:/, "http:").replace(/@([^/]+)\//, "@hosts.invalid/"));
  const hosts = /@([^/]+)\//.exec(uri)?.[1] ?? "";
  return `mongodb://${user}:${password}@${hosts}/${url.search}`;
}

/** The connection string of one of the drill's users. */
export function uriOf(at: Addresses, provisioned: Pick<Provisioned, "passwords">, name: UserName): string {
  return secretUri(at, provisioned.passwords, name);
}

function secretUri(at: Addresses, passwords: Readonly<Record<UserName, string>>, name: UserName): string {
  const onMongodb = name === "roundtrip_mongodb" || name === "dms_source" || name === "shop_mongodb";
  const login = name === "shop_mongodb" ? "shop" : name;
  return userUri(onMongodb ? at.mongodb : at.documentdb, login, passwords[name]);
}

async function createUsers(at: Addresses, passwords: Readonly<Record<UserName, string>>): Promise<void> {
  await withClient(at.mongodb, (mongodb) => createMongodbUsers(mongodb.db("admin"), passwords));
  await withClient(at.documentdb, (documentdb) => createDocumentdbUsers(documentdb.db("admin"), passwords));
}

type Passwords = Readonly<Record<UserName, string>>;
type Roles = readonly { role: string; db: string }[];

const everywhere = (role: string) => ({ role, db: "admin" });

function create(db: Db, createUser: string, pwd: string, roles: Roles) {
  return db.command({ createUser, pwd, roles });
}

async function createMongodbUsers(admin: Db, passwords: Passwords): Promise<void> {
  const create = (
    db: typeof admin,
    createUser: string,
    pwd: string,
    roles: readonly { role: string; db: string }[],
  ) => db.command({ createUser, pwd, roles });
  await create(admin, "roundtrip_mongodb", passwords.roundtrip_mongodb, [
    // backup and restore carry dumping and bypassWriteBlockingMode; clusterAdmin the write block and TTL switch.
    ...[
      "backup",
      "restore",
      "clusterAdmin",
      "readWriteAnyDatabase",
      "dbAdminAnyDatabase",
      "userAdminAnyDatabase",
    ].map(everywhere),
    { role: "read", db: "local" },
  ]);
  await create(admin, "dms_source", passwords.dms_source, [
    everywhere("readAnyDatabase"),
    { role: "read", db: "local" },
  ]);
  await create(
    admin,
    "shop",
    passwords.shop_mongodb,
    databases.map((db) => ({ role: "readWrite", db })),
  );
}

async function createDocumentdbUsers(cluster: Db, passwords: Passwords): Promise<void> {
  await create(cluster, "roundtrip_documentdb", passwords.roundtrip_documentdb, [everywhere("root")]);
  await create(cluster, "dms_target", passwords.dms_target, [everywhere("readWriteAnyDatabase")]);
  await create(
    cluster,
    "shop",
    passwords.shop,
    databases.map((db) => ({ role: "read", db })),
  );
}

async function createSecrets(
  secrets: SecretsManagerClient,
  at: Addresses,
  passwords: Readonly<Record<UserName, string>>,
): Promise<void> {
  for (const name of users) {
    const uri = secretUri(at, passwords, name);
    const hosts = /@([^/]+)\//.exec(uri)?.[1] ?? "";
    const [host = "", port = ""] = hosts.split(",")[0]?.split(":") ?? [];
    const username = name === "shop_mongodb" ? "shop" : name;
    const SecretString = JSON.stringify({ uri, username, password: passwords[name], host, port });
    await secrets.send(new CreateSecretCommand({ Name: secretName(name), SecretString }));
  }
}

function secretName(user: UserName): string {
  return `roundtrip/${environmentName}/${user}`;
}

async function createDocuments(ssm: SSMClient): Promise<void> {
  const folder = join(root, "runbooks/documents");
  for (const file of await readdir(folder)) {
    if (!file.endsWith(".json")) continue;
    const Content = await Bun.file(join(folder, file)).text();
    const Name = `roundtrip-${environmentName}-${file.replace(/\.json$/, "")}`;
    await ssm.send(
      new CreateDocumentCommand({ Name, Content, DocumentType: "Command", DocumentFormat: "JSON" }),
    );
  }
}

async function createTasks(dms: DatabaseMigrationServiceClient): Promise<{ id: string; arn: string }[]> {
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

function environmentOf(
  at: Addresses,
  bucket: string,
  tasks: readonly { id: string; arn: string }[],
): Environment {
  const master = /\/\/([^:]+):/.exec(at.documentdb)?.[1] ?? "root";
  return {
    version: 1,
    environment: environmentName,
    region,
    bucket,
    instanceId: at.instanceId,
    documentPrefix: `roundtrip-${environmentName}`,
    documentdb: {
      secret: secretName("roundtrip_documentdb"),
      changeStreamRetentionSeconds: 10_800,
      applicationUsers: [{ name: "shop", secret: secretName("shop") }],
      replicationUser: { name: "dms_target", secret: secretName("dms_target") },
      otherWriters: [],
      administrators: [master, "roundtrip_documentdb"],
    },
    mongodb: { secret: secretName("roundtrip_mongodb") },
    replicationTasks: tasks,
    settings: at.settings,
  };
}

/** What cloud-init does on a real host: the worker, its units, and the file that says where everything is. */
async function prepareHost(at: Addresses, environment: Environment): Promise<void> {
  const bin = join(at.hostDirectory, "opt/roundtrip/bin");
  const etc = join(at.hostDirectory, "etc/roundtrip");
  const unitFolder = join(at.hostDirectory, "etc/systemd/system");
  for (const folder of [bin, etc, unitFolder]) await mkdir(folder, { recursive: true });
  const worker = join(bin, "roundtrip-worker");
  await rm(worker, { force: true });
  await link(join(root, "dist/roundtrip-worker"), worker).catch(() =>
    copyFile(join(root, "dist/roundtrip-worker"), worker),
  );
  const units = join(root, "services/units");
  for (const file of await readdir(units)) await copyFile(join(units, file), join(unitFolder, file));
  const config = join(etc, "environment.json");
  await writeFile(config, JSON.stringify(environment, null, 2));
  const variables = {
    ROUNDTRIP_CONFIG: config,
    ...at.awsVariables,
    ...(at.toolsFolder ? { MONGODUMP: join(at.toolsFolder, "mongodump") } : {}),
  };
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  await writeFile(join(etc, "worker.env"), `${lines.join("\n")}\n`, { mode: 0o600 });
}
