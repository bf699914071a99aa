import { readJson, writeJson } from "../../adapters/state/json.ts";
import { type PromotionRecord, promotionKey } from "../../core/credentials/accounts.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Check } from "../../core/failback/documents.ts";
import type { Server } from "../access/databases.ts";
import { passed } from "../actions/action.ts";
import type { ServiceContext } from "../runtime/definition.ts";
import { type AccountState, readVersion } from "./account-state.ts";
import { proveLogin, tryLogin } from "./login.ts";

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

/** Goes back to the version before, while its user still logs in; the user of the current one becomes the old one. */
export async function goBack(
  service: ServiceContext,
  { account, current, previous, foreignPending }: AccountState,
): Promise<Check[]> {
  const key = promotionKey(account.account);
  const record = (await readJson<PromotionRecord>(service.store, key))?.value;
  const isBack = record?.versionId === current.id && record.operationId === "abandoned";
  if (isBack) return [passed("current version", "the one before the rotation", current.id)];
  const usable = previous && (await tryLogin(service, account, previous.fields)) === "accepted";
  if (!previous || !usable || foreignPending)
    throw noWayBack(account.secret, previous?.username, foreignPending?.id);
  await service.secretVersions.promote(account.secret, current.id, previous.id);
  const back: PromotionRecord = {
    version: 1,
    account: account.account,
    secret: account.secret,
    versionId: previous.id,
    username: previous.username,
    previousUsername: current.username,
    oldUsername: current.username,
    operationId: "abandoned",
    promotedAt: service.clock.now().toISOString(),
  };
  await writeJson(service.store, key, back);
  return [
    passed("current version", "the one before the rotation", `${previous.id}, user ${previous.username}`),
  ];
}

function noWayBack(
  secret: string,
  username: string | undefined,
  pending: string | undefined,
): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what: `go back to the version before the current one of secret ${secret}`,
    expected: "a version under AWSPREVIOUS whose login DocumentDB accepts, and none under AWSPENDING",
    got: pending
      ? `version ${pending} is pending`
      : username
        ? `the login of ${username} is refused: its password was changed, or it was removed`
        : "no version under AWSPREVIOUS",
    wayOut: pending ? "give up what is pending first" : "there is no way back: rotate once more instead",
  });
}
