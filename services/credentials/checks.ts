/** What must hold before credentials are renewed. Looks only. */

import { isAdministrator } from "../../core/access/administrators.ts";
import type { Principal, Privilege } from "../../core/access/principal.ts";
import { missingPrivileges } from "../../core/access/required-privileges.ts";
import type { RotationChange } from "../../core/credentials/accounts.ts";
import { endpointSecretKeys } from "../../core/credentials/secret-fields.ts";
import type { Check } from "../../core/failback/documents.ts";
import type { Server } from "../access/databases.ts";
import { check, passed } from "../actions/action.ts";
import type { ServiceContext } from "../runtime/definition.ts";
import type { AccountState } from "./account-state.ts";
import { tryLogin } from "./login.ts";

/** What Roundtrip's operator needs on DocumentDB to make, change and remove a user; `userAdminAnyDatabase` has them all. */
const userPrivileges = ["createUser", "dropUser", "grantRole", "changePassword", "viewUser"];

export interface RotationPlan {
  readonly change: RotationChange;
  /** The user the new credentials are for. */
  readonly username: string;
}

export async function rotationChecks(
  service: ServiceContext,
  server: Server,
  state: AccountState,
  plan: RotationPlan,
): Promise<Check[]> {
  const before = [keysCheck(state), await operatorCheck(server)];
  // Without its privileges the operator can't look at users either.
  if (before.some(({ ok }) => !ok)) return before;
  const principals = await server.access.principals();
  return [
    ...before,
    userCheck(state, principals, service.environment.documentdb.administrators),
    pendingCheck(state),
    ...newNameChecks(service, state, plan, principals),
    await loginNow(service, state),
  ];
}

function keysCheck({ account, current }: AccountState): Check {
  const { uri } = current.fields;
  const wanted = account.isReplication ? endpointSecretKeys : uri ? [] : (["username", "password"] as const);
  const missing = wanted.filter((key) => !current.fields[key]);
  return check(`keys of secret ${account.secret}`, missing.length === 0, {
    expected: account.isReplication
      ? `${endpointSecretKeys.join(", ")}, as DMS reads them`
      : "username and password, or uri",
    got: missing.length > 0 ? `no ${missing.join(", ")}` : "all there",
    wayOut: `write secret ${account.secret} with these keys, then run this again`,
  });
}

async function operatorCheck(server: Server): Promise<Check> {
  const shown = await server.command(
    "admin",
    { connectionStatus: 1, showPrivileges: true },
    "read Roundtrip's own privileges",
  );
  const held = shown.authInfo?.authenticatedUserPrivileges as Privilege[] | undefined;
  const missing = missingPrivileges(
    held ?? [],
    userPrivileges.map((action) => ({ action, database: "admin" })),
  );
  return check("Roundtrip's user may manage users on DocumentDB", missing.length === 0, {
    expected: "the role userAdminAnyDatabase on admin",
    got: missing.length > 0 ? `missing: ${missing.join(", ")}` : "all there",
    wayOut: "grant Roundtrip's user on DocumentDB the role userAdminAnyDatabase on admin",
  });
}

function userCheck(
  { account, current }: AccountState,
  principals: readonly Principal[],
  administrators: readonly string[],
): Check {
  const found = principals.find(({ user }) => user === current.username);
  const isProtected = found && (administrators.includes(current.username) || isAdministrator(found));
  return check(`user ${current.username} of secret ${account.secret}`, Boolean(found) && !isProtected, {
    expected: "a user of DocumentDB that is no administrator",
    got: !found
      ? "no such user"
      : isProtected
        ? "an administrator"
        : `there, with ${found.roles.map(({ role, db }) => `${role}@${db}`).join(", ") || "no role"}`,
    wayOut: found
      ? "give DMS and the applications users of their own, and name those in the secrets"
      : "create the user (create-user-db does), or mend the secret's username",
  });
}

function pendingCheck({ account, foreignPending }: AccountState): Check {
  return check(`no other rotation of secret ${account.secret}`, foreignPending === undefined, {
    expected: "no version under AWSPENDING but this rotation's",
    got: foreignPending ? `version ${foreignPending.id} is pending` : "none",
    wayOut:
      "finish that rotation: run it again with the inputs it was begun with; or give it up with abandon-rotation, then run this again",
  });
}

function newNameChecks(
  { environment }: ServiceContext,
  { mine, current, account }: AccountState,
  { change, username }: RotationPlan,
  principals: readonly Principal[],
): Check[] {
  if (change === "password") return [];
  const name = `name ${username} for the second user`;
  const { administrators, applicationUsers, otherWriters } = environment.documentdb;
  const listed = [...administrators, ...[...applicationUsers, ...otherWriters].map((user) => user.name)];
  const taken = username === current.username && !mine ? "the secret's user now" : undefined;
  const reserved = listed.includes(username) ? "a user the environment lists" : undefined;
  const there =
    !mine && principals.some(({ user }) => user === username) ? "a user of DocumentDB" : undefined;
  const got = taken ?? reserved ?? there;
  const free = "a name that no user has";
  if (!got) return [passed(name, free, mine ? "this rotation's own user" : "free")];
  return [
    check(name, false, {
      expected: free,
      got,
      wayOut: there
        ? `when ${username} is the old user of the last rotation, run remove-old-user for it (account ${account.account}); or choose another name`
        : "choose another name",
    }),
  ];
}

/** Shown, never refused: credentials that no longer work are a reason to rotate. */
async function loginNow(service: ServiceContext, { account, current }: AccountState): Promise<Check> {
  const answer = await tryLogin(service, account, current.fields);
  return passed(
    `login of ${current.username} with the current version`,
    "shown",
    answer === "accepted" ? "accepted" : "refused: this rotation mends it",
  );
}
