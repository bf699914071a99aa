/** DocumentDB as a stand-in with the users of normal times, and versions of secrets in memory. For the credential actions. */
import { MongoClient, MongoServerError } from "mongodb";
import { systemClock } from "../../adapters/clock.ts";
import type { RoleReference } from "../../core/access/principal.ts";
import type { ActionResult } from "../../core/failback/documents.ts";
import { Sandbox } from "../../sandbox/up/sandbox.ts";
import { createDatabases } from "../../services/access/databases.ts";
import { findAction } from "../../services/actions/parameters.ts";
import { loadAction } from "../../services/actions/registry.ts";
import { type ActionRun, runAction } from "../../services/actions/run-action.ts";
import type { ServiceContext } from "../../services/runtime/definition.ts";
import type { MemorySecretVersions } from "./memory-secret-versions.ts";
import { ServiceWorld, worldEnvironment } from "./service-world.ts";

/** What Roundtrip's operator needs on DocumentDB for this, and no more. */
const operatorRoles = [
  { role: "userAdminAnyDatabase", db: "admin" },
  { role: "clusterMonitor", db: "admin" },
];
export const oldPassword = "old-password-7f3a";

export class CredentialsWorld implements AsyncDisposable {
  readonly versions: MemorySecretVersions;
  private readonly clients: MongoClient[] = [];

  private constructor(
    readonly sandbox: Sandbox,
    readonly world: ServiceWorld,
    readonly root: MongoClient,
    readonly host: string,
  ) {
    this.versions = world.service.secretVersions as MemorySecretVersions;
    this.clients.push(root);
  }

  static async start(operator: readonly RoleReference[] = operatorRoles): Promise<CredentialsWorld> {
    const sandbox = await Sandbox.start({ only: ["documentdb"] });
    const uri = sandbox.addresses.documentdb!;
    const root = await new MongoClient(uri).connect();
    const create = (createUser: string, roles: readonly RoleReference[]) =>
      root.db("admin").command({ createUser, pwd: oldPassword, roles });
    await create("operator", operator);
    await create("dms", [{ role: "readWriteAnyDatabase", db: "admin" }]);
    await create("application", [{ role: "read", db: "shop" }]);
    const { host: address } = new URL(uri.replace("mongodb:", "http:"));
    const [host = "", port = ""] = address.split(":");
    const login = (username: string) => ({ username, password: oldPassword, host, port });
    const world = new ServiceWorld({
      clock: systemClock,
      secrets: {
        "documentdb-secret": login("operator"),
        "dms-secret": { ...login("dms"), engine: "mongo" },
        "application-secret": { username: "application", password: oldPassword },
      },
      environment: {
        ...worldEnvironment,
        documentdb: { ...worldEnvironment.documentdb, administrators: ["operator", "root"] },
      },
    });
    await world.enter("normal");
    return new CredentialsWorld(sandbox, world, root, address);
  }

  /** Runs an action as the worker would, with a connection of its own. */
  async run(name: string, given: Record<string, string>, service?: ServiceContext): Promise<ActionRun> {
    const metadata = findAction(name);
    const values = new Map<string, string>();
    for (const parameter of metadata.parameters) {
      const value = given[parameter.name] ?? parameter.default;
      if (value !== undefined) values.set(parameter.name, value);
    }
    const context = service ?? this.world.service;
    await using databases = createDatabases(context.environment, context.secrets, "test");
    return runAction(
      metadata,
      await loadAction(name),
      { failbackId: "", values },
      { service: context, databases },
    );
  }

  async must(name: string, given: Record<string, string>): Promise<ActionResult> {
    const { result, failure } = await this.run(name, given);
    if (failure) throw failure;
    return result;
  }

  /** A connection as a user; the code of the refusal when there is one. */
  async login(username: string, password: string): Promise<number> {
    const client = new MongoClient(`mongodb://${this.host}/`, {
      auth: { username, password },
      authSource: "admin",
      authMechanism: "SCRAM-SHA-1",
      retryWrites: false,
    });
    try {
      await client.connect();
      return 0;
    } catch (error) {
      if (error instanceof MongoServerError) return Number(error.code);
      throw error;
    } finally {
      await client.close();
    }
  }

  async users(): Promise<Record<string, readonly RoleReference[]>> {
    const { users } = await this.root.db("admin").command({ usersInfo: 1 });
    return Object.fromEntries(
      (users as { user: string; roles: RoleReference[] }[]).map(({ user, roles }) => [user, roles]),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.clients.map((client) => client.close()));
    this.world[Symbol.dispose]();
    await this.sandbox[Symbol.asyncDispose]();
  }
}
