/** Users and roles live in `admin`, whatever database the command names; a role without `db` means that database. */
import { Buffer } from "node:buffer";
import { unauthorized } from "../errors.ts";
import type { Decision } from "../session.ts";
import type { Request } from "../wire/messages.ts";
import { documentOf, element, type Field, readFields, readString, Type } from "../wire/raw.ts";
import { elementsOf } from "./greeting.ts";
import type { DialectSession } from "./shared.ts";

export const userCommands: ReadonlySet<string> = new Set([
  ...["createUser", "updateUser", "dropUser", "dropAllUsersFromDatabase", "usersInfo"],
  ...[
    "grantRolesToUser",
    "revokeRolesFromUser",
    "createRole",
    "updateRole",
    "dropRole",
    "dropAllRolesFromDatabase",
  ],
  ...[
    "grantRolesToRole",
    "revokeRolesFromRole",
    "grantPrivilegesToRole",
    "revokePrivilegesFromRole",
    "rolesInfo",
  ],
]);

function bindRoles(body: Buffer, roles: Field, database: string): Buffer {
  const bound = readFields(body, roles.value).map((role, index) => {
    const name = readString(body, role);
    return name === undefined
      ? body.subarray(role.start, role.end)
      : elementsOf({ [String(index)]: { role: name, db: database } });
  });
  return element(Type.Array, "roles", documentOf(bound));
}

export function userCommand(request: Request, session: DialectSession): Decision {
  const { body, database, command, fields } = request;
  const name = readString(body, fields[0]);
  if (
    command === "dropUser" &&
    name !== undefined &&
    (name === "serviceadmin" || name === session.shared.primaryUser)
  ) {
    throw unauthorized(`Cannot drop user ${name}`);
  }
  if (command === "dropAllUsersFromDatabase" && database === "admin")
    throw unauthorized("Cannot drop the primary user");
  const elements = fields.map((each) => {
    if (each.name === "$db") return elementsOf({ $db: "admin" });
    if (each.name === "roles" && each.type === Type.Array) return bindRoles(body, each, database);
    return Buffer.from(body.subarray(each.start, each.end));
  });
  return { forward: true, body: documentOf(elements) };
}
