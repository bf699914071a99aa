/** Custom roles: createRole, updateRole, dropRole, granting of privileges and roles to roles, rolesInfo. */
import { builtinRole, builtinRoleNames } from "../../auth/builtin-roles.ts";
import { type Need, namespace, need } from "../../auth/privilege.ts";
import { customRole, privilegesOf, ROLES, type RoleName, resolveRoles, roleNames } from "../../auth/roles.ts";
import { fromObject } from "../../engine/codec.ts";
import { compareValues } from "../../engine/compare.ts";
import { ServerError } from "../../engine/errors.ts";
import { type Document, isDocument, type Value } from "../../engine/value.ts";
import type { Command, CommandContext, Reply } from "../../server/context.ts";
import { put, readAll, removeById } from "../../storage/internal.ts";
import type { ReplyObject } from "../../wire/writer.ts";
import { showPrivilege } from "../sasl.ts";
import { checkHome, commandTarget, grantNeeds, readPrivileges, readRoles, requireRoles } from "./input.ts";
import { withoutRoles, withRoles } from "./users.ts";

function roleOf(context: CommandContext, role: string): Document {
  if (builtinRole(role, context.database))
    throw new ServerError(
      "InvalidRoleModification",
      `${role}@${context.database} is a built-in role and cannot be modified`,
    );
  const found = customRole(context.storage, { role, db: context.database });
  if (!found) throw new ServerError("RoleNotFound", `Role ${role}@${context.database} not found`);
  return found;
}

function store(context: CommandContext, role: Document): void {
  context.storage.write((unit) => put(unit, ROLES, role));
}

function refuseCycle(context: CommandContext, role: RoleName, roles: readonly RoleName[]): void {
  const reached = resolveRoles(context.storage, [...roles]).roles;
  if (reached.some((name) => name.role === role.role && name.db === role.db)) {
    throw new ServerError(
      "InvalidRoleModification",
      `Granting roles to ${role.role}@${role.db} would introduce a cycle in the role graph`,
    );
  }
}

function documentsOf(roles: readonly RoleName[]): Document[] {
  return roles.map(({ role, db }) => fromObject({ role, db }));
}

function createRole(context: CommandContext): Reply {
  const role = commandTarget(context);
  checkHome(context, "create roles");
  const privileges = readPrivileges(context, "privileges");
  const roles = readRoles(context, "roles");
  if (!privileges)
    throw new ServerError(40414, "BSON field 'createRole.privileges' is missing but a required field");
  if (!roles) throw new ServerError(40414, "BSON field 'createRole.roles' is missing but a required field");
  if (builtinRole(role, context.database))
    throw new ServerError("BadValue", `Cannot create roles with the same name as a built-in role`);
  if (customRole(context.storage, { role, db: context.database }))
    throw new ServerError(51002, `Role "${role}@${context.database}" already exists`);
  requireRoles(context.storage, roles);
  const document: Document = new Map<string, Value>([
    ["_id", `${context.database}.${role}`],
    ["role", role],
    ["db", context.database],
    ["privileges", privileges],
    ["roles", documentsOf(roles)],
  ]);
  store(context, document);
  return {};
}

function updateRole(context: CommandContext): Reply {
  const role = commandTarget(context);
  const document = roleOf(context, role);
  const privileges = readPrivileges(context, "privileges");
  const roles = readRoles(context, "roles");
  if (!privileges && !roles)
    throw new ServerError("BadValue", "Must specify at least one field to update in updateRole");
  if (privileges) document.set("privileges", privileges);
  if (roles) {
    requireRoles(context.storage, roles);
    refuseCycle(context, { role, db: context.database }, roles);
    document.set("roles", documentsOf(roles));
  }
  store(context, document);
  return {};
}

function dropRole(context: CommandContext): Reply {
  const role = commandTarget(context);
  roleOf(context, role);
  context.storage.write((unit) => {
    removeById(unit, ROLES, `${context.database}.${role}`);
    dropEverywhere(context, (name) => name.role === role && name.db === context.database, unit);
  });
  return {};
}

