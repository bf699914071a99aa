/** The operations host as its timers and the runbooks use it: the product's units, SSM documents, MongoDB, a bucket. */
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { CreateDocumentCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { MongoClient } from "mongodb";
import { AwsInstances } from "../../adapters/aws/instances.ts";
import { S3ObjectStore } from "../../adapters/aws/object-store.ts";
import { readJson } from "../../adapters/state/json.ts";
import type { BackupRun } from "../../core/backup/documents.ts";
import { runKey } from "../../core/backup/layout.ts";
import type { BackupSettings, Environment } from "../../core/failback/documents.ts";
import { awsEnvironment, steerAws } from "../../sandbox/up/aws.ts";
import { steerHost, systemctl } from "../../sandbox/up/host.ts";
import { defaultInstanceId, Sandbox } from "../../sandbox/up/sandbox.ts";
import { quicken } from "../support/apply-provision.ts";
import { worldEnvironment } from "../support/service-world.ts";
import { waitFor } from "../support/wait-for.ts";
import { tool } from "./backup-world.ts";

const root = join(import.meta.dir, "../..");
const region = "us-east-1";
const bucket = "roundtrip-dev";
const documents = ["start-backup-service", "set-backup-schedule", "service-logs"];
/** Of users-and-secrets.md, what a backup needs. */
const roles = ["backup", "clusterMonitor"].map((role) => ({ role, db: "admin" }));
const password = "correct-horse";

export class OperationsWorld implements AsyncDisposable {
  private constructor(
    readonly sandbox: Sandbox,
    readonly client: MongoClient,
    readonly store: S3ObjectStore,
    readonly s3: S3Client,
  ) {}

  static async start(backups: BackupSettings): Promise<OperationsWorld> {
    const sandbox = await Sandbox.start({ only: ["database", "aws", "host"] });
    try {
      const { aws = "", mongodb = "", host = "" } = sandbox.addresses;
      Object.assign(process.env, awsEnvironment(aws, "roundtrip-runner"));
      await quicken(aws);
      const client = await new MongoClient(mongodb).connect();
      await client.db("admin").command({ createUser: "roundtrip", pwd: password, roles });
      const uri = mongodb.replace(/\/\/[^@]*@/, `//roundtrip:${password}@`);
      await provision(environmentWith(backups), uri);
      prepareHost(host, environmentWith(backups), awsEnvironment(aws, "roundtrip-operations"));
      const instances = new AwsInstances({ region });
      await instances.start(defaultInstanceId);
      await instances.waitReady(defaultInstanceId, 30);
      const s3 = new S3Client({ forcePathStyle: true });
      return new OperationsWorld(sandbox, client, new S3ObjectStore({ bucket, region }), s3);
    } catch (error) {
      await sandbox[Symbol.asyncDispose]();
      throw error;
    }
  }

  get bucket(): string {
    return bucket;
  }

  /** A path on the host. */
  at(path: string): string {
    return join(this.sandbox.addresses.host!, path);
  }

  systemctl(...words: string[]): ReturnType<typeof systemctl> {
    return systemctl(this.sandbox.host!, ...words);
  }

  /** A property of a unit, as `systemctl show` says it. */
  async property(unit: string, name: string): Promise<string> {
    const { stdout } = await this.systemctl("show", `--property=${name}`, unit);
    return stdout.trim().slice(name.length + 1);
  }

  async ended(unit: string): Promise<{ result: string; code: string }> {
    const state = () => this.property(unit, "ActiveState");
    await waitFor(`${unit} to end`, async () => ["inactive", "failed"].includes(await state()), 30_000);
    return {
      result: await this.property(unit, "Result"),
      code: await this.property(unit, "ExecMainStatus"),
    };
  }

  kill(unit: string): Promise<unknown> {
    return steerHost(this.sandbox.host!, "kill", { unit });
  }

  fault(fault: object): Promise<unknown> {
    return steerAws(this.sandbox.addresses.aws!, "faults", fault);
  }

  async lastRun(): Promise<BackupRun | undefined> {
    return (await readJson<BackupRun>(this.store, runKey("backup")))?.value;
  }

  /** `roundtrip …` as a person runs it. */
  async roundtrip(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const child = Bun.spawn([process.execPath, join(root, "scripts/roundtrip.ts"), ...words], {
      cwd: root,
      env: { ...process.env, GITHUB_ACTOR: "ana", GITHUB_STEP_SUMMARY: "" },
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    return { code: await child.exited, stdout, stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
    this.s3.destroy();
    await this.sandbox[Symbol.asyncDispose]();
  }
}

function environmentWith(backups: BackupSettings): Environment {
  return {
    ...worldEnvironment,
    environment: "dev",
    region,
    bucket,
    instanceId: "i-0fedcba9876543210",
    operationsInstanceId: defaultInstanceId,
    documentPrefix: "roundtrip-dev",
    backups,
  };
}

/** What Terraform makes of AWS. */
async function provision(environment: Environment, uri: string): Promise<void> {
  await new S3Client({ forcePathStyle: true }).send(new CreateBucketCommand({ Bucket: bucket }));
  const Name = environment.mongodb.secret;
  await new SecretsManagerClient({}).send(
    new CreateSecretCommand({ Name, SecretString: JSON.stringify({ uri }) }),
  );
  const ssm = new SSMClient({});
  await ssm.send(
    new PutParameterCommand({
      Name: "/roundtrip/dev/environment",
      Value: JSON.stringify(environment),
      Type: "String",
    }),
  );
  for (const name of documents) {
    const Content = readFileSync(join(root, `runbooks/documents/${name}.json`), "utf8");
    const given = { DocumentType: "Command", DocumentFormat: "JSON" } as const;
    await ssm.send(new CreateDocumentCommand({ Name: `roundtrip-dev-${name}`, Content, ...given }));
  }
}

/** What cloud-init does, with the worker run from its sources; the units of backups alone. */
function prepareHost(host: string, environment: Environment, aws: Readonly<Record<string, string>>): void {
  const [bin, etc, units] = ["opt/roundtrip/bin", "etc/roundtrip", "etc/systemd/system"].map((path) =>
    join(host, path),
  ) as [string, string, string];
  for (const folder of [bin, etc, units]) mkdirSync(folder, { recursive: true });
  const worker = join(bin, "roundtrip-worker");
  writeFileSync(worker, `#!/bin/sh\nexec '${process.execPath}' '${join(root, "services/main.ts")}' "$@"\n`);
  chmodSync(worker, 0o755);
  for (const name of ["mongodb-backup", "backup-schedule"])
    for (const kind of ["service", "timer"])
      cpSync(join(root, `services/units/${name}.${kind}`), join(units, `${name}.${kind}`));
  for (const name of ["oplog-archive.service", "restore-backup.service", "verify-backup.service"])
    cpSync(join(root, "services/units", name), join(units, name));
  // A person waits a minute for the next try; a test doesn't.
  mkdirSync(join(units, "mongodb-backup.service.d"));
  writeFileSync(
    join(units, "mongodb-backup.service.d/test.conf"),
    "[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestartSec=300ms\n",
  );
  const config = join(etc, "environment.json");
  writeFileSync(config, JSON.stringify(environment));
  const tools = { MONGODUMP: tool("mongodump"), MONGORESTORE: tool("mongorestore") };
  const variables = { ROUNDTRIP_CONFIG: config, ...tools, ...aws };
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  writeFileSync(join(etc, "worker.env"), `${lines.join("\n")}\n`, { mode: 0o600 });
}
