import type { Principal, RoleReference } from "../../core/access/principal.ts";
import { newPassword, withLogin } from "../../core/credentials/secret-fields.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Server } from "../access/databases.ts";
import type { ServiceContext } from "../runtime/definition.ts";
import type { AccountState, LabelledSecret } from "./account-state.ts";
import type { RotationPlan } from "./checks.ts";
import { proveLogin, tryLogin } from "./login.ts";

export interface Prepared {
  readonly username: string;
  readonly previousUsername: string;
  readonly versionId: string;
  /** Milliseconds until the second user could log in; absent when only the password changes. */
  readonly loginMs?: number;
}

/**
 * Keeps new credentials under AWSPENDING, and then, when the user changes too, makes the second user with the roles of
 * the first and logs in as it. The password stands in Secrets Manager before any user has it: a run that dies anywhere
 * is gone on with by the next one of the same operation.
 */
export async function prepare(
  service: ServiceContext,
  server: Server,
  state: AccountState,
  plan: RotationPlan,
): Promise<Prepared> {
  const mine = state.mine ?? (await keepPending(service, state, plan.username));
  const made = { username: mine.username, previousUsername: state.current.username, versionId: mine.id };
  if (plan.change === "password" || state.isPromoted) return made;
  await ensureSecondUser(service, server, state, mine);
  return { ...made, loginMs: await proveLogin(service, state.account, mine.fields) };
}

async function keepPending(
  { secretVersions, logger }: ServiceContext,
  { account, versionId, current }: AccountState,
  username: string,
): Promise<LabelledSecret> {
  const fields = withLogin(current.fields, { username, password: newPassword() });
  await secretVersions.putPending(account.secret, versionId, fields);
  // What was kept counts, not what was sent: another try may have come first.
  const kept = await secretVersions.read(account.secret, { id: versionId });
  if (kept?.username === username) {
    logger.info(
      { secret: account.secret, version: versionId, user: username },
      "new credentials are pending",
    );
    return { id: versionId, fields: kept, username };
  }
  throw new RoundtripError({
    kind: "unknown",
    what: `read back version ${versionId} of secret ${account.secret}`,
    expected: `new credentials for user ${username}`,
    got: kept ? `credentials for user ${kept.username ?? "unnamed"}` : "no such version",
    wayOut: "run it again: nothing has been changed on DocumentDB",
  });
}

async function ensureSecondUser(
  service: ServiceContext,
  server: Server,
  { account, current }: AccountState,
  { fields, username }: LabelledSecret,
): Promise<void> {
  const principals = await server.access.principals();
  const roles = rolesOf(principals, current.username);
  const there = principals.find(({ user }) => user === username);
  if (!there) {
    const body = { createUser: username, pwd: fields.password, roles };
    await server.command("admin", body, `create user ${username}`);
    service.logger.info({ user: username, like: current.username }, "second user made");
    return;
  }
  if ((await tryLogin(service, account, fields)) === "refused") {
    throw new RoundtripError({
      kind: "refused",
      what: `make the second user ${username}`,
      expected: "no user of that name, or the one an earlier try made",
      got: "a user that somebody else made meanwhile: the pending password doesn't open it",
      wayOut: "remove that user, or give this rotation up (abandon-rotation) and choose another name",
    });
  }
  if (!sameRoles(there.roles, roles)) await server.access.setRoles(there, roles);
}

function rolesOf(principals: readonly Principal[], username: string): RoleReference[] {
  const found = principals.find(({ user }) => user === username);
  if (found && found.roles.length > 0) return found.roles.map(({ role, db }) => ({ role, db }));
  throw new RoundtripError({
    kind: "refused",
    what: `give the second user the roles of ${username}`,
    expected: `user ${username} with at least one role`,
    got: found ? "no role" : "no such user",
    wayOut: `give ${username} its roles on DocumentDB back, then run this again`,
  });
}

function sameRoles(one: readonly RoleReference[], other: readonly RoleReference[]): boolean {
  const words = (roles: readonly RoleReference[]) =>
    roles
      .map(({ role, db }) => `${db}.${role}`)
      .sort()
      .join();
  return words(one) === words(other);
}
