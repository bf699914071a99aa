/** The server a backup is restored into, and what it holds. */
import type { MongoClient } from "mongodb";
import { connectionString } from "../../adapters/dump/configuration.ts";
import { connect, subjectOf } from "../../adapters/mongo/connect.ts";
import { mongoFailure } from "../../adapters/mongo/failure.ts";
import { inspectDatabases } from "../../adapters/mongo/inspect.ts";
import type { BackupManifest } from "../../core/backup/documents.ts";
import type { RestoreRequest } from "../../core/backup/restores.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { ServiceContext } from "../runtime/definition.ts";
import { assertNotSource, identityOf, markDatabase } from "../verify-backup/scratch.ts";

export interface Target extends AsyncDisposable {
  readonly kind: RestoreRequest["target"]["kind"];
  readonly secretName: string;
  readonly hosts: string;
  /** Empty for a server that is in no replica set. */
  readonly replicaSetId: string;
  readonly uri: string;
  readonly client: MongoClient;
  failure(error: unknown, what: string): RoundtripError;
}

const serversOwn: readonly string[] = ["admin", "config", "local"];

/**
 * Connects to the server that a request names. Fails `refused` when the server beside is MongoDB itself or is in use by a
 * verification, otherwise as connect does.
 */
export async function openTarget(
  service: ServiceContext,
  { target }: RestoreRequest,
  backup: BackupManifest,
): Promise<Target> {
  const { environment, secrets } = service;
  const secretName = target.kind === "in-place" ? environment.mongodb.secret : target.secret;
  const secret = await secrets.get(secretName);
  const settings = { server: "MongoDB", secretName, appName: "roundtrip-restore-backup" } as const;
  const client = await connect(secret, settings);
  const failure = (error: unknown, what: string) => mongoFailure(error, subjectOf(secret, settings, what));
  const common = { client, secretName, uri: connectionString(secret, secretName), failure };
  const dispose = { [Symbol.asyncDispose]: () => client.close() };
  try {
    if (target.kind === "beside") await assertNotSource(service, { ...common, ...dispose }, backup);
    const identity = await identityOf(client);
    const hosts = client.options.hosts.map(String).join(",");
    return { ...common, ...dispose, kind: target.kind, hosts, replicaSetId: identity?.replicaSetId ?? "" };
  } catch (error) {
    await client.close().catch(() => {});
    throw failure(error, "find out which server is restored into");
  }
}

export interface TargetNamespace {
  readonly namespace: string;
  readonly documents: number;
  readonly bytes: number;
}

/** Every collection and view of the target but the server's own, in order. Fails `refused` while a verification is there. */
export async function targetNamespaces(target: Target, signal: AbortSignal): Promise<TargetNamespace[]> {
  try {
    const names = await databasesOf(target.client);
    if (names.includes(markDatabase)) throw inVerification(target);
    const inspected = await inspectDatabases(target.client, { databases: names, exact: false, signal });
    const found: TargetNamespace[] = inspected.flatMap(({ name: database, collections }) =>
      collections.map(({ name, documents, bytes }) => ({
        namespace: `${database}.${name}`,
        documents,
        bytes,
      })),
    );
    for (const database of names) {
      const views = await target.client
        .db(database)
        .listCollections({ type: "view" }, { nameOnly: true })
        .toArray();
      found.push(...views.map(({ name }) => ({ namespace: `${database}.${name}`, documents: 0, bytes: 0 })));
    }
    return found.sort((one, other) => (one.namespace < other.namespace ? -1 : 1));
  } catch (error) {
    throw target.failure(error, "read what it holds");
  }
}

async function databasesOf(client: MongoClient): Promise<string[]> {
  const { databases } = await client.db("admin").command({ listDatabases: 1, nameOnly: true });
  return (databases as { name: string }[])
    .map(({ name }) => name)
    .filter((name) => !serversOwn.includes(name));
}

function inVerification({ secretName, hosts }: Target): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what: `restore into ${hosts} (secret ${secretName})`,
    expected: "a server that no verification of backups is using",
    got: `database ${markDatabase}: a verification is at work there, or was killed`,
    wayOut: "wait for verify-backup to end, or run it again: it cleans up; or name another server's secret",
  });
}
