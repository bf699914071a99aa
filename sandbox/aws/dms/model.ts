/** What the stand-in keeps of DMS's resources. Dates are milliseconds since 1970. */

export interface Connection {
  readonly username?: string;
  readonly password?: string;
  readonly serverName?: string;
  readonly port?: number;
  /** Secrets Manager secret with username, password, host and port, instead of the four above. */
  readonly secretId?: string;
}

export interface Endpoint {
  readonly arn: string;
  readonly id: string;
  readonly type: "source" | "target";
  readonly engine: string;
  connection: Connection;
  databaseName?: string;
  extraConnectionAttributes?: string;
  sslMode: string;
  certificateArn?: string;
  kmsKeyId?: string;
  /** MongoDbSettings or DocDbSettings as they were given, without passwords. */
  settings: Record<string, unknown>;
  status: "active" | "deleting";
}

export interface TestedConnection {
  readonly endpointArn: string;
  readonly instanceArn: string;
  status: "testing" | "successful" | "failed" | "deleting";
  failure?: string;
}

export interface Instance {
  readonly arn: string;
  readonly id: string;
  class: string;
  engineVersion: string;
  allocatedStorage: number;
  status: "creating" | "available" | "modifying" | "deleting";
  readonly createdAt: number;
  /** What else the request carried and descriptions show again. */
  details: Record<string, unknown>;
}

export interface SubnetGroup {
  readonly id: string;
  description: string;
  subnetIds: string[];
}

export interface Certificate {
  readonly arn: string;
  readonly id: string;
  readonly pem: string;
  readonly createdAt: number;
}

export type TaskStatus =
  | "creating"
  | "ready"
  | "starting"
  | "running"
  | "stopping"
  | "stopped"
  | "failed"
  | "modifying"
  | "deleting";
export type StartType = "start-replication" | "resume-processing" | "reload-target";
export type MigrationType = "full-load" | "cdc" | "full-load-and-cdc";

export interface Task {
  readonly arn: string;
  readonly id: string;
  readonly sourceArn: string;
  readonly targetArn: string;
  readonly instanceArn: string;
  readonly migrationType: MigrationType;
  mappings: string;
  settings: string;
  status: TaskStatus;
  readonly createdAt: number;
  /** Set once it was ever started: from then on only resuming and reloading are legal. */
  startedAt?: number;
  startType?: StartType;
  stoppedAt?: number;
  stopReason?: string;
  failure?: string;
  cdcStartPosition?: string;
  cdcStartTime?: number;
  cdcStopPosition?: string;
  taskData?: string;
  /** The full load is still to be done (or to be finished) when the task runs again. */
  loadPending: boolean;
  freshStartAt?: number;
  loadStartedAt?: number;
  loadFinishedAt?: number;
}

export type TableState =
  | "Table does not exist"
  | "Before load"
  | "Full load"
  | "Table completed"
  | "Table cancelled"
  | "Table error"
  | "Table is being reloaded";

export interface TableRow {
  readonly schema: string;
  readonly table: string;
  state: TableState;
  inserts: number;
  updates: number;
  deletes: number;
  ddls: number;
  appliedInserts: number;
  appliedUpdates: number;
  appliedDeletes: number;
  appliedDdls: number;
  fullLoadRows: number;
  fullLoadStartedAt?: number;
  fullLoadEndedAt?: number;
  fullLoadReloaded: boolean;
  updatedAt: number;
}

/** How far a task has come: everything up to this point of the source is applied and acknowledged. */
export interface Progress {
  /** Resume token of the source's change stream, extended JSON; "" before the first event. */
  readonly token: string;
  readonly seconds: number;
  readonly increment: number;
}

/** What can be set through `/_sandbox/dms`, for all tasks or for one. */
export interface Knobs {
  /** How long each passing status (creating, starting, modifying, …) is shown. */
  settleMs: number;
  /** Changes are applied no earlier than this after their commit on the source. */
  lagMs: number;
  /** Nothing is applied; the status stays `running`, as with a stalled target. */
  paused: boolean;
  /** A task whose source can't be reached keeps running with errors this long, then fails. */
  sourceLostMs: number;
  /** Tables new in the mappings are loaded when the task is resumed. DMS's documentation doesn't promise it. */
  loadNewTablesOnResume: boolean;
  /** Quotas of the account, as DescribeAccountAttributes tells them. */
  tasksMax: number;
  endpointsMax: number;
}

export const defaultKnobs: Knobs = {
  settleMs: 150,
  lagMs: 200,
  paused: false,
  sourceLostMs: 60_000,
  loadNewTablesOnResume: false,
  tasksMax: 600,
  endpointsMax: 1000,
};
