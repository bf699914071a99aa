import { connect } from "../../adapters/mongo/connect.ts";
import {
  readData,
  readDmsUser,
  readOplogFacts,
  readTopology,
} from "../../adapters/mongo/preflight-source.ts";
import { hasUserWriteBlock } from "../../adapters/mongo/write-block.ts";
import type { Privilege } from "../../core/access/principal.ts";
import { missingPrivileges, requiredPrivileges } from "../../core/access/required-privileges.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { DmsUserFacts, MongodbFacts } from "../../core/preflight/model.ts";
import type { Server } from "../access/databases.ts";
import type { ActionContext } from "../actions/action.ts";
import { fact, selectionMsMax, tell } from "./fact.ts";

/** In a parameter: the source endpoint names none. */
const none = "-";

/** What MongoDB shows of itself, of its users and of a few documents. Fails as the connection does. */
export async function readMongodb(context: ActionContext, signal: AbortSignal): Promise<MongodbFacts> {
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
