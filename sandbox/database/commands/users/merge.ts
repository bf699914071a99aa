/** _mergeAuthzCollections: how mongorestore brings users and roles back from temporary collections. */
import { namespace, need } from "../../auth/privilege.ts";
import { ROLES, USERS } from "../../auth/roles.ts";
import { ServerError } from "../../engine/errors.ts";
import type { Document, Value } from "../../engine/value.ts";
import type { Command, CommandContext, Reply } from "../../server/context.ts";
import { put, readAll, removeById } from "../../storage/internal.ts";
import type { WriteUnit } from "../../storage/write-unit.ts";

/** Takes over every document of `from` for the database; with `drop` the ones not there go. */
function merge(context: CommandContext, unit: WriteUnit, from: string, to: string, drop: boolean): void {
  const database = context.string("db") ?? "";
  const mine = (document: Document): boolean => database === "" || document.get("db") === database;
  const given = readAll(context.storage, from).filter(mine);
  const kept = new Set(given.map((document) => document.get("_id") as string));
  if (drop) {
    for (const old of readAll(context.storage, to)) {
      const id = old.get("_id") as Value;
      if (mine(old) && !kept.has(id as string)) removeById(unit, to, id);
    }
  }
  for (const document of given) put(unit, to, document);
}

function run(context: CommandContext): Reply {
  const users = context.string("tempUsersCollection");
  const roles = context.string("tempRolesCollection");
  if (!users && !roles)
    throw new ServerError(
      "BadValue",
      'Must provide at least one of "tempUsersCollection" and "tempRolescollection"',
    );
  const drop = context.boolean("drop") ?? false;
  context.storage.write((unit) => {
    if (users) merge(context, unit, users, USERS, drop);
    if (roles) merge(context, unit, roles, ROLES, drop);
  });
  return {};
}

export const mergeAuthzCommand: Command = {
  name: "_mergeAuthzCollections",
  fields: ["tempUsersCollection", "tempRolesCollection", "drop", "db"],
  adminOnly: true,
  role: "write",
  needs: () => [
    need(namespace("", ""), "createUser", "createRole", "grantRole", "revokeRole", "dropUser", "dropRole"),
    need(namespace("admin", "system.users"), "find"),
  ],
  run,
};
