import { randomBytes } from "node:crypto";
import { CreateSecretCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { type Db, MongoClient } from "mongodb";
import { drillCollections } from "../scope.ts";
import type { Addresses } from "./addresses.ts";

const users = [
  "roundtrip_mongodb",
  "dms_source",
  "shop_mongodb",
  "roundtrip_documentdb",
  "dms_target",
  "shop",
] as const;
export type UserName = (typeof users)[number];
export type Passwords = Readonly<Record<UserName, string>>;

/** Every user but the one DMS writes with, where Terraform makes its secret and the stack's function the user. */
export const usersWithoutReplication: readonly UserName[] = users.filter((name) => name !== "dms_target");

/** The databases of the drill's scope. */
export const databases = [...new Set(drillCollections.map(({ database }) => database))];
export const environmentName = "drill";

/** New random passwords for every user. */
export function newPasswords(): Passwords {
  const entries = users.map((name) => [name, randomBytes(12).toString("hex")]);
  return Object.fromEntries(entries) as Passwords;
}

/** Runs with a connected client and closes it, whatever happens. */
async function withClient<T>(uri: string, work: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = await new MongoClient(uri).connect();
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

function userUri(uri: string, user: string, password: string): string {
  const url = new URL(uri.replace(/^mongodb:/, "http:").replace(/@([^/]+)\//, "@hosts.invalid/"));
  const hosts = /@([^/]+)\//.exec(uri)?.[1] ?? "";
  return `mongodb://${user}:${password}@${hosts}/${url.search}`;
}

/** The connection string of one of the drill's users. */
export function uriOf(at: Addresses, passwords: Passwords, name: UserName): string {
  const onMongodb = name === "roundtrip_mongodb" || name === "dms_source" || name === "shop_mongodb";
  const login = name === "shop_mongodb" ? "shop" : name;
  return userUri(onMongodb ? at.mongodb : at.documentdb, login, passwords[name]);
}

/** Creates the users of both databases, with the roles docs/users-and-secrets.md names. */
export async function createUsers(
  at: Addresses,
  passwords: Passwords,
  only: readonly UserName[] = users,
): Promise<void> {
  await withClient(at.mongodb, (mongodb) => createMongodbUsers(mongodb.db("admin"), passwords));
  await withClient(at.documentdb, (documentdb) =>
    createDocumentdbUsers(documentdb.db("admin"), passwords, only),
  );
}

type Roles = readonly { role: string; db: string }[];

const everywhere = (role: string) => ({ role, db: "admin" });

function create(db: Db, createUser: string, pwd: string, roles: Roles) {
  return db.command({ createUser, pwd, roles });
}

async function createMongodbUsers(admin: Db, passwords: Passwords): Promise<void> {
  const create = (
    db: typeof admin,
    createUser: string,
    pwd: string,
    roles: readonly { role: string; db: string }[],
  ) => db.command({ createUser, pwd, roles });
  await create(admin, "roundtrip_mongodb", passwords.roundtrip_mongodb, [
    // backup and restore carry dumping and bypassWriteBlockingMode; clusterAdmin the write block and TTL switch.
    ...[
      "backup",
      "restore",
      "clusterAdmin",
      "readWriteAnyDatabase",
      "dbAdminAnyDatabase",
      "userAdminAnyDatabase",
    ].map(everywhere),
    { role: "read", db: "local" },
  ]);
  await create(admin, "dms_source", passwords.dms_source, [
    everywhere("readAnyDatabase"),
    { role: "read", db: "local" },
  ]);
  await create(
    admin,
    "shop",
    passwords.shop_mongodb,
    databases.map((db) => ({ role: "readWrite", db })),
  );
}

async function createDocumentdbUsers(
  cluster: Db,
  passwords: Passwords,
  only: readonly UserName[],
): Promise<void> {
  await create(cluster, "roundtrip_documentdb", passwords.roundtrip_documentdb, [everywhere("root")]);
  if (only.includes("dms_target"))
    await create(cluster, "dms_target", passwords.dms_target, [everywhere("readWriteAnyDatabase")]);
  await create(
    cluster,
    "shop",
    passwords.shop,
    databases.map((db) => ({ role: "read", db })),
  );
}

/** One secret a user: its URI, and the parts DMS wants. */
export async function createSecrets(
  secrets: SecretsManagerClient,
  at: Addresses,
  passwords: Passwords,
  only: readonly UserName[] = users,
): Promise<void> {
  for (const name of only) {
    const uri = uriOf(at, passwords, name);
    const hosts = /@([^/]+)\//.exec(uri)?.[1] ?? "";
    const [host = "", port = ""] = hosts.split(",")[0]?.split(":") ?? [];
    const username = name === "shop_mongodb" ? "shop" : name;
    const SecretString = JSON.stringify({ uri, username, password: passwords[name], host, port });
    await secrets.send(new CreateSecretCommand({ Name: secretName(name), SecretString }));
  }
}

export function secretName(user: UserName): string {
  return `roundtrip/${environmentName}/${user}`;
}

/** The cluster's master user, as DocumentDB was made with it: its login and where it answers. */
export function masterOf(at: Pick<Addresses, "documentdb">): {
  username: string;
  password: string;
  host: string;
  port: string;
} {
  const { username, password, hostname, port } = new URL(at.documentdb.replace(/^mongodb:/, "http:"));
  return { username, password, host: hostname, port };
}

export const slackSecret = `roundtrip/${environmentName}/slack`;

export const masterSecret = `roundtrip/${environmentName}/master`;

/** The secret Terraform makes the cluster with. */
export async function createMasterSecret(secrets: SecretsManagerClient, at: Addresses): Promise<void> {
  const { username, password } = masterOf(at);
  const SecretString = JSON.stringify({ username, password, tls: "false" });
  await secrets.send(new CreateSecretCommand({ Name: masterSecret, SecretString }));
}
