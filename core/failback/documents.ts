/** The JSON documents that services, runbooks and hosts share through the bucket. Schemas lie in `schemas/`. */
import type { KafkaNode } from "../kafka/cluster.ts";
import type { OperationTime } from "../ports.ts";
import type { Phase } from "./phase.ts";

/** `failback/current.json`, replaced only by If-Match. */
export interface CurrentFailback {
  readonly version: 1;
  readonly environment: string;
  readonly phase: Phase;
  /** Empty while no failback was ever opened. In `normal` it names the last one. */
  readonly failbackId: string;
  readonly history: readonly { readonly phase: Phase; readonly at: string; readonly by: string }[];
}

export interface NamedUser {
  readonly name: string;
  /** Name of the secret with this user's `username` and `password` (or `uri`). */
  readonly secret: string;
}

/** The SSM parameter `/roundtrip/<environment>/environment`, and on a host the file ROUNDTRIP_CONFIG names. */
export interface Environment {
  readonly version: 1;
  readonly environment: string;
  readonly region: string;
  readonly bucket: string;
  /** The failback EC2. */
  readonly instanceId: string;
  /** The operations EC2, always on; where there is none the failback EC2 serves. */
  readonly operationsInstanceId?: string;
  /** SSM documents are named `<documentPrefix>-<action>`. */
  readonly documentPrefix: string;
  readonly documentdb: {
    /** Secret of Roundtrip's own operator user. */
    readonly secret: string;
    /** Change stream retention of the cluster, as its parameter group has it. */
    readonly changeStreamRetentionSeconds: number;
    readonly applicationUsers: readonly NamedUser[];
    /** The user DMS writes with. */
    readonly replicationUser: NamedUser;
    readonly otherWriters: readonly NamedUser[];
    /** Users that may keep write rights: the master user and Roundtrip's operator. */
    readonly administrators: readonly string[];
  };
  readonly mongodb: {
    /** Secret of the user that dumps, closes and applies (roles backup, restore, …). */
    readonly secret: string;
  };
  /** The Lambda function that makes and removes databases, collections and users on DocumentDB. */
  readonly createUserDbFunction?: string;
  /** The Kafka cluster; absent where the environment has none. */
  readonly kafka?: { readonly nodes: readonly KafkaNode[] };
  readonly replicationTasks: readonly { readonly id: string; readonly arn: string }[];
  readonly settings?: Partial<Settings>;
  readonly backups?: BackupSettings;
}

/** Of backups of MongoDB; what is left out has the default of core/backup/settings.ts. */
export interface BackupSettings {
  /** Five fields of cron, in UTC. */
  readonly schedule?: string;
  readonly compression?: "gzip" | "zstd";
  /** Minutes from a backup to its verification. */
  readonly verifyAfterMinutes?: number;
  readonly levels?: readonly (1 | 2 | 3)[];
  /** Secret of the server that backups are restored into to be verified; level 3 needs it. */
  readonly scratchSecret?: string;
  /** From an operation on MongoDB to its being in the oplog's archive, at most. */
  readonly oplogFlushSeconds?: number;
}

export interface Settings {
  /** 1 is the seeds' layout: one object an operation. */
  readonly maxEventsPerObject: number;
  readonly maxBytesPerFlush: number;
  readonly maxDelayMs: number;
  readonly compression: "none" | "zstd";
  readonly heartbeatSeconds: number;
  readonly drain: "fence" | "quiet";
  readonly quietSeconds: number;
  readonly conflictPolicy: "documentdb" | "mongodb" | "stop";
  /** Seconds before DMS's checkpoint that still count as tail. */
  readonly tailMarginSeconds: number;
  /** Objectives that summaries compare with what was measured. */
  readonly rtoSecondsMax: number;
  readonly rpoSecondsMax: number;
}

export const defaultSettings: Settings = {
  maxEventsPerObject: 1_000_000,
  maxBytesPerFlush: 32 * 1024 * 1024,
  maxDelayMs: 200,
  compression: "none",
  heartbeatSeconds: 60,
  drain: "fence",
  quietSeconds: 300,
  conflictPolicy: "documentdb",
  tailMarginSeconds: 30,
  rtoSecondsMax: 3600,
  rpoSecondsMax: 60,
};

/** Frozen at start: what this failback carries back. */
export interface Scope {
  readonly version: 1;
  readonly failbackId: string;
  readonly environment: string;
  /** Commit of `tasks.yaml`. */
  readonly commit: string;
  readonly openedAt: string;
  readonly databases: readonly { readonly name: string; readonly collections: readonly string[] }[];
  readonly applicationUsers: readonly NamedUser[];
  /** Given when MongoDB still answered, or an application user could already write: why the start was forced. */
  readonly forced?: string;
}

export interface StartPoint {
  readonly version: 1;
  readonly failbackId: string;
  readonly operationTime: OperationTime;
  readonly recordedAt: string;
}

/** A sentinel written after the application users lost their rights. */
export interface Fence {
  readonly version: 1;
  readonly failbackId: string;
  readonly number: number;
  /** `_id` of the sentinel in `roundtrip_control.signals`. */
  readonly sentinelId: string;
  readonly writtenAt: string;
  /** Users whose refusal was proved on connections opened before the demotion, and when. */
  readonly refusals: readonly {
    readonly user: string;
    readonly provedAt: string;
    readonly afterMs: number;
  }[];
  /** Newest manifest before the sentinel was written: the sentinel lies behind it. */
  readonly afterManifest?: {
    readonly number: number;
    readonly sha256: string;
    readonly lastSequence: number;
  };
}

