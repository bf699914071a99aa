import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MongoClient } from "mongodb";
import { stringify } from "yaml";
import { AwsCommands } from "../../adapters/aws/commands.ts";
import { AwsInstances } from "../../adapters/aws/instances.ts";
import { S3ObjectStore } from "../../adapters/aws/object-store.ts";
import { AwsReplicationTasks } from "../../adapters/aws/replication-tasks.ts";
import { systemClock } from "../../adapters/clock.ts";
import { PhaseStore } from "../../adapters/state/phase-store.ts";
import { RoundtripError } from "../../core/errors.ts";
import { isLoaded } from "../../core/replication/loaded.ts";
import { documentName } from "../../runbooks/engine/action.ts";
import { awsEnvironment, steerAws } from "../../sandbox/up/aws.ts";
import { steerHost } from "../../sandbox/up/host.ts";
import { defaultInstanceId, Sandbox } from "../../sandbox/up/sandbox.ts";
import type { StandIn } from "../../sandbox/up/stand-in.ts";
import { ensureDatabaseTools } from "../setup/database-tools.ts";
import type { Addresses } from "./provision/addresses.ts";
import { type Provisioned, provision } from "./provision/provision.ts";
import { uriOf } from "./provision/users.ts";
import { drillCollections } from "./scope.ts";
import type { Timeline } from "./timeline.ts";

const region = "us-east-1";
const readySeconds = 120;
const loadSeconds = 120;

interface Clients {
  readonly mongodbRoot: MongoClient;
  readonly documentdbRoot: MongoClient;
  readonly shopOnMongodb: MongoClient;
  readonly shop: MongoClient;
}

/** Everything a drill runs in, as separate processes, with the handles a story needs. Disposing leaves nothing behind. */
export class World implements AsyncDisposable {
  private constructor(
    private readonly sandbox: Sandbox,
    private readonly at: Addresses,
    readonly provisioned: Provisioned,
    readonly clients: Clients,
    readonly store: S3ObjectStore,
    readonly variables: Readonly<Record<string, string>>,
    readonly tasksFile: string,
  ) {}

  static async start(timeline: Timeline, settings: Addresses["settings"] = {}): Promise<World> {
    const toolsFolder = await ensureDatabaseTools();
    const sandbox = await Sandbox.start({ onProgress: (message) => timeline.say(message) });
    try {
      return await World.in(sandbox, toolsFolder, settings);
    } catch (error) {
      await sandbox[Symbol.asyncDispose]();
      throw error;
    }
  }

  private static async in(
    sandbox: Sandbox,
    toolsFolder: string,
    settings: Addresses["settings"],
  ): Promise<World> {
    const { mongodb = "", documentdb = "", aws = "", host = "" } = sandbox.addresses;
    // The drill is the runner and the operator: credentials of a role of its own, fetched like a host's.
    const variables = awsEnvironment(aws, "roundtrip-runner");
    Object.assign(process.env, variables);
    const at: Addresses = {
      mongodb,
      documentdb,
      aws,
      hostDirectory: host,
      instanceId: defaultInstanceId,
      toolsFolder,
      awsVariables: awsEnvironment(aws, "roundtrip-failback"),
      settings,
    };
    const provisioned = await provision(at);
    const connect = (uri: string) => new MongoClient(uri, { serverSelectionTimeoutMS: 10_000 }).connect();
    const clients: Clients = {
      mongodbRoot: await connect(mongodb),
      documentdbRoot: await connect(documentdb),
      shopOnMongodb: await connect(uriOf(at, provisioned.passwords, "shop_mongodb")),
      shop: await connect(uriOf(at, provisioned.passwords, "shop")),
    };
    const store = new S3ObjectStore({ bucket: provisioned.bucket, region });
    const tasksFile = join(sandbox.workspace.dir, "tasks.yaml");
    await writeFile(tasksFile, tasksYaml());
    return new World(sandbox, at, provisioned, clients, store, variables, tasksFile);
  }

