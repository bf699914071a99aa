/** What `roundtrip preflight` says of an environment, and the facts it says it from. */

export type Area = "AWS" | "host" | "MongoDB" | "DocumentDB" | "DMS";

/** `note`: worth knowing, stops nothing. `unknown` is never success. */
export type LineState = "ok" | "failed" | "unknown" | "note";

export interface PreflightLine {
  readonly area: Area;
  readonly name: string;
  readonly state: LineState;
  readonly expected: string;
  readonly got: string;
  /** What a person does about it; absent for `ok`. */
  readonly fix?: string;
}

/** By schemas/preflight.schema.json. */
export interface PreflightReport {
  readonly version: 1;
  readonly environment: string;
  readonly takenAt: string;
  readonly verdict: "ready" | "not-ready" | "unknown";
  readonly lines: readonly PreflightLine[];
}

/** Something that was read, or why it could not be. */
export type Fact<T> = { readonly value: T } | { readonly unknown: string };

/** Left in the bucket by action `preflight`, by schemas/preflight-facts.schema.json. */
export interface HostFacts {
  readonly version: 1;
  readonly environment: string;
  readonly takenAt: string;
  /** The host's way to EC2; that to SSM, S3 and Secrets Manager shows by the rest. */
  readonly ec2: Fact<string>;
  readonly secrets: readonly SecretFacts[];
  readonly mongodb: Fact<MongodbFacts>;
  readonly documentdb: Fact<DocumentdbFacts>;
}

export interface SecretFacts {
  readonly name: string;
  /** Whose it is, in words. */
  readonly use: string;
  /** A secret that has to give an address too, not user and password alone. */
  readonly address: boolean;
  /** The names of its fields, never a value. */
  readonly fields: Fact<readonly string[]>;
}

export interface MongodbFacts {
  readonly version: string;
  readonly topology: "replica-set" | "standalone" | "sharded";
  readonly tls: boolean;
  readonly oplog: Fact<OplogFacts>;
  readonly dmsUser: Fact<DmsUserFacts>;
  /** Privileges that Roundtrip's own user lacks, in words. */
  readonly lacking: Fact<readonly string[]>;
  readonly data: Fact<DataFacts>;
}

export interface OplogFacts {
  readonly windowSeconds: number;
  readonly bytes: number;
  readonly bytesMax: number;
  /** Hours the server keeps whatever the size (`storage.oplogMinRetentionHours`); 0 where that is not set. */
  readonly retentionHours: number;
}

export interface DmsUserFacts {
  readonly name: string;
  readonly exists: boolean;
  readonly mechanisms: readonly string[];
  /** Of find and changeStream: those it does not hold on every database. */
  readonly lacking: readonly string[];
  /** A login with SCRAM-SHA-1, as DMS does it; `untried` without the user's secret. */
  readonly login: "accepted" | "refused" | "untried";
}

export interface DataFacts {
  /** `database.collection`, sorted. */
  readonly namespaces: readonly string[];
  readonly sampledDocuments: number;
  /** Each in words, a bounded number. */
  readonly longIds: readonly string[];
  readonly deep: readonly string[];
  readonly dollarNames: readonly string[];
  /** What DMS carries over as something else, or not at all: capped, time series, views, indexes. */
  readonly changed: readonly string[];
}

export interface DocumentdbFacts {
  readonly version: string;
  readonly tls: boolean;
  readonly roles: readonly { readonly role: string; readonly db: string }[];
  /** Whether `$listChangeStreams` may be asked, and shows the whole cluster. */
  readonly streams: Fact<"on" | "off">;
  readonly users: Fact<readonly string[]>;
}

/** What the runner reads of DMS. */
export interface DmsFacts {
  readonly instances: readonly {
    readonly arn: string;
    readonly id: string;
    readonly engineVersion: string;
    readonly status: string;
  }[];
  readonly tasks: readonly {
    readonly id: string;
    readonly instanceArn: string;
    readonly endpointArns: readonly string[];
  }[];
  readonly endpoints: readonly DmsEndpointFacts[];
  readonly quotas: readonly { readonly name: string; readonly used: number; readonly max: number }[];
}

export interface DmsEndpointFacts {
  readonly id: string;
  readonly arn: string;
  readonly type: "source" | "target";
  readonly engine: string;
  readonly tls: boolean;
  readonly secret?: string;
  readonly username?: string;
  /** As DMS gives them; absent where it gives none. */
  readonly nestingLevel?: string;
  readonly extractDocId?: string;
  readonly authMechanism?: string;
  readonly authSource?: string;
}

/** What tasks.yaml and the environment's document declare. */
export interface DeclaredFacts {
  readonly taskIds: readonly string[];
  readonly databases: readonly string[];
  /** `database.collection`. */
  readonly namespaces: readonly string[];
  /** The users' names on DocumentDB that have to be there. */
  readonly dmsTargetUser: string;
  readonly applicationUsers: readonly string[];
}