/** Recorded in normal times: who MongoDB is, so that another one is not mistaken for it. */
export interface MongodbIdentity {
  readonly version: 1;
  readonly setName: string;
  readonly replicaSetId: string;
  readonly recordedAt: string;
  readonly lastOplog: OperationTime;
  readonly firstOplog: OperationTime;
  readonly catalog: Catalog;
}

/** How MongoDB was closed to writers (invariants.md 15), and whether it was opened again (25). */
export interface MongodbClosing {
  readonly version: 1;
  readonly failbackId: string;
  readonly method: "user-write-block" | "roles";
  /** ttlMonitorEnabled of each member before Roundtrip switched it off. */
  readonly ttl: readonly { readonly member: string; readonly enabled: boolean }[];
  /** MongoDB's operationTime after the refusal was proved: the tail ends here. Absent while closing is under way. */
  readonly blockTime?: OperationTime;
  readonly closedAt?: string;
  readonly reopenedAt?: string;
}

/** `dump/<side>/<run>/manifest.json`, written last: a dump without it is not complete. */
export interface DumpManifest {
  readonly version: 1;
  readonly failbackId: string;
  readonly side: "mongodb" | "documentdb";
  readonly key: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly namespaces: readonly { readonly namespace: string; readonly documents: number }[];
  readonly tool: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  /** Of a dump of DocumentDB: the newest fence when it began. */
  readonly fence?: number;
}

export interface Catalog {
  readonly takenAt: string;
  readonly collections: readonly CatalogCollection[];
}

export interface CatalogCollection {
  readonly database: string;
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly indexes: readonly Readonly<Record<string, unknown>>[];
}

export type ServiceState = "starting" | "running" | "waiting" | "finished" | "failed" | "stopped";

/** `status/<service>.json` in S3 and in the host's state directory. */
export interface ServiceStatus {
  readonly version: 1;
  readonly service: string;
  readonly failbackId: string;
  readonly state: ServiceState;
  readonly updatedAt: string;
  readonly startedAt: string;
  /** Host and run (a random id), to tell two runs apart. */
  readonly host: string;
  readonly run: string;
  readonly exitCode?: number;
  /** what, expected, got, way out, of the failure that ended it. */
  readonly error?: {
    readonly what: string;
    readonly expected: string;
    readonly got: string;
    readonly wayOut: string;
  };
  readonly progress?: {
    readonly done: number;
    readonly total?: number;
    readonly unit: string;
    readonly perSecond: number;
    readonly etaSeconds?: number;
  };
  /** Service-specific numbers, flat. */
  readonly detail?: Readonly<Record<string, string | number | boolean>>;
}

/** One precondition or proof, as `--mode plan`, summaries and `readiness` show it. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly expected: string;
  readonly got: string;
  readonly wayOut?: string;
}

/** What `roundtrip-worker action <name>` prints as its last line on stdout and keeps in S3. */
export interface ActionResult {
  readonly action: string;
  readonly failbackId: string;
  readonly ok: boolean;
  readonly checks: readonly Check[];
  /** Facts for the journal and the following steps. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly at: string;
}

export type VerdictWord = "PROVEN" | "DIFFERS" | "UNKNOWN";

export interface CollectionVerdict {
  readonly database: string;
  readonly collection: string;
  readonly documents: { readonly documentdb: number; readonly mongodb: number };
  readonly equal: number;
  /** Differences that the tail's ledger explains. */
  readonly tail: number;
  /** Differences that a settled conflict explains. */
  readonly conflicts: number;
  readonly differing: number;
  /** At most 100 `_id`s as extended JSON; the rest is in `differencesKey`. */
  readonly differingIds: readonly string[];
  /** One line of JSON for each differing document, the tail's and conflicts' included; absent when there is none. */
  readonly differencesKey?: string;
}

export interface Verdict {
  readonly version: 1;
  readonly failbackId: string;
  readonly verdict: VerdictWord;
  /** Why it is not PROVEN, each naming the thing; empty when it is. */
  readonly reasons: readonly string[];
  readonly takenAt: string;
  readonly fence: number;
  readonly coverage: {
    readonly firstSequence: number;
    readonly lastSequence: number;
    readonly manifests: number;
  };
  readonly captured: number;
  readonly applied: number;
  readonly held: number;
  readonly tail: number;
  readonly conflicts: number;
  readonly collections: readonly CollectionVerdict[];
  /** Differences between the catalogs, each accepted or not. */
  readonly catalog: readonly { readonly what: string; readonly accepted: boolean }[];
  /** Named for a person's eyes, nothing against the verdict: flagged events, events that changed no document. */
  readonly notes?: readonly string[];
  /** What the comparison treats as equal, each in words. */
  readonly normalisations: readonly string[];
  readonly durations: { readonly applyMs: number; readonly compareMs: number };
}

/** `accepted.json`: differences between the catalogs that a person has looked at and lets stand (invariants.md 23). */
export interface AcceptedDifferences {
  readonly version: 1;
  readonly accepted: readonly {
    /** The difference exactly as a verdict words it. */
    readonly what: string;
    readonly reason: string;
    readonly by: string;
    readonly at: string;
  }[];
}
