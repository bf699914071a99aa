import { builtInWrites, writingActions } from "./built-in-roles.ts";
import type { CustomRole, Principal, Privilege, RoleReference } from "./principal.ts";

const key = (role: RoleReference) => `${role.db}.${role.role}`;

/** The databases a role lets its holder write: `"*"` is all of them, `"?"` a role nobody can explain. */
export type Reach = ReadonlySet<string>;

const nothing: Reach = new Set();
const everything: Reach = new Set(["*"]);
const unexplained: Reach = new Set(["?"]);

/**
 * The databases a role lets its holder write, through the roles it inherits. A custom role whose privileges the
 * server does not show, and a role unknown here, is unexplained, which counts as writing: unknown is never read-only.
 */
export function writeReach(role: RoleReference, customRoles: readonly CustomRole[]): Reach {
  const byKey = new Map(customRoles.map((custom) => [key(custom), custom]));
  return reachOf(role, byKey, new Set());
}

function reachOf(
  role: RoleReference,
  customRoles: ReadonlyMap<string, CustomRole>,
  seen: Set<string>,
): Reach {
  if (seen.has(key(role))) return nothing;
  seen.add(key(role));
  const custom = customRoles.get(key(role));
  if (!custom) {
    const writes = builtInWrites(role.role);
    if (writes === "nothing") return nothing;
    if (writes === undefined) return unexplained;
    if (writes === "everywhere") return everything;
    return role.role === "userAdmin" && role.db === "admin" ? everything : new Set([role.db]);
  }
  if (!custom.privileges) return unexplained;
  const reach = new Set<string>();
  for (const privilege of custom.privileges)
    for (const database of privilegeReach(privilege)) reach.add(database);
  for (const inherited of custom.roles) {
    for (const database of reachOf(inherited, customRoles, seen)) reach.add(database);
  }
  return reach;
}

function privilegeReach({ resource, actions }: Privilege): Reach {
  if (!actions.some((action) => writingActions.has(action))) return nothing;
  if (resource.anyResource || resource.cluster || !resource.db) return everything;
  return new Set([resource.db]);
}

/** The roles through which a principal can write to one of the databases; empty when it can't. */
export function writingRoles(
  principal: Principal,
  customRoles: readonly CustomRole[],
  databases: readonly string[],
): RoleReference[] {
  return principal.roles.filter((role) => {
    const reach = writeReach(role, customRoles);
    return reach.has("*") || reach.has("?") || databases.some((database) => reach.has(database));
  });
}

/**
 * What a principal keeps when it is made read-only: every role that writes nothing anywhere stays as it is, every
 * other one becomes `read` on the databases it reached, an unexplained one `read` on the databases of the scope.
 */
export function readOnlyRoles(
  principal: Principal,
  customRoles: readonly CustomRole[],
  databases: readonly string[],
): RoleReference[] {
  const kept = new Map<string, RoleReference>();
  const keep = (role: RoleReference) => kept.set(key(role), { role: role.role, db: role.db });
  for (const role of principal.roles) {
    const reach = writeReach(role, customRoles);
    if (reach.size === 0) keep(role);
    else if (reach.has("*")) keep({ role: "readAnyDatabase", db: "admin" });
    else for (const db of reach.has("?") ? databases : [...reach].sort()) keep({ role: "read", db });
  }
  return [...kept.values()];
}
