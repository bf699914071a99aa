import { isClusterStreamOn } from "../../adapters/mongo/change-stream-scopes.ts";
import { connect } from "../../adapters/mongo/connect.ts";
import {
  readData,
  readDmsUser,
  readOplogFacts,
  readTopology,
} from "../../adapters/mongo/preflight-source.ts";
import { hasUserWriteBlock } from "../../adapters/mongo/write-block.ts";
import type { Privilege, RoleReference } from "../../core/access/principal.ts";
import { missingPrivileges, requiredPrivileges } from "../../core/access/required-privileges.ts";
import { RoundtripError } from "../../core/errors.ts";
import { preflightKey } from "../../core/failback/layout.ts";
import type {
  DmsUserFacts,
  DocumentdbFacts,
  Fact,
  HostFacts,
  MongodbFacts,
  SecretFacts,
} from "../../core/preflight/model.ts";
import type { Server } from "../access/databases.ts";
import { type Action, type ActionContext, passed } from "./action.ts";
import { keepDocument } from "./keep-document.ts";

const selectionMsMax = 8000;
/** All is read within this time, so that the answer is in the bucket before SSM ends the command. */
const readingMsMax = 200_000;
const none = "-";

/**
 * Reads what only the host can see of an environment (secrets, both databases, its way to EC2) and leaves the facts in
 * the bucket; `roundtrip preflight` judges them. It only looks: what can't be read says why in its place.
 */
export const run: Action = async (context) => {
  const { service } = context;
  const takenAt = service.clock.now();
  const deadline = AbortSignal.any([service.signal, AbortSignal.timeout(readingMsMax)]);
  const [ec2, secrets, mongodb, documentdb] = await Promise.all([
    readEc2(context),
    readSecrets(context),
    fact(() => readMongodb(context, deadline)),
    fact(() => readDocumentdb(context)),
  ]);
  const facts: HostFacts = {
    version: 1,
    environment: service.environment.environment,
    takenAt: takenAt.toISOString(),
    ec2,
    secrets,
    mongodb,
    documentdb,
  };
  const data = await keepDocument(service.store, preflightKey(takenAt, service.run), facts);
  return { checks: [passed("facts for preflight", "kept in the bucket", data.key)], data };
};

/** The value, or why there is none. */
async function fact<T>(read: () => Promise<T>): Promise<Fact<T>> {
  try {
    return { value: await read() };
  } catch (error) {
    if (error instanceof RoundtripError && error.kind === "interrupted") throw error;
    if (error instanceof RoundtripError) return { unknown: `${error.what}: ${error.got}` };
    return { unknown: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }
}

function readEc2({ service, instances }: ActionContext): Promise<Fact<string>> {
  const { instanceId } = service.environment;
  return fact(async () => {
    if (!instances) throw new Error("this program was started without a way to EC2");
    return `failback host ${instanceId} is ${await instances.state(instanceId)}`;
  });
}

async function readSecrets({ service }: ActionContext): Promise<SecretFacts[]> {
  const { documentdb, mongodb } = service.environment;
  const users = [documentdb.replicationUser, ...documentdb.applicationUsers, ...documentdb.otherWriters];
  const wanted = [
    { name: mongodb.secret, use: "Roundtrip on MongoDB", address: true },
    { name: documentdb.secret, use: "Roundtrip on DocumentDB", address: true },
    ...users.map(({ name, secret }) => ({ name: secret, use: `user ${name} on DocumentDB`, address: false })),
  ];
  return Promise.all(
    wanted.map(async (each) => ({
      ...each,
      fields: await fact(async () => Object.keys(filled(await service.secrets.get(each.name))).sort()),
    })),
  );
}

function filled(secret: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(secret).filter(([, value]) => value !== ""));
}

