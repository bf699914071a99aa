/** From an endpoint to a connected driver, as a replication instance would connect. */
import { createRequire } from "node:module";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { MongoClient } from "mongodb";
import { defaultCredentials } from "../../identity.ts";
import type { ServiceContext } from "../../service.ts";
import type { Connection, Endpoint } from "../model.ts";

interface SequenceConstructor {
  new (field: string): { push(document: object, bytes: Uint8Array): number };
}

/** The driver's own document sequence: sends raw documents. It is not part of the driver's public types. */
export const { DocumentSequence } = createRequire(import.meta.url)("mongodb/lib/cmap/commands.js") as {
  DocumentSequence: SequenceConstructor;
};

/** An endpoint that can't be used at all: no server name, a secret that isn't there. Waiting doesn't help. */
export class EndpointError extends Error {}

async function readSecret(context: ServiceContext, secretId: string): Promise<Connection> {
  const client = new SecretsManagerClient({
    endpoint: context.url(),
    region: context.region,
    credentials: defaultCredentials,
    maxAttempts: 1,
  });
  try {
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secretId }));
    const secret = JSON.parse(SecretString ?? "{}") as Record<string, string | number | undefined>;
    const missing = ["username", "password", "host", "port"].filter((name) => secret[name] === undefined);
    if (missing.length > 0) throw new EndpointError(`the secret ${secretId} has no ${missing.join(", ")}`);
    return {
      username: String(secret.username),
      password: String(secret.password),
      serverName: String(secret.host),
      port: Number(secret.port),
    };
  } catch (cause) {
    if (cause instanceof EndpointError) throw cause;
    throw new EndpointError(
      `the secret ${secretId} can't be read: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    );
  } finally {
    client.destroy();
  }
}

/** `host:port` of every member; a server name may list several and then carries its own ports. */
function hostsOf({ serverName, port }: Connection): string {
  if (!serverName) throw new EndpointError("the endpoint has no server name");
  const hosts = serverName.split(",").map((host) => host.trim());
  return hosts.map((host) => (host.includes(":") ? host : `${host}:${port ?? 27017}`)).join(",");
}

/**
 * Address and login of an endpoint as they are now: the secret's current version, or what stands in clear text.
 * @throws EndpointError when the secret can't be read or lacks a key
 */
export async function loginOf(context: ServiceContext, { connection }: Endpoint): Promise<Connection> {
  return connection.secretId === undefined ? connection : readSecret(context, connection.secretId);
}

/**
 * A connected client for the endpoint. The caller closes it.
 * DMS logs in with SCRAM-SHA-1 and no other: a user with SCRAM-SHA-256 alone is refused.
 * @throws EndpointError, or the driver's error when the server can't be reached or refuses the login
 */
export async function connectTo(
  endpoint: Endpoint,
  connection: Connection,
  timeoutMs: number,
): Promise<MongoClient> {
  const withLogin = connection.username !== undefined && endpoint.settings.AuthType !== "no";
  const client = new MongoClient(`mongodb://${hostsOf(connection)}/`, {
    ...(withLogin
      ? {
          auth: { username: connection.username!, password: connection.password ?? "" },
          authSource: String(endpoint.settings.AuthSource ?? "admin"),
          authMechanism: "SCRAM-SHA-1" as const,
        }
      : {}),
    appName: `dms ${endpoint.id}`,
    retryWrites: false,
    retryReads: false,
    readPreference: "primary",
    serverSelectionTimeoutMS: timeoutMs,
    connectTimeoutMS: timeoutMs,
    heartbeatFrequencyMS: 2000,
    minHeartbeatFrequencyMS: 100,
    maxPoolSize: 8,
  });
  try {
    await client.connect();
    await client.db("admin").command({ ping: 1 });
    return client;
  } catch (cause) {
    await client.close(true);
    throw cause;
  }
}
