import { readJson, writeJson } from "../../adapters/state/json.ts";
import { type PromotionRecord, promotionKey } from "../../core/credentials/accounts.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Server } from "../access/databases.ts";
import type { ServiceContext } from "../runtime/definition.ts";
import type { AccountState, LabelledSecret } from "./account-state.ts";
import { proveLogin } from "./login.ts";

export interface Promoted {
  readonly record: PromotionRecord;
  readonly loginMs: number;
}

/**
 * Makes this operation's pending version the current one, after a login with it. Where only the password changes, the
 * user gets it now, which is why whoever uses the secret stands still meanwhile. Killed anywhere and run again it ends
 * the same.
 */
export async function promote(
  service: ServiceContext,
  server: Server,
  state: AccountState,
  operationId: string,
): Promise<Promoted> {
  const { secretVersions } = service;
  const { account, current, mine, versionId, isPromoted } = state;
  if (!mine) throw notPrepared(state);
  const before = isPromoted ? state.previous : current;
  if (mine.username === before?.username) await setPassword(server, mine);
  const loginMs = await proveLogin(service, account, mine.fields);
  if (!isPromoted) await secretVersions.promote(account.secret, current.id, versionId);
  await secretVersions.removeLabel(account.secret, versionId, "AWSPENDING");
  const record = await keepRecord(service, state, mine, operationId);
  service.logger.info({ secret: account.secret, user: mine.username }, "new credentials are current");
  return { record, loginMs };
}

async function setPassword(server: Server, { username, fields }: LabelledSecret): Promise<void> {
  await server.command(
    "admin",
    { updateUser: username, pwd: fields.password },
    `change the password of user ${username}`,
  );
}

/** The first record of a version stays: what was started behind its time has the new credentials. */
async function keepRecord(
  { store, clock }: ServiceContext,
  { account, versionId, isPromoted, current, previous }: AccountState,
  { username }: LabelledSecret,
  operationId: string,
): Promise<PromotionRecord> {
  const key = promotionKey(account.account);
  const kept = (await readJson<PromotionRecord>(store, key))?.value;
  if (kept?.versionId === versionId) return kept;
  const previousUsername = (isPromoted ? previous : current)?.username ?? username;
  const stillThere = kept?.removedAt ? undefined : kept?.oldUsername;
  const oldUsername = previousUsername === username ? stillThere : previousUsername;
  const record: PromotionRecord = {
    version: 1,
    account: account.account,
    secret: account.secret,
    versionId,
    username,
    previousUsername,
    ...(oldUsername ? { oldUsername } : {}),
    operationId,
    promotedAt: clock.now().toISOString(),
  };
  await writeJson(store, key, record);
  return record;
}

function notPrepared({ account, versionId }: AccountState): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what: `promote the new credentials of ${account.account}`,
    expected: `version ${versionId} of secret ${account.secret}, as prepare-credentials makes it`,
    got: "no such version",
    wayOut: "run the rotation from its beginning",
  });
}