/** A dropped role is taken away from every user and role that held it. */
function dropEverywhere(
  context: CommandContext,
  gone: (name: RoleName) => boolean,
  unit: Parameters<typeof put>[0],
): void {
  for (const ns of ["admin.system.users", ROLES]) {
    for (const holder of readAll(context.storage, ns)) {
      const held = roleNames(holder.get("roles"));
      const kept = held.filter((name) => !gone(name));
      if (kept.length === held.length) continue;
      holder.set("roles", documentsOf(kept));
      put(unit, ns, holder);
    }
  }
}

function dropAllRoles(context: CommandContext): Reply {
  const mine = readAll(context.storage, ROLES).filter((role) => role.get("db") === context.database);
  context.storage.write((unit) => {
    for (const role of mine) removeById(unit, ROLES, role.get("_id") as Value);
    dropEverywhere(
      context,
      (name) => mine.some((role) => role.get("role") === name.role && role.get("db") === name.db),
      unit,
    );
  });
  return { n: mine.length };
}

function changePrivileges(
  context: CommandContext,
  change: (held: Document[], given: Document[]) => Document[],
): Reply {
  const document = roleOf(context, commandTarget(context));
  const given = readPrivileges(context, "privileges") ?? [];
  document.set("privileges", change((document.get("privileges") as Document[] | undefined) ?? [], given));
  store(context, document);
  return {};
}

function sameResource(a: Document, b: Document): boolean {
  return compareValues(a.get("resource") as Value, b.get("resource") as Value) === 0;
}

function merged(held: Document[], given: Document[]): Document[] {
  const result = held.map((privilege) => new Map(privilege));
  for (const privilege of given) {
    const known = result.find((other) => sameResource(other, privilege));
    if (!known) result.push(new Map(privilege));
    else
      known.set("actions", [
        ...new Set([...(known.get("actions") as string[]), ...(privilege.get("actions") as string[])]),
      ]);
  }
  return result;
}

function reduced(held: Document[], given: Document[]): Document[] {
  return held.flatMap((privilege) => {
    const taken = given
      .filter((other) => sameResource(other, privilege))
      .flatMap((other) => other.get("actions") as string[]);
    const actions = (privilege.get("actions") as string[]).filter((action) => !taken.includes(action));
    return actions.length === 0 ? [] : [new Map<string, Value>([...privilege, ["actions", actions]])];
  });
}

function changeRoles(
  context: CommandContext,
  change: (held: readonly RoleName[], given: readonly RoleName[]) => RoleName[],
): Reply {
  const role = commandTarget(context);
  const document = roleOf(context, role);
  const given = readRoles(context, "roles") ?? [];
  requireRoles(context.storage, given);
  if (context.name === "grantRolesToRole") refuseCycle(context, { role, db: context.database }, given);
  document.set("roles", documentsOf(change(roleNames(document.get("roles")), given)));
  store(context, document);
  return {};
}

function showRole(context: CommandContext, name: RoleName): ReplyObject | undefined {
  const builtin = builtinRole(name.role, name.db);
  const custom = builtin ? undefined : customRole(context.storage, name);
  if (!builtin && !custom) return undefined;
  const direct = roleNames(custom?.get("roles"));
  const inherited = resolveRoles(context.storage, direct);
  const own = builtin ?? privilegesOf(custom!.get("privileges"));
  const shown: ReplyObject = {
    _id: `${name.db}.${name.role}`,
    role: name.role,
    db: name.db,
    roles: direct.map(({ role, db }) => ({ role, db })),
    inheritedRoles: inherited.roles.map(({ role, db }) => ({ role, db })),
    isBuiltin: builtin !== undefined,
  };
  if (context.boolean("showPrivileges")) {
    shown.privileges = own.map(showPrivilege);
    shown.inheritedPrivileges = [...own, ...inherited.privileges].map(showPrivilege);
  }
  return shown;
}

