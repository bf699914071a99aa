/** Users and roles live in `admin`, whatever database the command names; a role without `db` means that database. */
import { Buffer } from "node:buffer";
import { unauthorized } from "../errors.ts";
import type { Decision } from "../session.ts";
import { isOk, type Request } from "../wire/messages.ts";
import {
  arrayOf,
  documentOf,
  editDocument,
  element,
  type Field,
  findField,
  readDocuments,
  readFields,
  readString,
  Type,
} from "../wire/raw.ts";
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

const ownActions = new Set(["modifyChangeStreams", "listChangeStreams"]);

/** `privileges` without the actions the database behind doesn't know; those are added to `own`. */
function knownPrivileges(body: Buffer, privileges: Field, own: Set<string>): Buffer {
  const kept: Buffer[] = [];
  for (const privilege of readDocuments(body, privileges)) {
    const actions = findField(privilege, "actions");
    if (actions?.type !== Type.Array) {
      kept.push(privilege);
      continue;
    }
    const names = readFields(privilege, actions.value).map((action) => readString(privilege, action) ?? "");
    for (const name of names) if (ownActions.has(name)) own.add(name);
    const left = names.filter((name) => !ownActions.has(name));
    if (left.length > 0)
      kept.push(editDocument(privilege, new Set(["actions"]), [elementsOf({ actions: left })]));
  }
  return element(Type.Array, "privileges", arrayOf(kept));
}

/** Remembers which of DocumentDB's own actions a custom role grants. */
function keepActions(session: DialectSession, command: string, role: string, own: ReadonlySet<string>): void {
  const { state } = session.shared;
  const before = state.roleActions[role] ?? [];
  const { [role]: _replaced, ...others } = state.roleActions as Record<string, string[]>;
  if (command === "createRole" || command === "updateRole")
    state.update({ roleActions: { ...others, [role]: [...own] } });
  else if (command === "grantPrivilegesToRole") {
    state.update({ roleActions: { ...others, [role]: [...new Set([...before, ...own])] } });
  } else if (command === "revokePrivilegesFromRole") {
    state.update({ roleActions: { ...others, [role]: before.filter((action) => !own.has(action)) } });
  } else if (command === "dropRole") state.update({ roleActions: others });
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
  const own = new Set<string>();
  const elements = fields.map((each) => {
    if (each.name === "$db") return elementsOf({ $db: "admin" });
    if (each.name === "roles" && each.type === Type.Array) return bindRoles(body, each, database);
    if (each.name === "privileges" && each.type === Type.Array) return knownPrivileges(body, each, own);
    return Buffer.from(body.subarray(each.start, each.end));
  });
  const granting = fields.some((each) => each.name === "privileges") || command === "dropRole";
  if (!granting || name === undefined) return { forward: true, body: documentOf(elements) };
  const reply = (document: Buffer) => {
    if (isOk(document)) keepActions(session, command, name, own);
    return document;
  };
  return { forward: true, body: documentOf(elements), reply };
}
