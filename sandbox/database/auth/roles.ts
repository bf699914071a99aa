/** Roles by name and database: built-in ones and those of `admin.system.roles`, resolved to privileges. */
import { type Document, isDocument, type Value } from "../engine/value.ts";
import { readById } from "../storage/internal.ts";
import type { Storage } from "../storage/storage.ts";
import { builtinRole } from "./builtin-roles.ts";
import { ANY, CLUSTER, namespace, type Privilege, type Resource } from "./privilege.ts";

export const USERS = "admin.system.users";
export const ROLES = "admin.system.roles";

export interface RoleName {
  readonly role: string;
  readonly db: string;
}

export function roleNames(values: Value | undefined): RoleName[] {
  if (!Array.isArray(values)) return [];
  return values.flatMap((value) =>
    isDocument(value) ? [{ role: value.get("role") as string, db: value.get("db") as string }] : [],
  );
}

function resourceOf(document: Document): Resource {
  if (document.get("anyResource") === true) return ANY;
  if (document.get("cluster") === true) return CLUSTER;
  return namespace((document.get("db") as string) ?? "", (document.get("collection") as string) ?? "");
}

export function privilegesOf(values: Value | undefined): Privilege[] {
  if (!Array.isArray(values)) return [];
  return values.flatMap((value) => {
    if (!isDocument(value)) return [];
    const resource = value.get("resource");
    const actions = value.get("actions");
    if (!isDocument(resource) || !Array.isArray(actions)) return [];
    return [{ resource: resourceOf(resource), actions: new Set(actions as string[]) }];
  });
}

export function customRole(storage: Storage, name: RoleName): Document | undefined {
  return readById(storage, ROLES, `${name.db}.${name.role}`);
}

export function roleExists(storage: Storage, name: RoleName): boolean {
  return builtinRole(name.role, name.db) !== undefined || customRole(storage, name) !== undefined;
}

/** Every role reached from `direct`, and the privileges of all of them. A role that no longer exists gives nothing. */
export function resolveRoles(
  storage: Storage,
  direct: RoleName[],
): { roles: RoleName[]; privileges: Privilege[] } {
  const roles: RoleName[] = [];
  const privileges: Privilege[] = [];
  const seen = new Set<string>();
  const queue = [...direct];
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    const id = `${name.db}.${name.role}`;
    if (seen.has(id)) continue;
    seen.add(id);
    const builtin = builtinRole(name.role, name.db);
    const custom = builtin ? undefined : customRole(storage, name);
    if (!builtin && !custom) continue;
    roles.push(name);
    privileges.push(...(builtin ?? privilegesOf(custom!.get("privileges"))));
    queue.push(...roleNames(custom?.get("roles")));
  }
  return { roles, privileges };
}
