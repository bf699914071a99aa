import type { MongoClientOptions } from "mongodb";
import { RoundtripError } from "../../core/errors.ts";

/** The function's own configuration, as its environment variables give it. */
export interface FunctionSettings {
  readonly environment: string;
  readonly bucket: string;
  readonly region: string;
  /** Name or ARN of the cluster's master secret: `username` and `password`, or with an address of its own. */
  readonly masterSecret: string;
  /** Name or ARN of the secret of the user DMS writes with. */
  readonly replicationSecret: string;
  /** The cluster's endpoint, for a master secret that has no address. */
  readonly host?: string;
  readonly port?: string;
}

/** Reads the variables that Terraform sets. Fails `configuration` naming the one that is missing. */
export function readSettings(variables: Readonly<Record<string, string | undefined>>): FunctionSettings {
  const needed = (name: string): string => {
    const value = variables[name];
    if (value) return value;
    throw new RoundtripError({
      kind: "configuration",
      what: `read the variable ${name} of the function create-user-db`,
      expected: "a value",
      got: "none",
      wayOut:
        "apply the stack again: Terraform sets the function's variables (docs/create-user-db.md lists them)",
    });
  };
  const { ROUNDTRIP_DOCUMENTDB_HOST: host, ROUNDTRIP_DOCUMENTDB_PORT: port } = variables;
  return {
    environment: needed("ROUNDTRIP_ENVIRONMENT"),
    bucket: needed("ROUNDTRIP_BUCKET"),
    region: needed("AWS_REGION"),
    masterSecret: needed("ROUNDTRIP_MASTER_SECRET"),
    replicationSecret: needed("ROUNDTRIP_REPLICATION_SECRET"),
    ...(host ? { host, port: port || "27017" } : {}),
  };
}

export interface ClusterAddress {
  readonly master: Readonly<Record<string, string>>;
  readonly driver: MongoClientOptions;
}

/**
 * Where the cluster is and how it is spoken to. A secret with an address of its own (`uri`, or `host`) is taken at its
 * word; `username` and `password` alone get the function's host, set rs0 and TLS. `certificates` is the CA file of the
 * archive, used wherever TLS is on and the secret names no other. Fails `configuration` when it is needed and missing.
 */
export function clusterAddress(
  secret: Readonly<Record<string, string>>,
  { host, port = "27017", masterSecret }: FunctionSettings,
  certificates: string | undefined,
): ClusterAddress {
  if (secret.uri) {
    const isTls = /[?&](tls|ssl)=true/i.test(secret.uri) || secret.uri.startsWith("mongodb+srv:");
    const namesFile = /[?&]tlsCAFile=/i.test(secret.uri);
    return {
      master: secret,
      driver: isTls && !namesFile ? { tlsCAFile: certificateFile(certificates, masterSecret) } : {},
    };
  }
  assertComplete(secret, masterSecret, host);
  const address: Readonly<Record<string, string>> = secret.host
    ? {}
    : { host: host ?? "", port, replicaSet: secret.replicaSet || "rs0" };
  const isTls = secret.tls !== "false";
  return {
    master: { ...secret, ...address, tls: String(isTls) },
    driver: isTls && !secret.caFile ? { tlsCAFile: certificateFile(certificates, masterSecret) } : {},
  };
}

function assertComplete(
  secret: Readonly<Record<string, string>>,
  masterSecret: string,
  host: string | undefined,
): void {
  const missing = ["username", "password"].find((field) => !secret[field]);
  if (!missing && (secret.host || host)) return;
  throw new RoundtripError({
    kind: "configuration",
    what: `read the cluster's master user from secret ${masterSecret}`,
    expected: "username and password, and host here or in the function's ROUNDTRIP_DOCUMENTDB_HOST",
    got: `no ${missing ?? "host"}`,
    wayOut: `store it as {"username": …, "password": …} in Secrets Manager; the stack gives the host`,
  });
}

function certificateFile(certificates: string | undefined, masterSecret: string): string {
  if (certificates) return certificates;
  throw new RoundtripError({
    kind: "configuration",
    what: `connect to DocumentDB with TLS as secret ${masterSecret} asks`,
    expected: "global-bundle.pem in the function's archive",
    got: "an archive built without it",
    wayOut:
      'build it with the CA file of Amazon RDS (`bun scripts/build-create-user-db.ts --ca global-bundle.pem`) and apply; or "tls": "false" in the secret where the cluster has TLS off',
  });
}
