/** Reading roles, privileges and mechanisms out of user and role commands. */

import { type Need, namespace, need } from "../../auth/privilege.ts";
import { type RoleName, roleExists } from "../../auth/roles.ts";
import { isMechanism, MECHANISMS, type Mechanism } from "../../auth/scram.ts";
import { ServerError } from "../../engine/errors.ts";
import { type Document, isDocument } from "../../engine/value.ts";
import type { CommandContext } from "../../server/context.ts";
import type { Storage } from "../../storage/storage.ts";

/** Roles as names in the command's database, or `{role, db}`. */
export function readRoles(context: CommandContext, field: string): RoleName[] | undefined {
  return context.array(field)?.map((value) => {
    if (typeof value === "string") return { role: value, db: context.database };
    if (isDocument(value) && typeof value.get("role") === "string" && typeof value.get("db") === "string") {
      return { role: value.get("role") as string, db: value.get("db") as string };
    }
    throw new ServerError("BadValue", 'Missing expected field "role" or "db" in a role name');
  });
}

/** @throws ServerError RoleNotFound */
export function requireRoles(storage: Storage, roles: readonly RoleName[]): void {
  for (const name of roles) {
    if (!roleExists(storage, name))
      throw new ServerError("RoleNotFound", `Could not find role: ${name.role}@${name.db}`);
  }
}

export function readMechanisms(context: CommandContext): Mechanism[] | undefined {
  const values = context.array("mechanisms");
  if (!values) return undefined;
  if (values.length === 0) throw new ServerError("BadValue", "mechanisms field must not be empty");
  return values.map((value) => {
    if (typeof value === "string" && isMechanism(value)) return value;
    throw new ServerError("BadValue", `Unknown auth mechanism '${String(value)}'`);
  });
}

export const ALL_MECHANISMS: readonly Mechanism[] = MECHANISMS;

/** Privileges as stored: `{resource, actions}`. */
export function readPrivileges(context: CommandContext, field: string): Document[] | undefined {
  return context.array(field)?.map((value) => {
    const resource = isDocument(value) ? value.get("resource") : undefined;
    const actions = isDocument(value) ? value.get("actions") : undefined;
    if (!isDocument(resource) || !Array.isArray(actions) || actions.length === 0) {
      throw new ServerError(
        "FailedToParse",
        "privilege must have a resource document and a non-empty array of actions",
      );
    }
    checkResource(resource);
    return value as Document;
  });
}

function checkResource(resource: Document): void {
  const kinds = [
    resource.get("cluster") === true,
    resource.get("anyResource") === true,
    resource.has("db") || resource.has("collection"),
  ];
  const pair = typeof resource.get("db") === "string" && typeof resource.get("collection") === "string";
  if (kinds.filter(Boolean).length === 1 && (!kinds[2] || pair)) return;
  throw new ServerError(
    "FailedToParse",
    "resource must name db and collection, or be {cluster: true} or {anyResource: true}",
  );
}

/** Granting a role takes the right to grant roles on the role's own database. */
export function grantNeeds(
  roles: readonly RoleName[] | undefined,
  action: "grantRole" | "revokeRole",
): Need[] {
  return (roles ?? []).map(({ db }) => need(namespace(db, ""), action));
}

/** The string a user or role command names. */
export function commandTarget(context: CommandContext): string {
  const value = context.body.get(context.name);
  if (typeof value === "string" && value !== "") return value;
  throw new ServerError(
    "BadValue",
    `${context.name}: expected a non-empty name, got ${value === undefined ? "nothing" : "another type"}`,
  );
}

/** @throws ServerError BadValue: users and roles can't live in `local` */
export function checkHome(context: CommandContext, what: string): void {
  if (context.database === "local") throw new ServerError("BadValue", `Cannot ${what} in the local database`);
}