async function readMongodb(context: ActionContext, signal: AbortSignal): Promise<MongodbFacts> {
  const { databases, parameter } = context;
  const server = await databases.open("mongodb", { serverSelectionTimeoutMs: selectionMsMax });
  const { client } = server;
  const asked = parameter("databases") === "*" ? undefined : parameter("databases").split(",");
  const told = <T>(what: string, read: () => Promise<T>) => fact(() => tell(server, what, read));
  const { version } = await server.command("admin", { buildInfo: 1 }, "ask for the version");
  return {
    version: String(version),
    topology: await tell(server, "ask what it is", () => readTopology(client)),
    tls: client.options.tls === true,
    oplog: await told("read the oplog", () => readOplogFacts(client)),
    dmsUser: await fact(() => readSourceUser(context, server)),
    lacking: await told("read the privileges of Roundtrip's user", () => readLacking(server, asked ?? [])),
    data: await told("look at collections and documents", () => readData(client, asked, signal)),
  };
}

async function tell<T>(server: Server, what: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw server.failure(error, what);
  }
}

async function readLacking(server: Server, databases: readonly string[]): Promise<string[]> {
  const shown = await server.command(
    "admin",
    { connectionStatus: 1, showPrivileges: true },
    "read privileges",
  );
  const held = shown.authInfo.authenticatedUserPrivileges as Privilege[];
  return missingPrivileges(held, requiredPrivileges(databases, await hasUserWriteBlock(server.client)));
}

/** The user the DMS source endpoint names, by its secret or by its name. */
async function readSourceUser({ service, parameter }: ActionContext, server: Server): Promise<DmsUserFacts> {
  const secretName = parameter("source-secret");
  const db = parameter("source-auth-database");
  if (secretName === none) {
    const name = parameter("source-user");
    if (name === none) throw new Error("DMS has no source endpoint that names a user or a secret");
    return {
      ...(await tell(server, `read user ${name}`, () => readDmsUser(server.client, { name, db }))),
      login: "untried",
    };
  }
  const { username: name, password } = await service.secrets.get(secretName);
  if (!name || !password) throw new Error(`secret ${secretName} has no ${name ? "password" : "username"}`);
  const user = await tell(server, `read user ${name}`, () => readDmsUser(server.client, { name, db }));
  const address = await service.secrets.get(service.environment.mongodb.secret);
  return { ...user, login: await login(address, secretName, { username: name, password }, db) };
}

/** As DMS logs in: with SCRAM-SHA-1, at the address Roundtrip's own user has. */
async function login(
  address: Readonly<Record<string, string>>,
  secretName: string,
  auth: { readonly username: string; readonly password: string },
  authSource: string,
): Promise<DmsUserFacts["login"]> {
  try {
    const client = await connect(address, {
      server: "MongoDB",
      secretName,
      appName: "roundtrip-preflight",
      serverSelectionTimeoutMs: selectionMsMax,
      driver: { auth, authSource, authMechanism: "SCRAM-SHA-1", maxPoolSize: 1 },
    });
    await client.close();
    return "accepted";
  } catch (error) {
    if (error instanceof RoundtripError && error.kind === "denied") return "refused";
    throw error;
  }
}

async function readDocumentdb({ databases }: ActionContext): Promise<DocumentdbFacts> {
  const server = await databases.open("documentdb", { serverSelectionTimeoutMs: selectionMsMax });
  const { version } = await server.command("admin", { buildInfo: 1 }, "ask for the version");
  const { authInfo } = await server.command(
    "admin",
    { connectionStatus: 1 },
    "read the roles of Roundtrip's user",
  );
  const roles = (authInfo.authenticatedUserRoles ?? []) as RoleReference[];
  return {
    version: String(version),
    tls: server.client.options.tls === true,
    roles: roles.map(({ role, db }) => ({ role, db })),
    streams: await fact(() =>
      tell(server, "list change streams", async () =>
        (await isClusterStreamOn(server.client)) ? "on" : "off",
      ),
    ),
    users: await fact(async () => (await server.access.principals()).map(({ user }) => user).sort()),
  };
}
