/** createUser, updateUser, dropUser, usersInfo and granting of roles to users. */
import { type Need, namespace, need } from "../../auth/privilege.ts";
import { type RoleName, resolveRoles, roleNames, USERS } from "../../auth/roles.ts";
import { credentialsOf, newUser } from "../../auth/user-documents.ts";
import { fromObject } from "../../engine/codec.ts";
import { ServerError } from "../../engine/errors.ts";
import { type Document, isDocument, type Value } from "../../engine/value.ts";
import { holds } from "../../server/authorize.ts";
import type { Command, CommandContext, Reply } from "../../server/context.ts";
import { put, readAll, readById, removeById } from "../../storage/internal.ts";
import type { ReplyObject } from "../../wire/writer.ts";
import { showPrivilege } from "../sasl.ts";
import {
  ALL_MECHANISMS,
  checkHome,
  commandTarget,
  grantNeeds,
  readMechanisms,
  readRoles,
  requireRoles,
} from "./input.ts";

function storedRoles(roles: readonly RoleName[]): Document[] {
  return roles.map(({ role, db }) => fromObject({ role, db }));
}

function userOf(context: CommandContext, name: string): Document {
  const user = readById(context.storage, USERS, `${context.database}.${name}`);
  if (!user) throw new ServerError("UserNotFound", `User '${name}@${context.database}' not found`);
  return user;
}

function store(context: CommandContext, user: Document): void {
  context.storage.write((unit) => put(unit, USERS, user));
}

function createUser(context: CommandContext): Reply {
  const name = commandTarget(context);
  checkHome(context, "create users");
  const roles = readRoles(context, "roles");
  if (!roles) throw new ServerError(40414, "BSON field 'createUser.roles' is missing but a required field");
  const password = context.string("pwd");
  if (password === undefined && context.database !== "$external") {
    throw new ServerError(
      "BadValue",
      "Must provide a 'pwd' field for all user documents, except those with '$external' as the user's source db",
    );
  }
  if (password === "") throw new ServerError("BadValue", "Password cannot be empty");
  requireRoles(context.storage, roles);
  if (readById(context.storage, USERS, `${context.database}.${name}`)) {
    throw new ServerError(51003, `User "${name}@${context.database}" already exists`);
  }
  const user = newUser(context.database, name, password, roles, readMechanisms(context) ?? ALL_MECHANISMS);
  const customData = context.document("customData");
  if (customData) user.set("customData", customData);
  const restrictions = context.array("authenticationRestrictions");
  if (restrictions && restrictions.length > 0) user.set("authenticationRestrictions", restrictions);
  store(context, user);
  return {};
}

function updateUser(context: CommandContext): Reply {
  const name = commandTarget(context);
  const user = userOf(context, name);
  const password = context.string("pwd");
  const roles = readRoles(context, "roles");
  const customData = context.document("customData");
  const mechanisms = readMechanisms(context);
  if (
    password === undefined &&
    !roles &&
    !customData &&
    !mechanisms &&
    !context.body.has("authenticationRestrictions")
  ) {
    throw new ServerError("BadValue", "Must specify at least one field to update in updateUser");
  }
  if (roles) {
    requireRoles(context.storage, roles);
    user.set("roles", storedRoles(roles));
  }
  if (customData) user.set("customData", customData);
  const restrictions = context.array("authenticationRestrictions");
  if (restrictions) user.set("authenticationRestrictions", restrictions);
  if (password !== undefined)
    user.set("credentials", credentialsOf(name, password, mechanisms ?? ALL_MECHANISMS));
  else if (mechanisms) keepMechanisms(user, mechanisms);
  store(context, user);
  return {};
}

/** Without a new password mechanisms can only be taken away. */
function keepMechanisms(user: Document, mechanisms: readonly string[]): void {
  const credentials = user.get("credentials") as Document;
  for (const mechanism of mechanisms) {
    if (!credentials.has(mechanism))
      throw new ServerError("BadValue", "mechanisms field must be a subset of previously set mechanisms");
  }
  user.set("credentials", new Map([...credentials].filter(([name]) => mechanisms.includes(name))));
}

function dropUser(context: CommandContext): Reply {
  const name = commandTarget(context);
  userOf(context, name);
  context.storage.write((unit) => removeById(unit, USERS, `${context.database}.${name}`));
  return {};
}

function dropAllUsers(context: CommandContext): Reply {
  const mine = readAll(context.storage, USERS).filter((user) => user.get("db") === context.database);
  context.storage.write((unit) => {
    for (const user of mine) removeById(unit, USERS, user.get("_id") as Value);
  });
  return { n: mine.length };
}

function changeRoles(
  context: CommandContext,
  change: (held: RoleName[], given: RoleName[]) => RoleName[],
): Reply {
  const user = userOf(context, commandTarget(context));
  const given = readRoles(context, "roles") ?? [];
  if (given.length === 0)
    throw new ServerError("BadValue", `${context.name} command requires a non-empty "roles" array`);
  requireRoles(context.storage, given);
  user.set("roles", storedRoles(change(roleNames(user.get("roles")), given)));
  store(context, user);
  return {};
}

function sameRole(a: RoleName, b: RoleName): boolean {
  return a.role === b.role && a.db === b.db;
}

export function withRoles(held: readonly RoleName[], given: readonly RoleName[]): RoleName[] {
  return [...held, ...given.filter((name) => !held.some((other) => sameRole(name, other)))];
}

export function withoutRoles(held: readonly RoleName[], given: readonly RoleName[]): RoleName[] {
  return held.filter((name) => !given.some((other) => sameRole(name, other)));
}

