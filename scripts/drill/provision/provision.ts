import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseMigrationServiceClient } from "@aws-sdk/client-database-migration-service";
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from "@aws-sdk/client-s3";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { CreateDocumentCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import type { Environment } from "../../../core/failback/documents.ts";
import { environmentParameter } from "../../roundtrip/environment.ts";
import type { Addresses } from "./addresses.ts";
import { prepareHost } from "./host.ts";
import { createTasks } from "./tasks.ts";
import {
  createSecrets,
  createUsers,
  environmentName,
  newPasswords,
  type Passwords,
  secretName,
} from "./users.ts";

const root = join(import.meta.dirname, "../../..");
const region = "us-east-1";

export interface Provisioned {
  readonly environment: Environment;
  readonly bucket: string;
  readonly passwords: Passwords;
  readonly taskArns: readonly string[];
}

/** Makes the world a drill runs in: users, bucket, secrets, SSM documents, DMS tasks, and the host's files. */
export async function provision(at: Addresses): Promise<Provisioned> {
  const passwords = newPasswords();
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
