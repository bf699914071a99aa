/** The server that backups are restored into to be verified. It is somebody else's until it is proven to be nobody's. */
import { type Document, MongoClient } from "mongodb";
import { connectionString } from "../../adapters/dump/configuration.ts";
import { connect, subjectOf } from "../../adapters/mongo/connect.ts";
import { mongoFailure } from "../../adapters/mongo/failure.ts";
import { replicaSetIdentity } from "../../adapters/mongo/replica-set.ts";
import type { BackupManifest } from "../../core/backup/documents.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { ServiceContext } from "../runtime/definition.ts";

/** Holds the mark of a verification; what stands beside it is that verification's. */
export const markDatabase = "roundtrip_verification";
const markCollection = "owner";
const serversOwn: readonly string[] = ["admin", "config", "local"];
/** A server that isn't a member of a replica set. */
const noReplication = 76;

interface Mark {
  readonly _id: "verification";
  readonly environment: string;
  readonly backupId: string;
  readonly startedAt: string;
}

export interface Scratch extends AsyncDisposable {
  readonly client: MongoClient;
  readonly secretName: string;
  readonly uri: string;
  failure(error: unknown, what: string): RoundtripError;
}

/** Connects to the scratch server. Fails `refused` where none is configured, otherwise as `connect` does. */
export async function openScratch({ environment, secrets }: ServiceContext): Promise<Scratch> {
  const secretName = environment.backups?.scratchSecret;
  if (!secretName) throw noScratch(environment.environment);
  const secret = await secrets.get(secretName);
  const settings = { server: "MongoDB", secretName, appName: "roundtrip-verify-backup" } as const;
  const client = await connect(secret, settings);
  return {
    client,
    secretName,
    uri: connectionString(secret, secretName),
    failure: (error, what) => mongoFailure(error, subjectOf(secret, settings, what)),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** Fails `refused` when the scratch server is the one that was backed up: by its replica set, or by its hosts. */
export async function assertNotSource(
  { environment, secrets }: ServiceContext,
  scratch: Scratch,
  manifest: BackupManifest,
): Promise<void> {
  const identity = await identityOf(scratch.client);
  const { replicaSetId } = manifest.source;
  if (identity && replicaSetId && identity.replicaSetId === replicaSetId) {
    throw isSource(scratch, `replica set ${identity.setName} with id ${replicaSetId}`);
  }
  const sourceSecret = environment.mongodb.secret;
  const source = configuredHosts(connectionString(await secrets.get(sourceSecret), sourceSecret));
  const { hosts = [], me } = await scratch.client.db("admin").command({ hello: 1 });
  const own = [...configuredHosts(scratch.uri), ...(hosts as string[]), ...(me ? [String(me)] : [])];
  const shared = own.find((host) => source.includes(host.toLowerCase()));
  if (shared) throw isSource(scratch, `host ${shared}, which secret ${sourceSecret} names, too`);
}

/**
 * Makes the server ready: empty, with the mark of this verification. What an earlier verification of this environment
 * left is dropped. Fails `refused` when anything else is there.
 */
export async function claim(
  { environment, clock }: ServiceContext,
  { client, secretName }: Scratch,
  backupId: string,
): Promise<void> {
  const mark = await client
    .db(markDatabase)
    .collection<Mark>(markCollection)
    .findOne({ _id: "verification" });
  const there = await namesOf(client);
  if (mark ? mark.environment !== environment.environment : there.length > 0) {
    throw notEmpty(
      secretName,
      mark
        ? `a verification of environment ${mark.environment}, begun ${mark.startedAt}`
        : `${there.slice(0, 5).join(", ")}${there.length > 5 ? ` and ${there.length - 5} more` : ""}`,
    );
  }
  if (mark) await clean(client);
  await client.db(markDatabase).collection<Mark>(markCollection).insertOne({
    _id: "verification",
    environment: environment.environment,
    backupId,
    startedAt: clock.now().toISOString(),
  });
}

/** Drops everything, the mark last: killed in the middle, the next verification knows what it finds. */
export async function clean(client: MongoClient): Promise<void> {
  for (const name of await databasesOf(client)) {
    if (name !== markDatabase) await client.db(name).dropDatabase();
  }
  for (const name of await collectionsInAdmin(client)) await client.db("admin").collection(name).drop();
  await client.db(markDatabase).dropDatabase();
}

/** Databases, and collections that somebody keeps in `admin`. */
async function namesOf(client: MongoClient): Promise<string[]> {
  const inAdmin = (await collectionsInAdmin(client)).map((name) => `admin.${name}`);
  return [...(await databasesOf(client)), ...inAdmin];
}

async function databasesOf(client: MongoClient): Promise<string[]> {
  const { databases } = await client.db("admin").command({ listDatabases: 1, nameOnly: true });
  return (databases as Document[])
    .map(({ name }) => String(name))
    .filter((name) => !serversOwn.includes(name));
}

async function collectionsInAdmin(client: MongoClient): Promise<string[]> {
  const listed = await client.db("admin").listCollections({}, { nameOnly: true }).toArray();
  return listed.map(({ name }) => name).filter((name) => !name.startsWith("system."));
}

/** `undefined` for a server that is no member of a replica set. */
export async function identityOf(
  client: MongoClient,
): Promise<{ setName: string; replicaSetId: string } | undefined> {
  try {
    return await replicaSetIdentity(client);
  } catch (error) {
    if ((error as { code?: unknown }).code === noReplication) return undefined;
    throw error;
  }
}

/** As the connection string names them, without a connection. */
function configuredHosts(uri: string): string[] {
  const { hosts, srvHost } = new MongoClient(uri).options;
  return [...hosts.map(String), ...(srvHost ? [srvHost] : [])].map((host) => host.toLowerCase());
}

function noScratch(environment: string): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what: "restore the backup to compare it",
    expected: "a scratch server: backups.scratchSecret in the environment's document",
    got: "none",
    wayOut: `set backup_scratch_secret_name in terraform/environments/${environment}.tfvars to the secret of an empty MongoDB (docs/backups.md), or ask for levels 1,2`,
  });
}

function isSource({ secretName }: Scratch, got: string): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what: `restore the backup into the scratch server of secret ${secretName}`,
    expected: "another server than the one that was backed up",
    got,
    wayOut: `let secret ${secretName} name a server of its own: everything on it is dropped`,
  });
}

function notEmpty(secretName: string, got: string): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what: `restore the backup into the scratch server of secret ${secretName}`,
    expected: "an empty server, or what an earlier verification of this environment left",
    got,
    wayOut: `see whose that is; drop it by hand, or let secret ${secretName} name another server`,
  });
}
