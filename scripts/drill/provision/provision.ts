import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseMigrationServiceClient } from "@aws-sdk/client-database-migration-service";
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { CreateDocumentCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import type { Environment } from "../../../core/failback/documents.ts";
import { environmentParameter } from "../../roundtrip/environment.ts";
import { type Addresses, region } from "./addresses.ts";
import { prepareHost } from "./host.ts";
import { createTasks } from "./tasks.ts";
import {
  createMasterSecret,
  createSecrets,
  createUsers,
  environmentName,
  masterOf,
  newPasswords,
  type Passwords,
  secretName,
  slackSecret,
  usersWithoutReplication,
} from "./users.ts";

const root = join(import.meta.dirname, "../../..");
export const bucket = "roundtrip-drill";

/**
 * What nobody else makes: the users of both databases, and their secrets. Terraform makes the secret of the user DMS
 * writes with, and needs the cluster's master user.
 */
export async function prepareUsers(at: Addresses, isForTerraform = false): Promise<Passwords> {
  const passwords = newPasswords();
  const secrets = new SecretsManagerClient({ region, endpoint: at.aws });
  const only = isForTerraform ? usersWithoutReplication : undefined;
  await Promise.all([createUsers(at, passwords, only), createSecrets(secrets, at, passwords, only)]);
  if (isForTerraform) await createMasterSecret(secrets, at);
  return passwords;
}

/** The webhook's address, which Terraform names to the function that tells Slack. */
export async function prepareSlack(at: Addresses, webhook: string): Promise<void> {
  const SecretString = JSON.stringify({ url: webhook });
  const secrets = new SecretsManagerClient({ region, endpoint: at.aws });
  await secrets.send(new CreateSecretCommand({ Name: slackSecret, SecretString }));
}

export interface Provisioned {
  readonly environment: Environment;
  readonly bucket: string;
  readonly passwords: Passwords;
}

/** All of it without Terraform: users, the rest through the API, and the host's files. */
export async function provision(at: Addresses): Promise<Provisioned> {
  const passwords = await prepareUsers(at);
  const environment = await buildByApi(at);
  await prepareHost(at, environment);
  return { environment, bucket, passwords };
}

/** Makes what Terraform would make, as far as a drill needs it: bucket, SSM documents, DMS's tasks, the environment. */
export async function buildByApi(at: Addresses): Promise<Environment> {
  const client = { region, endpoint: at.aws };
  const s3 = new S3Client({ ...client, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  await s3.send(
    new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: "Enabled" } }),
  );
  const ssm = new SSMClient(client);
  await createDocuments(ssm);
  const tasks = await createTasks(new DatabaseMigrationServiceClient(client));
  const environment = environmentOf(at, tasks);
  const Value = JSON.stringify(environment);
  await ssm.send(
    new PutParameterCommand({ Name: environmentParameter(environmentName), Value, Type: "String" }),
  );
  return environment;
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

function environmentOf(at: Addresses, tasks: readonly { id: string; arn: string }[]): Environment {
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
      administrators: [masterOf(at).username, "roundtrip_documentdb"],
    },
    mongodb: { secret: secretName("roundtrip_mongodb") },
    replicationTasks: tasks,
    settings: at.settings,
  };
}
