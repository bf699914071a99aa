import type { RoleReference } from "./principal.ts";

export type Side = "documentdb" | "mongodb";

/** The roles a user had before Roundtrip touched it for the first time in this failback. */
export interface RecordedUser {
  readonly side: Side;
  readonly user: string;
  readonly db: string;
  readonly roles: readonly RoleReference[];
  readonly recordedAt: string;
}

/** `roles.json` of a failback: the way back. Entries are added and never replaced. */
export interface RolesRecord {
  readonly version: 1;
  readonly failbackId: string;
  readonly users: readonly RecordedUser[];
  /** Each time the application users got write rights; fences up to `fencesBefore` no longer count. */
  readonly grants: readonly {
    readonly at: string;
    readonly allowRemove: boolean;
    readonly fencesBefore: number;
  }[];
}

export function emptyRolesRecord(failbackId: string): RolesRecord {
  return { version: 1, failbackId, users: [], grants: [] };
}

const same = (left: RecordedUser, right: RecordedUser) =>
  left.side === right.side && left.user === right.user && left.db === right.db;

/** Adds users that are not recorded yet; the first roles ever seen stay. Gives back `record` when nothing is new. */
export function addUsers(record: RolesRecord, users: readonly RecordedUser[]): RolesRecord {
  const added = users.filter((user) => !record.users.some((known) => same(known, user)));
  return added.length === 0 ? record : { ...record, users: [...record.users, ...added] };
}

/** Number of the newest fence that the latest grant made void; 0 when none did. */
export function fencesVoidThrough(record: RolesRecord): number {
  return record.grants.at(-1)?.fencesBefore ?? 0;
}
