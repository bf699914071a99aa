/** MongoDB's and DocumentDB's stand-ins, and failbacks on them up to the moment restore begins. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Collection, type Db, MongoClient } from "mongodb";
import { systemClock } from "../../adapters/clock.ts";
import { newestManifest } from "../../adapters/log/manifests.ts";
import { MemoryObjectStore } from "../../adapters/memory/object-store.ts";
import { readCatalog } from "../../adapters/mongo/catalog.ts";
import { setClusterStream } from "../../adapters/mongo/change-stream-scopes.ts";
import { operationTime, oplogWindow, replicaSetIdentity } from "../../adapters/mongo/replica-set.ts";
import { insertSignal } from "../../adapters/mongo/signals.ts";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import { PhaseStore } from "../../adapters/state/phase-store.ts";
import type { RoundtripError } from "../../core/errors.ts";
import {
  type CurrentFailback,
  defaultSettings,
  type MongodbIdentity,
  type Scope,
  type Settings,
  type Verdict,
} from "../../core/failback/documents.ts";
import { currentKey, identityKey, keysOf } from "../../core/failback/layout.ts";
import type { ObjectStore } from "../../core/ports.ts";
import { Sandbox } from "../../sandbox/up/sandbox.ts";
import { createDatabases } from "../../services/access/databases.ts";
import { dumpKeys } from "../../services/backup/dump-store.ts";
import { replicateFromDocumentdb } from "../../services/replication/documentdb.ts";
import { runRestore } from "../../services/restore/run.ts";
import type { ServiceContext } from "../../services/runtime/service.ts";
import { testCapture, testEnvironment } from "./capture-context.ts";
import { MemorySecretVersions } from "./memory-secret-versions.ts";
import { waitFor } from "./wait-for.ts";

const collections = ["orders", "items", "new"] as const;

export class RestoreWorld implements AsyncDisposable {
  private scenarios = 0;

  private constructor(
    readonly sandbox: Sandbox,
    readonly mongodb: MongoClient,
    readonly documentdb: MongoClient,
  ) {}

  static async start(): Promise<RestoreWorld> {
    const sandbox = await Sandbox.start({ only: ["database", "documentdb"] });
    const mongodb = await new MongoClient(sandbox.addresses.mongodb!).connect();
    const documentdb = await new MongoClient(sandbox.addresses.documentdb!).connect();
    await setClusterStream(documentdb, true);
    return new RestoreWorld(sandbox, mongodb, documentdb);
  }

  /** A failback on a database of its own, so that tests of one world don't meet. */
  async scenario(
    options: { settings?: Partial<Settings>; store?: MemoryObjectStore } = {},
  ): Promise<Scenario> {
    const name = `shop${++this.scenarios}`;
    return Scenario.open(this, name, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.mongodb?.close();
    await this.documentdb?.close();
    await this.sandbox[Symbol.asyncDispose]();
  }
}

export interface Order {
  readonly _id: number | string;
  readonly sku?: string;
  readonly value?: unknown;
  readonly serial?: number;
}

export interface Outcome {
  readonly error?: RoundtripError;
  readonly verdict?: Verdict;
}

/** Waits until the server's time is a second further. */
async function settled(client: MongoClient): Promise<void> {
  const before = await operationTime(client);
  await waitFor("the next second of the oplog", async () => {
    await client.db("elsewhere").collection("noise").insertOne({});
    return (await operationTime(client)).t > before.t;
  });
}

/** One failback; `seed` first on both sides, then writes on either, then `restore`. */
export class Scenario implements AsyncDisposable {
  readonly keys: ReturnType<typeof keysOf>;
  private capturing: { stop(): void; ended: Promise<void> } | undefined;
  private readonly directory = mkdtempSync(join(tmpdir(), "roundtrip-restore-"));

  private constructor(
    readonly world: RestoreWorld,
    readonly database: string,
    readonly store: MemoryObjectStore,
    readonly scope: Scope,
    private readonly settings: Partial<Settings>,
  ) {
    this.keys = keysOf(scope.failbackId);
  }

  static async open(
    world: RestoreWorld,
    database: string,
    options: { settings?: Partial<Settings>; store?: MemoryObjectStore },
  ): Promise<Scenario> {
    const store = options.store ?? new MemoryObjectStore();
    const failbackId = `fb-${database}`;
    const scope: Scope = {
      version: 1,
      failbackId,
      environment: "test",
      commit: "0".repeat(40),
      openedAt: new Date().toISOString(),
      databases: [{ name: database, collections }],
      applicationUsers: [],
    };
    await writeJson(store, keysOf(failbackId).scope, scope);
    return new Scenario(world, database, store, scope, options.settings ?? {});
  }

  get mongodb(): Db {
    return this.world.mongodb.db(this.database);
  }

  get documentdb(): Db {
    return this.world.documentdb.db(this.database);
  }

  orders(side: "mongodb" | "documentdb"): Collection<Order> {
    return this[side].collection<Order>("orders");
  }

  /** As after a full load: the same documents and unique index on both sides, and a checkpoint of DMS behind them. */
  async seed(documents: readonly Order[] = [], onMongodb?: (mongodb: Db) => Promise<unknown>): Promise<void> {
    for (const side of [this.mongodb, this.documentdb]) {
      await side.createCollection("orders");
      await side.collection("orders").createIndex({ sku: 1 }, { unique: true, sparse: true });
      if (documents.length > 0) await side.collection<Order>("orders").insertMany([...documents]);
    }
    await onMongodb?.(this.mongodb);
    const client = this.world.mongodb;
    const { first, last } = await oplogWindow(client);
    const now = new Date();
    const identity: MongodbIdentity = {
      version: 1,
      ...(await replicaSetIdentity(client)),
      recordedAt: now.toISOString(),
      firstOplog: first,
      lastOplog: last,
      catalog: await readCatalog(client, [this.database], now),
    };
    await writeJson(this.store, identityKey, identity);
    await this.checkpointNow();
    const catalog = await readCatalog(this.world.documentdb, [this.database], now);
    await writeJson(this.store, this.keys.catalog("documentdb-start"), catalog);
  }

