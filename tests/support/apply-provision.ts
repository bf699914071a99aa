/** What an apply's world is made of before anything is applied: users, secrets, bucket, documents, mover, lambda, host. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as dms from "@aws-sdk/client-database-migration-service";
import { CreateFunctionCommand, GetFunctionConfigurationCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { CreateDocumentCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { AwsInstances } from "../../adapters/aws/instances.ts";
import type { Environment } from "../../core/failback/documents.ts";
import type { EnvironmentName } from "../../core/tasks/model.ts";
import { awsEnvironment, steerAws } from "../../sandbox/up/aws.ts";
import { defaultInstanceId, type Sandbox } from "../../sandbox/up/sandbox.ts";
import type { Addresses } from "../../scripts/drill/provision/addresses.ts";
import { createSecrets, createUsers, newPasswords, secretName } from "../../scripts/drill/provision/users.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import { waitFor } from "./wait-for.ts";

const root = join(import.meta.dirname, "../..");
export const region = "us-east-1";
export const bucket = "roundtrip-apply";
const functionName = "create-user-db";
export const instanceName = "mover";
export const sourceEndpoint = "mongodb";

/** The lambda's archive, as it is deployed. */
export async function buildFunction(): Promise<Uint8Array> {
  const outfile = join(temporaryFolder("create-user-db"), "function.zip");
  const built = Bun.spawn(
    [process.execPath, join(root, "scripts/build-create-user-db.ts"), "--outfile", outfile],
    { stdout: "ignore", stderr: "inherit" },
  );
  if ((await built.exited) !== 0) throw new Error("create-user-db could not be built");
  return readFileSync(outfile);
}

/** These tests are about requests and data, not about how long machines take to boot. */
export async function quicken(aws: string): Promise<void> {
  await steerAws(aws, "ec2", { pendingMs: 50, stoppingMs: 50, agentDelayMs: 20 });
  await steerAws(aws, "ssm", { invisibleMs: 20, deliveryMs: 10 });
  await steerAws(aws, "dms", { settleMs: 60, lagMs: 50 });
}

/** Makes all of it; returns when the host answers. */
export async function provision(
  sandbox: Sandbox,
  environment: EnvironmentName,
  archive: Uint8Array,
): Promise<void> {
  const { mongodb = "", documentdb = "", aws = "", host = "" } = sandbox.addresses;
  const at: Addresses = {
    mongodb,
    documentdb,
    aws,
    hostDirectory: host,
    instanceId: defaultInstanceId,
    toolsFolder: "",
    awsVariables: awsEnvironment(aws, "roundtrip-operations"),
    settings: {},
  };
  const passwords = newPasswords();
  await createUsers(at, passwords);
  await createSecrets(new SecretsManagerClient({}), at, passwords);
  await new S3Client({ forcePathStyle: true }).send(new CreateBucketCommand({ Bucket: bucket }));
  const published = environmentOf(environment);
  const ssm = new SSMClient({});
  const Value = JSON.stringify(published);
  await ssm.send(
    new PutParameterCommand({ Name: `/roundtrip/${environment}/environment`, Value, Type: "String" }),
  );
  const Content = readFileSync(join(root, "runbooks/documents/inspect.json"), "utf8");
  const Name = `${published.documentPrefix}-inspect`;
  await ssm.send(
    new CreateDocumentCommand({ Name, Content, DocumentType: "Command", DocumentFormat: "JSON" }),
  );
  await createMover();
  await createFunction(environment, archive);
  prepareHost(at, published);
  const instances = new AwsInstances({ region });
  await instances.start(defaultInstanceId);
  await instances.waitReady(defaultInstanceId, 30);
}

function environmentOf(environment: EnvironmentName): Environment {
  return {
    version: 1,
    environment,
    region,
    bucket,
    instanceId: "i-0fedcba9876543210",
    operationsInstanceId: defaultInstanceId,
    documentPrefix: `roundtrip-${environment}`,
    documentdb: {
      secret: secretName("roundtrip_documentdb"),
      changeStreamRetentionSeconds: 10_800,
      applicationUsers: [{ name: "shop", secret: secretName("shop") }],
      replicationUser: { name: "dms_target", secret: secretName("dms_target") },
      otherWriters: [],
      administrators: ["roundtrip_documentdb"],
    },
    mongodb: { secret: secretName("roundtrip_mongodb") },
    createUserDbFunction: functionName,
    replicationTasks: [],
  };
}

async function createMover(): Promise<void> {
  const client = new dms.DatabaseMigrationServiceClient({});
  await client.send(
    new dms.CreateReplicationInstanceCommand({
      ReplicationInstanceIdentifier: instanceName,
      ReplicationInstanceClass: "dms.t3.medium",
    }),
  );
  await waitFor("the replication instance", async () => {
    const { ReplicationInstances } = await client.send(new dms.DescribeReplicationInstancesCommand({}));
    return ReplicationInstances![0]!.ReplicationInstanceStatus === "available";
  });
  await client.send(
    new dms.CreateEndpointCommand({
      EndpointIdentifier: sourceEndpoint,
      EndpointType: "source",
      EngineName: "mongodb",
      MongoDbSettings: {
        SecretsManagerSecretId: secretName("dms_source"),
        SecretsManagerAccessRoleArn: "arn:aws:iam::000000000000:role/dms-secrets",
        NestingLevel: "none",
        ExtractDocId: "true",
        AuthSource: "admin",
      },
    }),
  );
}

async function createFunction(environment: EnvironmentName, archive: Uint8Array): Promise<void> {
  const lambda = new LambdaClient({});
  const Variables = {
    ROUNDTRIP_ENVIRONMENT: environment,
    ROUNDTRIP_BUCKET: bucket,
    ROUNDTRIP_MASTER_SECRET: secretName("roundtrip_documentdb"),
    ROUNDTRIP_REPLICATION_SECRET: secretName("dms_target"),
  };
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName: functionName,
      Runtime: "nodejs22.x",
      Handler: "index.handler",
      Role: "arn:aws:iam::000000000000:role/create-user-db",
      Timeout: 60,
      Code: { ZipFile: archive },
      Environment: { Variables },
    }),
  );
  await waitFor("the function to be active", async () => {
    const { State } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: functionName }));
    return State === "Active";
  });
}

/** What cloud-init does, with the worker run from its sources. */
function prepareHost(at: Addresses, environment: Environment): void {
  const bin = join(at.hostDirectory, "opt/roundtrip/bin");
  const etc = join(at.hostDirectory, "etc/roundtrip");
  for (const folder of [bin, etc]) mkdirSync(folder, { recursive: true });
  const worker = join(bin, "roundtrip-worker");
  writeFileSync(worker, `#!/bin/sh\nexec '${process.execPath}' '${join(root, "services/main.ts")}' "$@"\n`);
  chmodSync(worker, 0o755);
  const config = join(etc, "environment.json");
  writeFileSync(config, JSON.stringify(environment));
  const variables = { ROUNDTRIP_CONFIG: config, ...at.awsVariables };
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  writeFileSync(join(etc, "worker.env"), `${lines.join("\n")}\n`, { mode: 0o600 });
}
