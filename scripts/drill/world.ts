import { writeFile } from "node:fs/promises";
import { MongoClient } from "mongodb";
import { stringify } from "yaml";
import { AwsCommands } from "../../adapters/aws/commands.ts";
import { AwsInstances } from "../../adapters/aws/instances.ts";
import { S3ObjectStore } from "../../adapters/aws/object-store.ts";
import { AwsReplicationTasks } from "../../adapters/aws/replication-tasks.ts";
import { systemClock } from "../../adapters/clock.ts";
import { PhaseStore } from "../../adapters/state/phase-store.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { CurrentFailback, Environment } from "../../core/failback/documents.ts";
import { isLoaded } from "../../core/replication/loaded.ts";
import { documentName } from "../../runbooks/engine/action.ts";
import { type SlackServer, startSlack } from "../../sandbox/slack/server.ts";
import { awsEnvironment, steerAws } from "../../sandbox/up/aws.ts";
import { steerHost } from "../../sandbox/up/host.ts";
import { defaultInstanceId, Sandbox } from "../../sandbox/up/sandbox.ts";
import type { StandIn } from "../../sandbox/up/stand-in.ts";
import { ensureDatabaseTools } from "../setup/database-tools.ts";
import { type Addresses, region } from "./provision/addresses.ts";
import type { Builder } from "./provision/builder.ts";
import { prepareHost } from "./provision/host.ts";
import { bucket, buildByApi, prepareSlack, prepareUsers } from "./provision/provision.ts";
import { buildByTerraform } from "./provision/terraform.ts";
import { uriOf } from "./provision/users.ts";
import { drillCollections } from "./scope.ts";
import type { Timeline } from "./timeline.ts";
import type { Building } from "./types.ts";

const readySeconds = 120;
const loadSeconds = 120;

interface Clients {
  readonly mongodbRoot: MongoClient;
  readonly documentdbRoot: MongoClient;
  readonly shopOnMongodb: MongoClient;
  readonly shop: MongoClient;
}

export interface WorldOptions {
  readonly settings?: Addresses["settings"];
  /** Who builds what Terraform owns; the drill itself unless given, which is quicker. */
  readonly builder?: Builder;
}

interface Built {
  readonly environment: Environment;
  readonly store: S3ObjectStore;
  readonly building: Building;
}

/** Everything a drill runs in, as separate processes, with the handles a story needs. Disposing leaves nothing behind. */
export class World implements AsyncDisposable {
  private built: Built | undefined;
  private under: Promise<unknown> = Promise.resolve();
  private readonly ending = new AbortController();

  private constructor(
    private readonly sandbox: Sandbox,
    private readonly at: Addresses,
    private readonly builder: Builder,
    private readonly timeline: Timeline,
    readonly clients: Clients,
    readonly variables: Readonly<Record<string, string>>,
    readonly tasksFile: string,
    /** Whom the stack's function tells; without Terraform there is no such function. */
    readonly slack: SlackServer | undefined,
  ) {}

  /** Starts databases and AWS, with their users and secrets; `build` makes the rest. */
  static async start(timeline: Timeline, options: WorldOptions = {}): Promise<World> {
    const toolsFolder = await ensureDatabaseTools();
    const only = ["database", "documentdb", "aws"] as const;
    const sandbox = await Sandbox.start({ only, onProgress: (message) => timeline.say(message) });
    try {
      return await World.in(sandbox, timeline, toolsFolder, options);
    } catch (error) {
      await sandbox[Symbol.asyncDispose]();
      throw error;
    }
  }

  private static async in(
    sandbox: Sandbox,
    timeline: Timeline,
    toolsFolder: string,
    { settings = {}, builder = { whyNot: "as asked" } }: WorldOptions,
  ): Promise<World> {
    const { mongodb = "", documentdb = "", aws = "" } = sandbox.addresses;
    // The drill is the runner and the operator: credentials of a role of its own, fetched like a host's.
    const variables = awsEnvironment(aws, "roundtrip-runner");
    Object.assign(process.env, variables);
    const at: Addresses = {
      mongodb,
      documentdb,
      aws,
      hostDirectory: sandbox.workspace.at("host"),
      instanceId: defaultInstanceId,
      toolsFolder,
      awsVariables: awsEnvironment(aws, "roundtrip-failback"),
      settings,
    };
    const passwords = await prepareUsers(at, "terraform" in builder);
    const connect = (uri: string) => new MongoClient(uri, { serverSelectionTimeoutMS: 10_000 }).connect();
    const clients: Clients = {
      mongodbRoot: await connect(mongodb),
      documentdbRoot: await connect(documentdb),
      shopOnMongodb: await connect(uriOf(at, passwords, "shop_mongodb")),
      shop: await connect(uriOf(at, passwords, "shop")),
    };
    const tasksFile = sandbox.workspace.at("tasks.yaml");
    await writeFile(tasksFile, tasksYaml());
    const slack = "terraform" in builder ? startSlack() : undefined;
    if (slack) await prepareSlack(at, slack.webhook);
    return new World(sandbox, at, builder, timeline, clients, variables, tasksFile, slack);
  }

  /** Makes what Terraform owns, by Terraform where it is there, and switches the failback host on. Says who did it. */
  async build(): Promise<void> {
    const building = this.buildAll();
    this.under = building.catch(() => {});
    await building;
  }

  private async buildAll(): Promise<void> {
    const started = performance.now();
    const { environment, objects } = await this.infrastructure();
    await prepareHost(this.at, environment);
    await this.sandbox.startHost(environment.instanceId);
    const seconds = Math.round((performance.now() - started) / 100) / 10;
    const building: Building =
      "terraform" in this.builder
        ? {
            by: "terraform",
            words: `built by Terraform (${objects} objects, ${seconds} s)`,
            objects,
            seconds,
          }
        : { by: "drill", words: `built by the drill, ${this.builder.whyNot}`, seconds };
    this.timeline.say(`world: ${building.words}`);
    const store = new S3ObjectStore({ bucket: environment.bucket, region });
    this.built = { environment, store, building };
  }

  private async infrastructure(): Promise<{ environment: Environment; objects?: number }> {
    const { at, builder, tasksFile, timeline } = this;
    if ("whyNot" in builder) return { environment: await buildByApi(at) };
    const folder = this.sandbox.workspace.at("terraform");
    const say = (line: string) => timeline.say(line);
    const ground = { at, folder, program: builder.terraform, tasksFile, bucket, say };
    return buildByTerraform(ground, this.ending.signal);
  }

  private get whole(): Built {
    if (!this.built) throw new Error("the world isn't built yet");
    return this.built;
  }

  get environment(): Environment {
    return this.whole.environment;
  }

  get store(): S3ObjectStore {
    return this.whole.store;
  }

  get building(): Building {
    return this.whole.building;
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

  /** The document with the environment's phase. */
  phases(): Promise<CurrentFailback> {
    return new PhaseStore(this.store, systemClock, this.environment.environment).read();
  }

  async failbackId(): Promise<string> {
    return (await this.phases()).failbackId;
  }

  /** First start of every DMS task; returns when each table is loaded. */
  async startTasks(): Promise<void> {
    const tasks = new AwsReplicationTasks({ region });
    const arns = this.environment.replicationTasks.map(({ arn }) => arn);
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
    const { environment } = this;
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
    this.ending.abort();
    await this.under;
    await Promise.allSettled(Object.values(this.clients).map((client: MongoClient) => client.close()));
    await this.sandbox[Symbol.asyncDispose]();
    await this.slack?.[Symbol.asyncDispose]();
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
