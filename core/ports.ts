/** What the inside needs from the outside. Adapters implement these; only `main.ts` files choose which. */

export interface Clock {
  now(): Date;
  /** Milliseconds that never run backwards; for durations only. */
  monotonicMs(): number;
  /** Resolves after `ms`, or rejects with the signal's reason when it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface PutOptions {
  /** Refuse to replace: the object must not exist. */
  readonly ifNoneMatch?: boolean;
  /** Replace only the version with this ETag. */
  readonly ifMatch?: string;
  /** Hex of the body, where the caller has it already: saves hashing it again. A wrong one fails the put. */
  readonly sha256?: string;
  readonly contentType?: string;
  readonly contentEncoding?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** By which the bucket's lifecycle picks the object, wherever it lies. */
  readonly tags?: Readonly<Record<string, string>>;
}

export interface ObjectSummary {
  readonly key: string;
  readonly size: number;
  readonly etag: string;
  readonly lastModified: Date;
}

export interface StoredObject {
  readonly body: Uint8Array;
  readonly etag: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * One bucket. Strongly consistent as S3 is; nothing is atomic across keys.
 * Fails with StoreError (adapters/store-error.ts): "precondition" for 412/409, "denied", "missing-bucket", "unavailable".
 * A conditional put whose reply was lost and that finds its own bytes there counts as done.
 */
export interface ObjectStore {
  put(key: string, body: Uint8Array, options?: PutOptions): Promise<{ etag: string }>;
  /** `undefined`: there is no such object. */
  get(key: string, options?: { range?: { start: number; end: number } }): Promise<StoredObject | undefined>;
  head(
    key: string,
  ): Promise<{ size: number; etag: string; metadata: Readonly<Record<string, string>> } | undefined>;
  /** In UTF-8 order of the keys. */
  list(prefix: string, options?: { startAfter?: string }): AsyncIterable<ObjectSummary>;
  delete(keys: readonly string[]): Promise<void>;
  /** Multipart, with bounded memory. */
  upload(
    key: string,
    body: AsyncIterable<Uint8Array>,
    options?: PutOptions,
  ): Promise<{ bytes: number; sha256: string; etag: string }>;
}

export interface Secrets {
  /** The secret as an object of strings. Fails with RoundtripError naming the secret, never its value. */
  get(name: string): Promise<Readonly<Record<string, string>>>;
}

export interface Parameters {
  get(name: string): Promise<string | undefined>;
  put(name: string, value: string): Promise<void>;
}

/** What a command on a host ended with. `unknown` is never success. */
export interface CommandResult {
  readonly commandId: string;
  readonly status: "success" | "failed" | "timed-out" | "cancelled";
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** SSM Run Command with the product's own documents. */
export interface Commands {
  /** Starts a document on one instance; returns its command id, so that a lost runner can re-attach. */
  send(instanceId: string, document: string, parameters: Readonly<Record<string, string>>): Promise<string>;
  /** Polls, bounded by `timeoutSeconds`, until the command has ended. */
  wait(instanceId: string, commandId: string, timeoutSeconds: number): Promise<CommandResult>;
}

export type InstanceState = "pending" | "running" | "stopping" | "stopped" | "shutting-down" | "terminated";

export interface Instances {
  state(instanceId: string): Promise<InstanceState>;
  start(instanceId: string): Promise<void>;
  stop(instanceId: string): Promise<void>;
  /** Waits, bounded, until EC2 says running and SSM says Online with a fresh ping. */
  waitReady(instanceId: string, timeoutSeconds: number): Promise<void>;
  waitStopped(instanceId: string, timeoutSeconds: number): Promise<void>;
  setStopProtection(instanceId: string, on: boolean): Promise<void>;
  stopProtection(instanceId: string): Promise<boolean>;
}

export interface TableStatistics {
  readonly schema: string;
  readonly table: string;
  readonly state: string;
  readonly fullLoadRows: number;
  readonly inserts: number;
  readonly updates: number;
  readonly deletes: number;
}

export interface ReplicationTask {
  readonly id: string;
  readonly arn: string;
  readonly status: string;
  readonly stopReason?: string;
  readonly lastFailure?: string;
  /** Opaque as DMS gives it; `timestamp` only when its form was recognised. */
  readonly checkpoint?: { readonly raw: string; readonly timestamp?: OperationTime };
  /** When the task was last seen stopping, when DMS says so. */
  readonly stoppedAt?: Date;
}

/** DMS. Waits are its own bounded polls; the stop reason and last failure are always read. */
export interface ReplicationTasks {
  describe(arns: readonly string[]): Promise<ReplicationTask[]>;
  stop(arn: string, timeoutSeconds: number): Promise<ReplicationTask>;
  start(
    arn: string,
    type: "start-replication" | "resume-processing" | "reload-target",
    timeoutSeconds: number,
  ): Promise<ReplicationTask>;
  tables(arn: string): Promise<TableStatistics[]>;
  reloadTables(arn: string, tables: readonly { schema: string; table: string }[]): Promise<void>;
}

/** Lambda functions, called and waited for. */
export interface Functions {
  /**
   * Invokes a function with a JSON payload (at most 6 MB) and gives its JSON answer. Fails with RoundtripError: the
   * function's own error is kind `unavailable` with its message; `configuration` when there is no such function.
   */
  invoke(name: string, payload: unknown): Promise<unknown>;
}

/** One object that Terraform will touch. `replace` deletes and creates. */
export interface InfrastructureChange {
  readonly address: string;
  /** The provider's type, like `aws_dms_replication_task`. */
  readonly type: string;
  readonly action: "create" | "update" | "replace" | "delete";
  /** What AWS calls it (a task id, an endpoint id), where the plan says it. Never a sensitive value. */
  readonly identifier?: string;
  /** Names of the attributes that change or force the replacement; never their values. */
  readonly attributes: readonly string[];
}

/** Terraform for one environment. Its plan file is a secret: it stays on this machine and is deleted after use. */
export interface Infrastructure {
  /** Plans without changing anything; `apply` then applies exactly this. */
  plan(signal?: AbortSignal): Promise<readonly InfrastructureChange[]>;
  /** Applies the last plan of this process. Fails `refused` when there is none or it has become stale. */
  apply(signal?: AbortSignal): Promise<void>;
}

/** systemd on the host the program runs on. */
export interface Units {
  /** So that each boot starts it; starts nothing now. */
  enable(unit: string): Promise<void>;
  start(unit: string): Promise<void>;
  stop(unit: string): Promise<void>;
  state(
    unit: string,
  ): Promise<{ active: string; sub: string; result: string; mainPid: number; exitStatus: number }>;
}

/** systemd's timers on the host the program runs on. */
export interface Timers {
  /**
   * Makes the timer elapse at these calendar expressions in place of its own, also after a boot. Gives false when it did
   * so already. `note` stands in the file, for a person.
   */
  reschedule(timer: string, calendars: readonly string[], note: string): Promise<boolean>;
  /** When it elapses next; `undefined` for a timer that is off. */
  nextElapse(timer: string): Promise<Date | undefined>;
}

/** BSON timestamp as plain data: seconds and increment. */
export interface OperationTime {
  readonly t: number;
  readonly i: number;
}