  /** DMS is taken to have carried everything MongoDB has taken so far. */
  async checkpointNow(): Promise<void> {
    await settled(this.world.mongodb);
    const checkpoint = { raw: "checkpoint", timestamp: await operationTime(this.world.mongodb) };
    await writeJson(this.store, this.keys.replicationTasks, { tasks: [{ id: "task", checkpoint }] });
  }

  /** Opens the failback and captures from now on. */
  async capture(): Promise<void> {
    const phases = new PhaseStore(this.store, systemClock, "test");
    await phases.open(this.scope.failbackId, "test");
    // The start point is inclusive: what was written last is none of the scope's.
    await this.world.documentdb.db("elsewhere").collection("noise").insertOne({});
    await writeJson(this.store, this.keys.startPoint, {
      version: 1,
      failbackId: this.scope.failbackId,
      operationTime: await operationTime(this.world.documentdb),
      recordedAt: new Date().toISOString(),
    });
    await this.resumeCapture();
  }

  async resumeCapture(): Promise<void> {
    const stop = new AbortController();
    const context = await this.context("replication", this.store, stop.signal);
    const ended = replicateFromDocumentdb(context);
    ended.catch(() => {});
    this.capturing = { stop: () => stop.abort(new Error("SIGTERM")), ended };
  }

  async stopCapture(): Promise<void> {
    this.capturing?.stop();
    await this.capturing?.ended;
    this.capturing = undefined;
  }

  /** MongoDB closed, its dump complete, users out, the sentinel in the log: everything restore waits for. */
  async drain(): Promise<void> {
    const { failbackId } = this.scope;
    const now = () => new Date().toISOString();
    await writeJson(this.store, this.keys.closing, {
      version: 1,
      failbackId,
      method: "user-write-block",
      ttl: [],
      blockTime: await operationTime(this.world.mongodb),
      closedAt: now(),
    });
    const dump = dumpKeys(failbackId, "mongodb", "run");
    await this.store.put(dump.archive, new Uint8Array(10));
    await writeJson(this.store, dump.manifest, {
      version: 1,
      failbackId,
      side: "mongodb",
      key: dump.archive,
      bytes: 10,
    });
    const sentinelId = `sentinel-${failbackId}`;
    await insertSignal(this.world.documentdb, {
      _id: sentinelId,
      kind: "sentinel",
      failbackId,
      at: new Date(),
    });
    const fence = { version: 1, failbackId, number: 1, sentinelId, writtenAt: now(), refusals: [] };
    await writeJson(this.store, this.keys.fence(1), fence);
    await waitFor("the sentinel in the log", () => this.isInLog(sentinelId));
    const phases = new PhaseStore(this.store, systemClock, "test");
    await phases.move(failbackId, "draining", "test");
    await phases.move(failbackId, "restoring", "test");
  }

  private async isInLog(signalId: string): Promise<boolean> {
    const newest = await newestManifest(this.store, this.scope.failbackId);
    for (let number = newest?.manifest.number ?? 0; number > 0; number--) {
      const found = await this.store.get(this.keys.manifest(number));
      if (new TextDecoder().decode(found?.body).includes(signalId)) return true;
    }
    return false;
  }

  /** Runs restore in this process; `store` may be a view that dies on the way. */
  async restore(store: ObjectStore = this.store, signal = new AbortController().signal): Promise<Outcome> {
    const context = await this.context("restore", store, signal);
    await using databases = createDatabases(context.environment, context.secrets, "roundtrip-restore");
    const error = await runRestore(context, databases).then(
      () => undefined,
      (reason: unknown) => reason as RoundtripError,
    );
    const verdict = (await readJson<Verdict>(this.store, this.keys.verdict))?.value;
    return { ...(error && { error }), ...(verdict && { verdict }) };
  }

  /** The same failback under other settings; the first one is what is disposed. */
  withSettings(settings: Partial<Settings>): Scenario {
    return new Scenario(this.world, this.database, this.store, this.scope, { ...this.settings, ...settings });
  }

  /** Puts the phase back, as if the last step had not been taken. */
  async rewind(phase: CurrentFailback["phase"]): Promise<void> {
    const current = (await readJson<CurrentFailback>(this.store, currentKey))!.value;
    await writeJson(this.store, currentKey, { ...current, phase });
  }

  async phase(): Promise<string> {
    return (await new PhaseStore(this.store, systemClock, "test").read()).phase;
  }

  private async context(name: string, store: ObjectStore, signal: AbortSignal): Promise<ServiceContext> {
    const { context } = await testCapture(store);
    const phaseStore = new PhaseStore(store, systemClock, "test");
    return {
      ...context,
      name,
      environment: testEnvironment,
      settings: { ...defaultSettings, tailMarginSeconds: 0, maxDelayMs: 5, ...this.settings },
      secrets: { get: async (secret) => ({ uri: this.world.sandbox.addresses[secret as "mongodb"]! }) },
      secretVersions: new MemorySecretVersions(),
      phaseStore,
      failback: {
        open: async () => {
          const { phase, failbackId } = await phaseStore.read();
          return { id: failbackId, phase, scope: this.scope, keys: this.keys };
        },
      },
      signal,
      stateDirectory: this.directory,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopCapture().catch(() => {});
    rmSync(this.directory, { recursive: true, force: true });
  }
}
