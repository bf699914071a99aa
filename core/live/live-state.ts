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

/** A DMS task as it is, with what it was made of. */
export interface LiveTask extends ReplicationTask {
  readonly tables: readonly TableStatistics[];
  /** Table mappings and settings as DMS gives them, parsed. */
  readonly mappings: unknown;
  readonly settings: unknown;
  readonly sourceEndpointArn: string;
  readonly targetEndpointArn: string;
}

export interface LiveState {
  readonly environment: string;
  readonly takenAt: string;
  readonly tasks: readonly LiveTask[];
  /** Absent when nobody asked the host; a plan then says what it can't know. */
  readonly inspection?: Inspection;
}