interface Wanted {
  matches(user: Document): boolean;
  database: string | undefined;
}

function wantedUsers(context: CommandContext): Wanted[] {
  const value = context.body.get("usersInfo");
  const one = (entry: Value): Wanted => {
    if (typeof entry === "string")
      return {
        matches: (user) => user.get("user") === entry && user.get("db") === context.database,
        database: context.database,
      };
    if (isDocument(entry) && typeof entry.get("user") === "string" && typeof entry.get("db") === "string") {
      return {
        matches: (user) => user.get("user") === entry.get("user") && user.get("db") === entry.get("db"),
        database: entry.get("db") as string,
      };
    }
    if (isDocument(entry) && entry.get("forAllDBs") === true)
      return { matches: () => true, database: undefined };
    return { matches: (user) => user.get("db") === context.database, database: context.database };
  };
  return Array.isArray(value) ? value.map(one) : [one(value ?? null)];
}

function showUser(context: CommandContext, user: Document): ReplyObject {
  const credentials = user.get("credentials") as Document;
  const held = roleNames(user.get("roles"));
  const shown: ReplyObject = {
    _id: user.get("_id"),
    userId: user.get("userId"),
    user: user.get("user"),
    db: user.get("db"),
    credentials: context.boolean("showCredentials") ? credentials : undefined,
    customData: user.get("customData"),
    roles: held.map(({ role, db }) => ({ role, db })),
    mechanisms: [...credentials.keys()],
    authenticationRestrictions: context.boolean("showAuthenticationRestrictions")
      ? (user.get("authenticationRestrictions") ?? [])
      : undefined,
  };
  if (context.boolean("showPrivileges")) {
    const { roles, privileges } = resolveRoles(context.storage, held);
    shown.inheritedRoles = roles.map(({ role, db }) => ({ role, db }));
    shown.inheritedPrivileges = privileges.map(showPrivilege);
    shown.inheritedAuthenticationRestrictions = [];
  }
  return shown;
}

function usersInfo(context: CommandContext): Reply {
  const wanted = wantedUsers(context);
  const found = readAll(context.storage, USERS).filter((user) => wanted.some((one) => one.matches(user)));
  return { users: found.map((user) => showUser(context, user)) };
}

/** Anyone may ask about himself. */
function usersInfoNeeds(context: CommandContext): Need[] {
  const value = context.body.get("usersInfo");
  const principal = context.connection.principal;
  const isSelf = (entry: Value): boolean =>
    typeof entry === "string"
      ? principal?.user === entry && principal.db === context.database
      : isDocument(entry) && entry.get("user") === principal?.user && entry.get("db") === principal?.db;
  const entries = Array.isArray(value) ? value : [value ?? null];
  if (entries.every(isSelf)) return [];
  return wantedUsers(context).map(({ database }) => need(namespace(database ?? "", ""), "viewUser"));
}

/** Changing one's own password or data takes a narrower right. */
function updateUserNeeds(context: CommandContext): Need[] {
  const here = namespace(context.database, "");
  const self =
    context.connection.principal?.user === context.body.get("updateUser") &&
    context.connection.principal?.db === context.database;
  const needs: Need[] = [];
  if (context.body.has("pwd") && !(self && holds(context, need(here, "changeOwnPassword"))))
    needs.push(need(here, "changePassword"));
  if (context.body.has("customData") && !(self && holds(context, need(here, "changeOwnCustomData"))))
    needs.push(need(here, "changeCustomData"));
  if (context.body.has("roles")) {
    const user = readById(
      context.storage,
      USERS,
      `${context.database}.${String(context.body.get("updateUser"))}`,
    );
    needs.push(
      ...grantNeeds(readRoles(context, "roles"), "grantRole"),
      ...grantNeeds(roleNames(user?.get("roles")), "revokeRole"),
    );
  }
  if (needs.length === 0) needs.push(need(here, "changePassword"));
  return needs;
}

const here =
  (action: string) =>
  (context: CommandContext): Need[] => [need(namespace(context.database, ""), action)];

export const userCommands: Command[] = [
  {
    name: "createUser",
    fields: ["pwd", "customData", "roles", "digestPassword", "mechanisms", "authenticationRestrictions"],
    role: "write",
    needs: (context) => [
      need(namespace(context.database, ""), "createUser"),
      ...grantNeeds(readRoles(context, "roles"), "grantRole"),
    ],
    run: createUser,
  },
  {
    name: "updateUser",
    fields: ["pwd", "customData", "roles", "digestPassword", "mechanisms", "authenticationRestrictions"],
    role: "write",
    needs: updateUserNeeds,
    run: updateUser,
  },
  { name: "dropUser", fields: [], role: "write", needs: here("dropUser"), run: dropUser },
  { name: "dropAllUsersFromDatabase", fields: [], role: "write", needs: here("dropUser"), run: dropAllUsers },
  {
    name: "grantRolesToUser",
    fields: ["roles"],
    role: "write",
    needs: (context) => grantNeeds(readRoles(context, "roles"), "grantRole"),
    run: (context) => changeRoles(context, withRoles),
  },
  {
    name: "revokeRolesFromUser",
    fields: ["roles"],
    role: "write",
    needs: (context) => grantNeeds(readRoles(context, "roles"), "revokeRole"),
    run: (context) => changeRoles(context, withoutRoles),
  },
  {
    name: "usersInfo",
    fields: [
      "showPrivileges",
      "showCredentials",
      "showCustomData",
      "showAuthenticationRestrictions",
      "filter",
    ],
    role: "read",
    needs: usersInfoNeeds,
    run: usersInfo,
  },
];
