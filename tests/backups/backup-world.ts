/** MongoDB, another server, AWS: stand-ins; the worker's verbs of backups as processes, with the real tools. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { MongoClient } from "mongodb";
import { S3ObjectStore } from "../../adapters/aws/object-store.ts";
import { systemClock } from "../../adapters/clock.ts";
import { newestBackup } from "../../adapters/state/backups.ts";
import { PhaseStore } from "../../adapters/state/phase-store.ts";
import type { BackupManifest } from "../../core/backup/documents.ts";
import type { Environment } from "../../core/failback/documents.ts";
import { awsEnvironment, steerAws } from "../../sandbox/up/aws.ts";
import { type DatabaseHandle, startDatabase } from "../../sandbox/up/database.ts";
import { Sandbox } from "../../sandbox/up/sandbox.ts";
import { testEnvironment } from "../support/capture-context.ts";

const region = "us-east-1";
const bucket = "backups";
const root = join(import.meta.dir, "../..");
const built = join(root, ".tools/bin");

export const hasTools =
  existsSync(join(built, "mongorestore")) ||
  Bun.which("mongorestore") !== null ||
  process.env.REQUIRE_ALL === "1";

/** Path of one of MongoDB's tools. */
export function tool(name: string): string {
  return existsSync(join(built, name)) ? join(built, name) : name;
}

export class BackupWorld implements AsyncDisposable {
  private readonly processes: Bun.Subprocess[] = [];

  private constructor(
    readonly sandbox: Sandbox,
    readonly mongodb: DatabaseHandle,
    readonly other: DatabaseHandle,
    readonly client: MongoClient,
    readonly otherClient: MongoClient,
    readonly store: S3ObjectStore,
    private readonly directory: string,
    private readonly oplogFlushSeconds: number,
  ) {}

  static async start({ oplogFlushSeconds = 1 } = {}): Promise<BackupWorld> {
    const sandbox = await Sandbox.start({ only: ["aws"] });
    const { aws: endpoint = "" } = sandbox.addresses;
    const [mongodb, other] = await Promise.all(
      ["mongodb", "other"].map((name) => startDatabase({ dir: sandbox.workspace.at(name), name })),
    );
    const { default: credentials } = await steerAws<{
      default: { accessKeyId: string; secretAccessKey: string };
    }>(endpoint, "credentials");
    const options = { region, endpoint, credentials };
    await new S3Client({ ...options, forcePathStyle: true }).send(
      new CreateBucketCommand({ Bucket: bucket }),
    );
    const secrets = new SecretsManagerClient(options);
    for (const [Name, uri] of [
      ["mongodb", mongodb!.ready.uri],
      ["scratch", other!.ready.uri],
    ])
      await secrets.send(new CreateSecretCommand({ Name, SecretString: JSON.stringify({ uri }) }));
    Object.assign(process.env, awsEnvironment(endpoint, "roundtrip-test", region));
    const client = await new MongoClient(mongodb!.ready.uri).connect();
    const otherClient = await new MongoClient(other!.ready.uri).connect();
    const store = new S3ObjectStore({ bucket, region });
    const directory = mkdtempSync(join(tmpdir(), "roundtrip-backup-world-"));
    return new BackupWorld(
      sandbox,
      mongodb!,
      other!,
      client,
      otherClient,
      store,
      directory,
      oplogFlushSeconds,
    );
  }

  get environment(): Environment {
    return {
      ...testEnvironment,
      region,
      bucket,
      mongodb: { secret: "mongodb" },
      backups: { scratchSecret: "scratch", oplogFlushSeconds: this.oplogFlushSeconds },
    };
  }

  get phases(): PhaseStore {
    return new PhaseStore(this.store, systemClock, this.environment.environment);
  }

  /** A verb as systemd would start it; `name` is what AWS's journal and faults know it as. */
  verb(verb: string, name = verb): Verb {
    const state = mkdtempSync(join(this.directory, `${verb}-`));
    const config = join(state, "environment.json");
    writeFileSync(config, JSON.stringify(this.environment));
    const child = Bun.spawn([process.execPath, join(root, "services/main.ts"), verb], {
      env: {
        PATH: `${built}:${process.env.PATH ?? ""}`,
        ROUNDTRIP_CONFIG: config,
        STATE_DIRECTORY: state,
        AWS_SDK_UA_APP_ID: name,
        ...awsEnvironment(this.sandbox.addresses.aws ?? "", "roundtrip-test", region),
      },
      stdout: Bun.file(join(state, "stdout.log")),
      stderr: "pipe",
    });
    this.processes.push(child);
    return new Verb(child, state);
  }

  /** Backs MongoDB up with the real service and the real mongodump. */
  async backUp(): Promise<BackupManifest> {
    const { code, stderr } = await this.verb("mongodb-backup").ended;
    if (code !== 0) throw new Error(`mongodb-backup ended with ${code}: ${stderr}`);
    const backup = await newestBackup(this.store);
    if (!backup) throw new Error("mongodb-backup left no backup");
    return backup;
  }

  fault(fault: object): Promise<unknown> {
    return steerAws(this.sandbox.addresses.aws ?? "", "faults", fault);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.processes) {
      if (child.exitCode === null) child.kill("SIGKILL");
      await child.exited;
    }
    await Promise.all([this.client.close(), this.otherClient.close()]);
    await Promise.all([this.mongodb.stop(), this.other.stop()]);
    await this.sandbox[Symbol.asyncDispose]();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** One run of a verb. */
export class Verb {
  readonly ended: Promise<{ code: number; stderr: string }>;

  constructor(
    private readonly child: Bun.Subprocess<"ignore", Bun.BunFile, "pipe">,
    private readonly state: string,
  ) {
    this.ended = (async () => {
      const stderr = await child.stderr.text();
      return { code: await child.exited, stderr };
    })();
  }

  async stop(): Promise<{ code: number; stderr: string }> {
    this.child.kill("SIGTERM");
    return this.ended;
  }

  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.child.exited;
  }

  log(): Promise<string> {
    return Bun.file(join(this.state, "stdout.log")).text();
  }
}
