/** DocumentDB's and AWS's stand-ins with a failback opened on them, and the real replication service as a process. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { MongoClient } from "mongodb";
import { S3ObjectStore } from "../../adapters/aws/object-store.ts";
import { systemClock } from "../../adapters/clock.ts";
import { newestManifest } from "../../adapters/log/manifests.ts";
import { setClusterStream } from "../../adapters/mongo/change-stream-scopes.ts";
import { operationTime } from "../../adapters/mongo/replica-set.ts";
import { writeJson } from "../../adapters/state/json.ts";
import { PhaseStore } from "../../adapters/state/phase-store.ts";
import type { Settings } from "../../core/failback/documents.ts";
import { keysOf } from "../../core/failback/layout.ts";
import { awsEnvironment, steerAws } from "../../sandbox/up/aws.ts";
import { type DatabaseHandle, startDatabase } from "../../sandbox/up/database.ts";
import { type DocumentdbHandle, startDocumentdb } from "../../sandbox/up/documentdb.ts";
import { Sandbox } from "../../sandbox/up/sandbox.ts";
import { testEnvironment, testScope } from "./capture-context.ts";
import { waitFor } from "./wait-for.ts";

const region = "us-east-1";
const bucket = "capture";
const defaultOplogMegabytes = 512;
const root = join(import.meta.dir, "../..");

export interface JournalEntry {
  readonly n: number;
  readonly caller: string;
  readonly service: string;
  readonly operation: string;
  readonly key: string;
  readonly status: number;
}

export interface CaptureRunOptions {
  /** What the journal of requests knows this run as. */
  readonly name?: string;
  readonly settings?: Partial<Settings>;
  /** An empty one by default. */
  readonly state?: string;
  readonly secret?: string;
  readonly bucket?: string;
  /** The worker's program and first words; default: its sources. */
  readonly program?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

export class CaptureWorld implements AsyncDisposable {
  readonly #processes = new Set<CaptureProcess>();

  private constructor(
    private readonly sandbox: Sandbox,
    private readonly data: DatabaseHandle,
    readonly documentdb: DocumentdbHandle,
    readonly client: MongoClient,
    readonly store: S3ObjectStore,
    readonly directory: string,
    private readonly secrets: SecretsManagerClient,
  ) {}

  static async start(options: { readonly oplogMegabytes?: number } = {}): Promise<CaptureWorld> {
    const sandbox = await Sandbox.start({ only: ["aws"] });
    const { aws: endpoint = "" } = sandbox.addresses;
    const data = await startDatabase({
      dir: sandbox.workspace.at("documentdb-data"),
      parameters: ["--oplog-size-mb", String(options.oplogMegabytes ?? defaultOplogMegabytes)],
    });
    const dialect = await startDocumentdb({
      dir: sandbox.workspace.at("documentdb"),
      upstream: data.ready.uri,
    });
    const documentdb = dialect.ready.uri;
    const credentials = { accessKeyId: "test", secretAccessKey: "test" };
    const { default: known } = await steerAws<{ default: typeof credentials }>(endpoint, "credentials");
    const clientOptions = { region, endpoint, credentials: known ?? credentials };
    await new S3Client({ ...clientOptions, forcePathStyle: true }).send(
      new CreateBucketCommand({ Bucket: bucket }),
    );
    const secrets = new SecretsManagerClient(clientOptions);
    await secrets.send(
      new CreateSecretCommand({ Name: "documentdb", SecretString: JSON.stringify({ uri: documentdb }) }),
    );
    Object.assign(process.env, awsEnvironment(endpoint, "roundtrip-test", region));
    const client = await new MongoClient(documentdb).connect();
    const store = new S3ObjectStore({ bucket, region });
    const directory = mkdtempSync(join(tmpdir(), "roundtrip-capture-world-"));
    const world = new CaptureWorld(sandbox, data, dialect, client, store, directory, secrets);
    await setClusterStream(client, true);
    return world;
  }

