/** The entity map of one case: what it created, by name. */
import {
  ChangeStream,
  ClientSession,
  type CollectionOptions,
  Db,
  type Document,
  GridFSBucket,
  MongoClient,
} from "mongodb";
import { driverOptions } from "./driver-options.ts";
import { EventRecorder } from "./events.ts";
import type { EntityDefinition } from "./schema.ts";

/** Why a case can't be run here: neither passed nor failed. */
export class NotApplicable extends Error {}

/** Keeps recovery after a failed heartbeat short; internal to the driver, so absent from its types. */
const quickRecovery = { minHeartbeatFrequencyMS: 20, __skipPingOnConnect: true };

function uriWith(uri: string, options: Document): string {
  const [hosts = "", query = ""] = uri.split("?");
  const parameters = new URLSearchParams(query);
  for (const [name, value] of Object.entries(options)) {
    parameters.delete(name);
    for (const one of [value].flat()) parameters.append(name, String(one));
  }
  if (options.directConnection !== true) return `${hosts}?${parameters}`;
  parameters.delete("replicaSet");
  return `${hosts.replace(/,[^/]*/, "")}?${parameters}`;
}

export class Entities {
  readonly #byName = new Map<string, unknown>();
  readonly #recorders = new Map<string, EventRecorder>();
  readonly #uri: string;

  constructor(uri: string) {
    this.#uri = uri;
  }

  /** @throws NotApplicable for kinds of entity this runner has none of (encryption, threads) */
  async create(definitions: readonly EntityDefinition[]): Promise<void> {
    for (const definition of definitions) {
      const [kind, entity] = Object.entries(definition)[0] as [string, Document];
      if (kind === "client") await this.#createClient(entity);
      else this.set(entity.id, this.#make(kind, entity));
    }
  }

  async #createClient(entity: Document): Promise<void> {
    for (const lacking of ["autoEncryptOpts", "observeLogMessages", "observeTracingMessages"]) {
      if (entity[lacking]) throw new NotApplicable(`client option ${lacking}`);
    }
    const options = {
      monitorCommands: true,
      ...quickRecovery,
      ...(entity.serverApi && { serverApi: entity.serverApi }),
    };
    const client = new MongoClient(uriWith(this.#uri, entity.uriOptions ?? {}), options);
    this.#recorders.set(entity.id, new EventRecorder(client, entity));
    this.set(entity.id, client);
    await client.connect();
  }

  #make(kind: string, entity: Document): unknown {
    switch (kind) {
      case "database":
        return this.client(entity.client).db(
          entity.databaseName,
          driverOptions(entity.databaseOptions, this),
        );
      case "collection": {
        const options: CollectionOptions = driverOptions(entity.collectionOptions, this);
        return this.of(entity.database, Db).collection(entity.collectionName, options);
      }
      case "session":
        return this.client(entity.client).startSession(driverOptions(entity.sessionOptions, this));
      case "bucket":
        return new GridFSBucket(this.of(entity.database, Db), driverOptions(entity.bucketOptions, this));
      default:
        throw new NotApplicable(`entities of the kind ${kind}`);
    }
  }

  set(name: string, entity: unknown): void {
    if (this.#byName.has(name)) throw new Error(`entity ${name}: expected a new name, got one that is taken`);
    this.#byName.set(name, entity);
  }

  get(name: string): unknown {
    if (!this.#byName.has(name)) throw new Error(`entity ${name}: expected one of that name, got none`);
    return this.#byName.get(name);
  }

  of<Entity>(name: string, kind: abstract new (...args: never[]) => Entity): Entity {
    const entity = this.get(name);
    if (entity instanceof kind) return entity;
    throw new Error(`entity ${name}: expected a ${kind.name}`);
  }

  client(name: string): MongoClient {
    return this.of(name, MongoClient);
  }

  lsid(name: string): unknown {
    return this.of(name, ClientSession).id;
  }

  recorder(client: string): EventRecorder {
    const recorder = this.#recorders.get(client);
    if (recorder) return recorder;
    throw new Error(`entity ${client}: expected a client`);
  }

  stopRecording(): void {
    for (const recorder of this.#recorders.values()) recorder.stop();
  }

  /** Ends sessions, closes streams and clients; errors of a case's own making (a closed client) don't matter here. */
  async close(): Promise<void> {
    const all = [...this.#byName.values()];
    const closing = all.map((entity) => {
      if (entity instanceof ClientSession) return entity.endSession();
      if (entity instanceof ChangeStream) return entity.close();
      return undefined;
    });
    await Promise.allSettled(closing);
    await Promise.allSettled(
      all.filter((entity) => entity instanceof MongoClient).map((client) => client.close(true)),
    );
  }
}
