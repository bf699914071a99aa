import { MongoClient, type MongoClientOptions } from "mongodb";
import { RoundtripError } from "../../core/errors.ts";
import { mongoFailure, type Subject } from "./failure.ts";

export interface ConnectOptions {
  readonly server: "MongoDB" | "DocumentDB";
  /** Where the credentials came from, for messages. */
  readonly secretName: string;
  /** Shown in the server's log and in currentOp. */
  readonly appName: string;
  /** Default 10,000. */
  readonly serverSelectionTimeoutMs?: number;
  readonly connectionsMax?: number;
  /** Anything else the driver knows; wins over what is set here. */
  readonly driver?: MongoClientOptions;
}

const defaultSelectionTimeoutMs = 10_000;

/**
 * Connects and authenticates. The secret holds `uri`, or `host` (one or more `name:port`, by comma) with `port`,
 * `username`, `password`, and where needed `replicaSet`, `authSource`, `tls` ("true"), `caFile`.
 * Reads go to the primary. Fails `configuration` (the secret lacks a field), `denied`, `unavailable`; every message
 * names the secret and the hosts, never a value. The caller closes the client.
 */
export async function connect(
  secret: Readonly<Record<string, string>>,
  options: ConnectOptions,
): Promise<MongoClient> {
  const client = createClient(secret, options);
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.close().catch(() => {});
    throw mongoFailure(error, subjectOf(secret, options, "connect"));
  }
}

/** Names server, hosts and secret for `mongoFailure`. */
export function subjectOf(
  secret: Readonly<Record<string, string>>,
  options: Pick<ConnectOptions, "server" | "secretName">,
  what: string,
): Subject {
  const server = `${options.server} at ${hostsOf(secret)}`;
  return {
    what: `${what}: ${server} with secret ${options.secretName}`,
    server,
    secretName: options.secretName,
  };
}

function createClient(secret: Readonly<Record<string, string>>, options: ConnectOptions): MongoClient {
  const { uri, credentials } = addressOf(secret, options);
  try {
    return new MongoClient(uri, {
      appName: options.appName,
      readPreference: "primary",
      ...timeouts(uri, options.serverSelectionTimeoutMs ?? defaultSelectionTimeoutMs),
      ...(options.connectionsMax ? { maxPoolSize: options.connectionsMax } : {}),
      // DocumentDB before 8.0.2 refuses retryable writes (code 301).
      ...(options.server === "DocumentDB" ? { retryWrites: false } : {}),
      ...credentials,
      ...options.driver,
    });
  } catch (cause) {
    // The driver's own message may quote the URI: it stays out.
    throw configuration(
      options,
      "a connection string or fields that the driver accepts",
      (cause as Error).name,
    );
  }
}

/** What the connection string says about time stays as it says. */
function timeouts(uri: string, ms: number): MongoClientOptions {
  const given = (name: string) => new RegExp(`[?&]${name}=`, "i").test(uri);
  return {
    ...(given("serverSelectionTimeoutMS") ? {} : { serverSelectionTimeoutMS: ms }),
    ...(given("connectTimeoutMS") ? {} : { connectTimeoutMS: ms }),
  };
}

function addressOf(
  secret: Readonly<Record<string, string>>,
  options: ConnectOptions,
): { uri: string; credentials: MongoClientOptions } {
  if (secret.uri) return { uri: secret.uri, credentials: {} };
  const { host, port, username, password, replicaSet, authSource, tls, caFile } = secret;
  const missing = Object.entries({ host, username, password }).find(([, value]) => !value);
  if (missing) throw configuration(options, "uri, or host, username and password", `no ${missing[0]}`);
  return {
    uri: `mongodb://${withPort(host ?? "", port)}/`,
    credentials: {
      auth: { username, password },
      authSource: authSource || "admin",
      ...(replicaSet ? { replicaSet } : {}),
      ...(tls === "true" || caFile ? { tls: true } : {}),
      ...(caFile ? { tlsCAFile: caFile } : {}),
    },
  };
}

function withPort(host: string, port: string | undefined): string {
  return host
    .split(",")
    .map((name) => (/:\d+$/.test(name) || !port ? name : `${name}:${port}`))
    .join(",");
}

/** The host part of the address; never user or password. */
function hostsOf(secret: Readonly<Record<string, string>>): string {
  if (!secret.uri) return withPort(secret.host ?? "an unnamed host", secret.port);
  const authority = secret.uri.replace(/^mongodb(\+srv)?:\/\//, "").split(/[/?]/)[0] ?? "";
  return authority.slice(authority.lastIndexOf("@") + 1);
}

function configuration(options: ConnectOptions, expected: string, got: string): RoundtripError {
  return new RoundtripError({
    kind: "configuration",
    what: `read the address of ${options.server} from secret ${options.secretName}`,
    expected,
    got,
    wayOut: `write secret ${options.secretName} with the fields docs/users-and-secrets.md names`,
  });
}
