/**
 * Both databases as stand-ins with users of minimal rights, and everything else of a failback in this process: the
 * bucket in memory, the real capture as the unit replication.service. For scenarios of actions, drain and clean.
 */
import { MongoClient, type MongoClientOptions } from "mongodb";
import { systemClock } from "../../adapters/clock.ts";
import { MemoryObjectStore } from "../../adapters/memory/object-store.ts";
import { writeJson } from "../../adapters/state/json.ts";
import type { RoleReference } from "../../core/access/principal.ts";
import type { ActionResult, Environment, Scope } from "../../core/failback/documents.ts";
import { startDatabase } from "../../sandbox/up/database.ts";
import { Sandbox } from "../../sandbox/up/sandbox.ts";
import { createDatabases, type Databases } from "../../services/access/databases.ts";
import { findAction } from "../../services/actions/parameters.ts";
import { loadAction } from "../../services/actions/registry.ts";
import { type ActionRun, runAction } from "../../services/actions/run-action.ts";
import { replicateFromDocumentdb } from "../../services/replication/documentdb.ts";
import { ServiceWorld, up, worldEnvironment, worldFailbackId, worldScope } from "./service-world.ts";

const password = "correct-horse";

/** What Roundtrip's own users need, and no more; docs/ names the same. */
const operatorRoles: RoleReference[] = [
  { role: "userAdminAnyDatabase", db: "admin" },
  { role: "readAnyDatabase", db: "admin" },
  { role: "clusterManager", db: "admin" },
  { role: "clusterMonitor", db: "admin" },
  { role: "hostManager", db: "admin" },
  { role: "readWrite", db: "roundtrip_control" },
];
const mongodbRoles: RoleReference[] = [
  "backup",
  "restore",
  "clusterManager",
  "clusterMonitor",
  "hostManager",
  "userAdminAnyDatabase",
  "readWriteAnyDatabase",
  "dbAdminAnyDatabase",
].map((role) => ({ role, db: "admin" }));

export interface FailbackWorldOptions {
  /** MongoDB's version; below 6.0 there is no write block. */
  readonly mongodbVersion?: string;
  /** DocumentDB: how long sessions opened before a demotion keep their rights. */
  readonly staleAuthorizationMs?: number;
  readonly scope?: Partial<Scope>;
  readonly environment?: Partial<Environment["documentdb"]>;
}

export class FailbackWorld implements AsyncDisposable {
  private readonly clients: MongoClient[] = [];
  private capture: { stop: AbortController; ended: Promise<void> } | undefined;
  captureError: unknown;

  private constructor(
    readonly sandbox: Sandbox,
    readonly world: ServiceWorld,
    readonly databases: Databases,
    readonly mongodbUri: string,
    private readonly ending: AsyncDisposableStack,
  ) {}

  static async start(options: FailbackWorldOptions = {}): Promise<FailbackWorld> {
    await using ending = new AsyncDisposableStack();
    const sandbox = ending.use(await Sandbox.start({ only: ["documentdb"] }));
    const version = options.mongodbVersion;
    const mongodb = ending.use(
      await startDatabase({
        dir: sandbox.workspace.at("mongodb"),
        name: "mongodb",
        parameters: version ? ["--server-version", version] : [],
      }),
    );
    const secrets = {
      "documentdb-secret": { uri: withUser(sandbox.addresses.documentdb!, "operator", password) },
      "mongodb-secret": { uri: withUser(mongodb.ready.uri, "roundtrip", password) },
      "application-secret": { username: "application", password },
      "dms-secret": { username: "dms", password },
      "batch-secret": { username: "batch", password },
    };
    const documentdb = {
      ...worldEnvironment.documentdb,
      administrators: ["operator", "root"],
      ...options.environment,
    };
    const world = new ServiceWorld({
      store: new MemoryObjectStore(),
      clock: systemClock,
      secrets,
      environment: { ...worldEnvironment, documentdb },
      scope: { ...worldScope, ...options.scope },
      settings: { maxDelayMs: 5 },
    });
    ending.use(world);
    const databases = ending.use(createDatabases(world.service.environment, world.service.secrets, "test"));
    const made = new FailbackWorld(sandbox, world, databases, mongodb.ready.uri, ending.move());
    try {
      await made.prepare(options.staleAuthorizationMs ?? 0);
    } catch (error) {
      await made[Symbol.asyncDispose]();
      throw error;
    }
    return made;
  }

  /** A client of one side, as root by default; closed with the world. */
  async client(
    side: "documentdb" | "mongodb",
    user = "root",
    options: MongoClientOptions = {},
  ): Promise<MongoClient> {
    const root = side === "documentdb" ? this.sandbox.addresses.documentdb! : this.mongodbUri;
    const uri = user === "root" ? root : withUser(root, user, password);
    const client = await new MongoClient(uri, { serverSelectionTimeoutMS: 5000, ...options }).connect();
    this.clients.push(client);
    return client;
  }