  /** Opens a failback of its own, so that tests of one world don't meet. Captures of the one before it are ended. */
  async open(id: string): Promise<void> {
    for (const capture of this.#processes) await capture.kill();
    this.#processes.clear();
    const phases = new PhaseStore(this.store, systemClock, testEnvironment.environment);
    const current = await phases.read();
    if (current.phase === "capturing") await phases.move(current.failbackId, "normal", "test");
    await phases.open(id, "test");
    const keys = keysOf(id);
    const recordedAt = new Date().toISOString();
    await writeJson(this.store, keys.scope, { ...testScope, failbackId: id });
    // The start point is inclusive: the write it may begin with is none that a test looks at.
    await this.client.db("elsewhere").collection("starts").insertOne({ failback: id });
    const time = await operationTime(this.client);
    await writeJson(this.store, keys.startPoint, {
      version: 1,
      failbackId: id,
      operationTime: time,
      recordedAt,
    });
  }

  /** The service as systemd would start it. */
  capture(options: CaptureRunOptions = {}): CaptureProcess {
    const name = options.name ?? "replication";
    const stateDirectory = options.state ?? mkdtempSync(join(this.directory, "state-"));
    const config = join(stateDirectory, "environment.json");
    const environment = {
      ...testEnvironment,
      region,
      bucket: options.bucket ?? bucket,
      documentdb: { ...testEnvironment.documentdb, secret: options.secret ?? "documentdb" },
      settings: { maxDelayMs: 20, ...options.settings },
    };
    writeFileSync(config, JSON.stringify(environment));
    const child = Bun.spawn(
      [...(options.program ?? [process.execPath, join(root, "services/main.ts")]), "replication"],
      {
        env: {
          PATH: process.env.PATH ?? "",
          ROUNDTRIP_CONFIG: config,
          STATE_DIRECTORY: stateDirectory,
          AWS_SDK_UA_APP_ID: name,
          ...awsEnvironment(this.aws, "roundtrip-test", region),
          ...options.environment,
        },
        stdout: Bun.file(join(stateDirectory, "stdout.log")),
        stderr: "pipe",
      },
    );
    const capture = new CaptureProcess(child, stateDirectory);
    this.#processes.add(capture);
    return capture;
  }

  get aws(): string {
    return this.sandbox.addresses.aws ?? "";
  }

  async secret(name: string, value: object): Promise<void> {
    const SecretString = JSON.stringify(value);
    await this.secrets
      .send(new CreateSecretCommand({ Name: name, SecretString }))
      .catch(() => this.secrets.send(new PutSecretValueCommand({ SecretId: name, SecretString })));
  }

  /** Waits until everything up to a sequence is committed. */
  async committed(id: string, sequence: number, timeoutMs = 15_000): Promise<void> {
    const reached = async () =>
      ((await newestManifest(this.store, id))?.manifest.lastSequence ?? 0) >= sequence;
    await waitFor(`sequence ${sequence} of ${id}`, reached, timeoutMs);
  }

  fault(fault: object): Promise<{ id: string }> {
    return steerAws(this.aws, "faults", fault);
  }

  clearFaults(): Promise<unknown> {
    return steerAws(this.aws, "faults", undefined, "DELETE");
  }

  async journal(caller: string, after = 0): Promise<JournalEntry[]> {
    const entries = await steerAws<JournalEntry[]>(this.aws, `journal?after=${after}`);
    return entries.filter((entry) => entry.caller === caller);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const capture of this.#processes) await capture.kill();
    await this.client.close();
    await this.documentdb.stop();
    await this.data.stop();
    await this.sandbox[Symbol.asyncDispose]();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** One run of the replication service. */
export class CaptureProcess {
  readonly ended: Promise<{ code: number; stderr: string }>;

  constructor(
    readonly child: Bun.Subprocess<"ignore", Bun.BunFile, "pipe">,
    readonly stateDirectory: string,
  ) {
    this.ended = (async () => {
      const stderr = await child.stderr.text();
      return { code: await child.exited, stderr };
    })();
  }

  get pid(): number {
    return this.child.pid;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** SIGTERM, and what it ended with. */
  async stop(): Promise<{ code: number; stderr: string }> {
    this.child.kill("SIGTERM");
    return this.ended;
  }

  async kill(): Promise<void> {
    if (this.isRunning) this.child.kill("SIGKILL");
    await this.child.exited;
  }

  /** Waits until its status says that it reads. */
  async reads(): Promise<void> {
    await waitFor("the capture reads", () => {
      try {
        const text = readFileSync(join(this.stateDirectory, "status/replication.json"), "utf8");
        return JSON.parse(text).state === "running";
      } catch {
        // Not written yet.
        return false;
      }
    });
  }

  log(): Promise<string> {
    return Bun.file(join(this.stateDirectory, "stdout.log")).text();
  }
}