  get aws(): { readonly url: string } {
    return { url: this.at.aws };
  }

  /** The root folder of the host stand-in. */
  get hostDirectory(): string {
    return this.at.hostDirectory;
  }

  get mongodb(): StandIn<object> {
    if (!this.sandbox.database) throw new Error("the sandbox has no database");
    return this.sandbox.database;
  }

  addresses(): string {
    const { mongodb, documentdb, aws, host } = this.sandbox.addresses;
    return `  MongoDB     ${mongodb}\n  DocumentDB  ${documentdb}\n  AWS         ${aws}\n  host        ${host}`;
  }

  async failbackId(): Promise<string> {
    return (await new PhaseStore(this.store, systemClock, "drill").read()).failbackId;
  }

  /** First start of every DMS task; returns when each table is loaded. */
  async startTasks(): Promise<void> {
    const tasks = new AwsReplicationTasks({ region });
    const arns = this.provisioned.taskArns;
    await Promise.all(arns.map((arn) => tasks.start(arn, "start-replication", readySeconds)));
    const until = performance.now() + loadSeconds * 1000;
    for (;;) {
      const tables = (await Promise.all(arns.map((arn) => tasks.tables(arn)))).flat();
      const behind = tables.filter((table) => !isLoaded(table));
      if (tables.length > 0 && behind.length === 0) return;
      if (performance.now() > until) {
        throw new RoundtripError({
          kind: "unknown",
          what: "wait for the full load",
          expected: `every table completed within ${loadSeconds} s`,
          got:
            behind.map((table) => `${table.schema}.${table.table} ${table.state}`).join(", ") || "no table",
          wayOut: "look at the DMS tasks with --keep",
        });
      }
      await Bun.sleep(100);
    }
  }

  /** What readiness does every day in normal times: who MongoDB is, on record. Leaves the host off again. */
  async recordIdentity(databases: readonly string[]): Promise<void> {
    const { environment } = this.provisioned;
    const instances = new AwsInstances({ region });
    await instances.start(environment.instanceId);
    await instances.waitReady(environment.instanceId, readySeconds);
    const commands = new AwsCommands({ region });
    const document = documentName(environment, "record-identity");
    const id = await commands.send(environment.instanceId, document, { databases: databases.join(",") });
    const result = await commands.wait(environment.instanceId, id, readySeconds);
    if (result.status !== "success") throw new Error(`record-identity: ${result.stderr.trim().slice(-800)}`);
    await instances.stop(environment.instanceId);
    await instances.waitStopped(environment.instanceId, readySeconds);
  }

  async pauseDms(paused: boolean): Promise<void> {
    await steerAws(this.at.aws, "dms", { paused });
  }

  /** Names a process for faults that kill (`{"kill": name}`). */
  async register(name: string, pid: number): Promise<void> {
    await steerAws(this.at.aws, "processes", { name, pid });
  }

  /** The main process of a unit on the host, if it runs. */
  async mainPid(unit: string): Promise<number | undefined> {
    const { host } = this.sandbox;
    if (!host) return undefined;
    const units = (await steerHost(host, "units").catch(() => [])) as { Id: string; MainPID?: string }[];
    return Number(units.find(({ Id }) => Id === unit)?.MainPID ?? 0) || undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(Object.values(this.clients).map((client: MongoClient) => client.close()));
    await this.sandbox[Symbol.asyncDispose]();
  }
}

/** The drill's scope as the file a start reads. */
function tasksYaml(): string {
  const databases = [...new Set(drillCollections.map(({ database }) => database))];
  const tasks = databases.map((database) => ({
    id: database.replaceAll("_", "-"),
    database,
    collections: drillCollections
      .filter((entry) => entry.database === database)
      .map(({ collection }) => collection),
  }));
  return stringify({ version: 1, tasks });
}
