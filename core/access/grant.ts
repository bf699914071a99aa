import type { Privilege, RoleReference } from "./principal.ts";

/** The custom role of one failback that lets its holder read, insert and update, but not delete. */
export function writerRoleName(failbackId: string): string {
  return `roundtrip_writer_${failbackId}`;
}

/** Privileges of that role: find, insert and update on every collection of the scope's databases. */
export function writerPrivileges(databases: readonly string[]): Privilege[] {
  return databases.map((db) => ({ resource: { db, collection: "" }, actions: ["find", "insert", "update"] }));
}

/**
 * The roles an application user has while DocumentDB is the source (invariants.md 5): what it kept as a reader,
 * and the right to write in scope.
 */
export function grantedRoles(options: {
  readonly readOnly: readonly RoleReference[];
  readonly databases: readonly string[];
  readonly allowRemove: boolean;
  readonly failbackId: string;
}): RoleReference[] {
  const written: RoleReference[] = options.allowRemove
    ? options.databases.map((db) => ({ role: "readWrite", db }))
    : [{ role: writerRoleName(options.failbackId), db: "admin" }];
  const readWritten = new Set(options.allowRemove ? options.databases : []);
  const stillRead = options.readOnly.filter((role) => !(role.role === "read" && readWritten.has(role.db)));
  return [...stillRead, ...written];
}
