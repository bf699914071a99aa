/**
 * What stands in an environment at this moment. Read by two parties: AWS is asked by the runner, the databases only by
 * the host (action `inspect`), which leaves its answer in the bucket.
 */
import type { ReplicationTask, TableStatistics } from "../ports.ts";

export interface LiveCollection {
  readonly name: string;
  /** Exact unless `estimated`; 0 is always exact: a read found no document. */
  readonly documents: number;
  /** True: the number the server keeps about the collection, nobody counted. */
  readonly estimated?: true;
  readonly bytes: number;
  readonly indexes: readonly string[];
}

export interface LiveDatabase {
  readonly name: string;
  /** Sorted by name. */
  readonly collections: readonly LiveCollection[];
}

export interface LiveUser {
  readonly name: string;
  /** The database the user lives in; absent for `admin`. */
  readonly db?: string;
  readonly roles: readonly { readonly role: string; readonly db: string }[];
}

/** One side. A side that could not be read says why; that is never taken for "nothing there". */
export type LiveSide =
  | {
      readonly reachable: true;
      readonly version: string;
      readonly databases: readonly LiveDatabase[];
      readonly users: readonly LiveUser[];
    }
  | { readonly reachable: false; readonly reason: string };

/** What action `inspect` found, by schemas/inspection.schema.json. Databases that were asked for and don't exist are left out. */
export interface Inspection {
  readonly version: 1;
  readonly environment: string;
  readonly takenAt: string;
  readonly mongodb: LiveSide;
  readonly documentdb: LiveSide;
}

/** A table of a task, with how long its last full load took, once it has ended. */
export interface LiveTable extends TableStatistics {
  readonly fullLoadMs?: number;
  /** When the last full load of this table began, ISO 8601: another time means that it was loaded again. */
  readonly fullLoadStartedAt?: string;
}

/** A DMS task as it is, with what it was made of. */
export interface LiveTask extends ReplicationTask {
  /** Empty when nobody asked for this task's tables. */
  readonly tables: readonly LiveTable[];
  /** Table mappings and settings as DMS gives them, parsed; text that is not JSON stays text. */
  readonly mappings: unknown;
  readonly settings: unknown;
  readonly sourceEndpointArn: string;
  readonly targetEndpointArn: string;
  readonly replicationInstanceArn: string;
  /** When the task last began to run, and when it last began anew (first start or reload), ISO 8601. */
  readonly startedAt?: string;
  readonly freshlyStartedAt?: string;
}

/** DMS's side; one that could not be read says why, and is never taken for "no tasks". */
export type LiveDms =
  | {
      readonly reachable: true;
      readonly tasks: readonly LiveTask[];
      /** ARNs to endpoint identifiers; absent when nobody asked. */
      readonly endpoints?: ReadonlyMap<string, string>;
    }
  | { readonly reachable: false; readonly reason: string };

export interface LiveState {
  readonly environment: string;
  readonly takenAt: string;
  readonly dms: LiveDms;
  readonly mongodb: LiveSide;
  readonly documentdb: LiveSide;
}

/**
 * The tasks of one environment among all of an account: those it published, those declared for it, and those that share
 * a replication instance or an endpoint with one it published.
 */
export function tasksOfEnvironment(
  tasks: readonly LiveTask[],
  published: readonly { readonly id: string; readonly arn: string }[],
  declaredIds: readonly string[],
): LiveTask[] {
  const arns = new Set(published.map(({ arn }) => arn));
  const ids = new Set(declaredIds);
  const own = tasks.filter(({ arn, id }) => arns.has(arn) || ids.has(id));
  const around = new Set(own.flatMap(surroundings));
  return tasks.filter((task) => own.includes(task) || surroundings(task).some((arn) => around.has(arn)));
}

function surroundings(task: LiveTask): string[] {
  const { replicationInstanceArn, sourceEndpointArn, targetEndpointArn } = task;
  return [replicationInstanceArn, sourceEndpointArn, targetEndpointArn].filter((arn) => arn !== "");
}