  /** Runs an action as the worker would, without its process. */
  async run(name: string, parameters: Readonly<Record<string, string>> = {}): Promise<ActionRun> {
    const metadata = findAction(name);
    const defaults = metadata.parameters.map(
      ({ name: parameter, default: value = "" }) => [parameter, value] as const,
    );
    const values = new Map<string, string>([...defaults, ...Object.entries(parameters)]);
    const given = { failbackId: metadata.failback ? worldFailbackId : "", values };
    const { service } = this.world;
    return runAction(metadata, await loadAction(name), given, { service, databases: this.databases });
  }

  /** Runs an action that has to succeed. */
  async must(name: string, parameters: Readonly<Record<string, string>> = {}): Promise<ActionResult> {
    const { result, failure } = await this.run(name, parameters);
    if (failure) throw failure;
    return result;
  }

  /** From phase normal to application users that write, as failback-start does it. */
  async startFailback(allowRemove = "true"): Promise<void> {
    await this.world.enter("normal");
    await this.must("record-identity", { databases: "shop" });
    await this.recordCheckpoint();
    await this.world.enter("capturing");
    await this.must("demote-writers");
    await this.must("enable-change-streams");
    await this.must("start-service", { unit: "replication.service" });
    await this.must("canary");
    await this.must("grant-writers", { "allow-remove": allowRemove });
  }

  /** What failback-start records of DMS: its checkpoint is now. */
  async recordCheckpoint(): Promise<void> {
    const client = await this.client("mongodb");
    const { operationTime } = await client.db("admin").command({ ping: 1 });
    const timestamp = { t: operationTime.getHighBitsUnsigned(), i: operationTime.getLowBitsUnsigned() };
    const tasks = [{ id: "shop", checkpoint: { raw: "checkpoint", timestamp } }];
    await writeJson(this.world.store, this.world.keys.replicationTasks, { tasks });
  }

  private async prepare(staleAuthorizationMs: number): Promise<void> {
    const documentdb = await this.client("documentdb");
    await documentdb.db("admin").command({ _sandbox: "set", staleAuthorizationMs: 0 });
    const create = async (client: MongoClient, user: string, roles: RoleReference[]) =>
      client.db("admin").command({ createUser: user, pwd: password, roles });
    await create(documentdb, "operator", operatorRoles);
    await create(documentdb, "application", [{ role: "read", db: "shop" }]);
    await create(documentdb, "dms", [{ role: "readWriteAnyDatabase", db: "admin" }]);
    const mongodb = await this.client("mongodb");
    await create(mongodb, "roundtrip", mongodbRoles);
    await create(mongodb, "shop-service", [{ role: "readWrite", db: "shop" }]);
    for (const client of [documentdb, mongodb]) {
      await client
        .db("shop")
        .collection("orders")
        .insertOne({ _id: 1 as never, total: 5 });
      await client.db("shop").collection("orders").createIndex({ number: 1 }, { unique: true, sparse: true });
      await client.db("shop").createCollection("customers");
    }
    await documentdb.db("admin").command({ _sandbox: "set", staleAuthorizationMs });
    this.followUnits();
  }

  /** replication.service is the real capture, in this process. */
  private followUnits(): void {
    const { units, service, stop } = this.world;
    units.onStart = (unit) => {
      if (unit === "replication.service") this.startCapture();
      return up;
    };
    const stopUnit = units.stop.bind(units);
    units.stop = async (unit) => {
      if (unit === "replication.service") await this.stopCapture();
      await stopUnit(unit);
    };
    void service;
    void stop;
  }

  private startCapture(): void {
    if (this.capture) return;
    const stop = new AbortController();
    const { service, units } = this.world;
    const ended = replicateFromDocumentdb({ ...service, name: "replication", signal: stop.signal }).catch(
      (error: unknown) => {
        this.captureError = error;
        units.states.set("replication.service", {
          ...up,
          active: "failed",
          result: "exit-code",
          exitStatus: 1,
        });
      },
    );
    this.capture = { stop, ended };
    // The status object a service of its own would write.
    const now = () => service.clock.now().toISOString();
    void writeJson(this.world.store, this.world.keys.status("replication"), {
      state: "running",
      updatedAt: now(),
    });
  }

  private async stopCapture(): Promise<void> {
    this.capture?.stop.abort(new Error("SIGTERM"));
    await this.capture?.ended;
    this.capture = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopCapture();
    await Promise.all(this.clients.map((client) => client.close().catch(() => {})));
    await this.ending[Symbol.asyncDispose]();
  }
}

function withUser(uri: string, user: string, userPassword: string): string {
  return uri.replace(/\/\/[^@]*@/, `//${user}:${userPassword}@`);
}