function rolesInfo(context: CommandContext): Reply {
  const value = context.body.get("rolesInfo");
  const nameOf = (entry: Value): RoleName | undefined => {
    if (typeof entry === "string") return { role: entry, db: context.database };
    return isDocument(entry)
      ? { role: entry.get("role") as string, db: entry.get("db") as string }
      : undefined;
  };
  const entries = Array.isArray(value) ? value : [value ?? null];
  let names = entries.flatMap((entry) => nameOf(entry) ?? []);
  if (names.length === 0) {
    const custom = readAll(context.storage, ROLES).filter((role) => role.get("db") === context.database);
    names = custom.map((role) => ({ role: role.get("role") as string, db: context.database }));
    if (context.boolean("showBuiltinRoles"))
      names.push(...builtinRoleNames(context.database).map((role) => ({ role, db: context.database })));
  }
  return { roles: names.flatMap((name) => showRole(context, name) ?? []) };
}

const here =
  (action: string) =>
  (context: CommandContext): Need[] => [need(namespace(context.database, ""), action)];

/** Who gives a role privileges must be allowed to grant roles on the databases they reach. */
function privilegeNeeds(context: CommandContext, action: "grantRole" | "revokeRole"): Need[] {
  return (readPrivileges(context, "privileges") ?? []).map((privilege) => {
    const resource = privilege.get("resource") as Document;
    const db = resource.get("db");
    return need(namespace(typeof db === "string" && db !== "" ? db : "admin", ""), action);
  });
}

export const roleCommands: Command[] = [
  {
    name: "createRole",
    fields: ["privileges", "roles", "authenticationRestrictions"],
    role: "write",
    needs: (context) => [
      ...here("createRole")(context),
      ...grantNeeds(readRoles(context, "roles"), "grantRole"),
      ...privilegeNeeds(context, "grantRole"),
    ],
    run: createRole,
  },
  {
    name: "updateRole",
    fields: ["privileges", "roles", "authenticationRestrictions"],
    role: "write",
    needs: (context) => [
      ...here("revokeRole")(context),
      ...grantNeeds(readRoles(context, "roles"), "grantRole"),
      ...privilegeNeeds(context, "grantRole"),
    ],
    run: updateRole,
  },
  { name: "dropRole", fields: [], role: "write", needs: here("dropRole"), run: dropRole },
  { name: "dropAllRolesFromDatabase", fields: [], role: "write", needs: here("dropRole"), run: dropAllRoles },
  {
    name: "grantPrivilegesToRole",
    fields: ["privileges"],
    role: "write",
    needs: (context) => privilegeNeeds(context, "grantRole"),
    run: (context) => changePrivileges(context, merged),
  },
  {
    name: "revokePrivilegesFromRole",
    fields: ["privileges"],
    role: "write",
    needs: (context) => privilegeNeeds(context, "revokeRole"),
    run: (context) => changePrivileges(context, reduced),
  },
  {
    name: "grantRolesToRole",
    fields: ["roles"],
    role: "write",
    needs: (context) => grantNeeds(readRoles(context, "roles"), "grantRole"),
    run: (context) => changeRoles(context, withRoles),
  },
  {
    name: "revokeRolesFromRole",
    fields: ["roles"],
    role: "write",
    needs: (context) => grantNeeds(readRoles(context, "roles"), "revokeRole"),
    run: (context) => changeRoles(context, withoutRoles),
  },
  {
    name: "rolesInfo",
    fields: ["showPrivileges", "showBuiltinRoles", "showAuthenticationRestrictions"],
    role: "read",
    needs: here("viewRole"),
    run: rolesInfo,
  },
  {
    name: "invalidateUserCache",
    fields: [],
    role: "any",
    needs: () => [need({ kind: "cluster" }, "invalidateUserCache")],
    run(context) {
      context.server.authorization.changed();
      return {};
    },
  },
];
