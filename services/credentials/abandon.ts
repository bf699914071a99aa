import { readJson, writeJson } from "../../adapters/state/json.ts";
import { type PromotionRecord, promotionKey } from "../../core/credentials/accounts.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Check } from "../../core/failback/documents.ts";
import type { Server } from "../access/databases.ts";
import { passed } from "../actions/action.ts";
import type { ServiceContext } from "../runtime/definition.ts";
import { type AccountState, readVersion } from "./account-state.ts";
import { proveLogin, tryLogin } from "./login.ts";

/** Stands in a record for the operation: nothing promoted this version anew. */
const abandoned = "abandoned";

/**
 * Gives up credentials that were never promoted: a second user goes, a user whose password had changed gets the current
 * one back, and the version loses its label last, so that a killed run is gone on with. Nothing pending is done already.
 */
export async function abandonPending(
  service: ServiceContext,
  server: Server,
  { account, current, foreignPending }: AccountState,
): Promise<Check[]> {
  const pending = await readVersion(service, account, foreignPending);
  const checks: Check[] = [];
  if (pending?.username === current.username) {
    const { username, fields } = current;
    if ((await tryLogin(service, account, fields)) === "refused") {
      const body = { updateUser: username, pwd: fields.password };
      await server.command("admin", body, `give user ${username} its current password back`);
    }
    const ms = await proveLogin(service, account, fields);
    checks.push(
      passed(`user ${username} logs in with the current version`, "accepted", `accepted after ${ms} ms`),
    );
  } else if (pending) {
    const there = (await server.access.principals()).some(({ user }) => user === pending.username);
    // A user that the pending password doesn't open was made by somebody else.
    const ours = there && (await tryLogin(service, account, pending.fields)) === "accepted";
    if (ours) await server.command("admin", { dropUser: pending.username }, `drop user ${pending.username}`);
    const got = ours ? "dropped" : there ? "left: the pending password doesn't open it" : "was never made";
    checks.push(passed(`second user ${pending.username}`, "gone, unless somebody else made it", got));
  }
  if (foreignPending)
    await service.secretVersions.removeLabel(account.secret, foreignPending.id, "AWSPENDING");
  return [...checks, passed("pending credentials", "none", foreignPending ? "given up" : "there were none")];
}

/**
 * Goes back to the version before, while its user still logs in; the user of the current one becomes the old one. Only
 * from a version that a rotation on record has promoted, so that a second try does not go forward again.
 */
export async function goBack(
  service: ServiceContext,
  { account, current, previous, foreignPending }: AccountState,
): Promise<Check[]> {
  const key = promotionKey(account.account);
  const record = (await readJson<PromotionRecord>(service.store, key))?.value;
  if (record?.operationId === abandoned && record.versionId === current.id)
    return [passed("current version", "the one before the rotation", current.id)];
  if (foreignPending) throw noWayBack(account.secret, `version ${foreignPending.id} is pending`);
  // An earlier try was killed between the two writes: the record names what is AWSPREVIOUS by now.
  const isBack = record !== undefined && previous?.id === record.versionId;
  if (!isBack && record?.versionId !== current.id)
    throw noWayBack(account.secret, "no rotation on record has made the current version");
  const [from, to] = isBack ? [previous, current] : [current, previous];
  if (!to) throw noWayBack(account.secret, "no version under AWSPREVIOUS");
  if ((await tryLogin(service, account, to.fields)) === "refused")
    throw noWayBack(
      account.secret,
      `the login of ${to.username} is refused: its password was changed, or it is gone`,
    );
  if (!isBack) await service.secretVersions.promote(account.secret, from.id, to.id);
  const back: PromotionRecord = {
    version: 1,
    account: account.account,
    secret: account.secret,
    versionId: to.id,
    username: to.username,
    previousUsername: from.username,
    ...(from.username === to.username ? {} : { oldUsername: from.username }),
    operationId: abandoned,
    promotedAt: service.clock.now().toISOString(),
  };
  await writeJson(service.store, key, back);
  return [passed("current version", "the one before the rotation", `${to.id}, user ${to.username}`)];
}

function noWayBack(secret: string, got: string): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what: `go back to the version before the current one of secret ${secret}`,
    expected: "a current version that a rotation made, and one before it whose login DocumentDB accepts",
    got,
    wayOut: "give up what is pending first; where there is no way back, rotate once more instead",
  });
}
