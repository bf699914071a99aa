import type { Document } from "mongodb";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import { isAdministrator } from "../../core/access/administrators.ts";
import { type PromotionRecord, promotionKey } from "../../core/credentials/accounts.ts";
import type { Check } from "../../core/failback/documents.ts";
import type { Server } from "../access/databases.ts";
import { check, passed } from "../actions/action.ts";
import type { ServiceContext } from "../runtime/definition.ts";
import type { AccountState } from "./account-state.ts";

export interface RemovalChecks {
  readonly checks: readonly Check[];
  readonly record: PromotionRecord | undefined;
  /** Removed already, by a try whose answer was lost. */
  readonly isGone: boolean;
}

/** What must hold before the old user of a rotation is removed: nobody may need it any more. Looks only. */
export async function removalChecks(
  service: ServiceContext,
  server: Server,
  state: AccountState,
  username: string,
): Promise<RemovalChecks> {
  const { account, current, foreignPending } = state;
  const record = (await readJson<PromotionRecord>(service.store, promotionKey(account.account)))?.value;
  const found = (await server.access.principals()).find(({ user }) => user === username);
  const isOld =
    record?.versionId === current.id &&
    record.oldUsername === username &&
    record.username === current.username &&
    username !== current.username;
  const { administrators } = service.environment.documentdb;
  const isProtected = administrators.includes(username) || (found !== undefined && isAdministrator(found));
  const checks = [
    check(`${username} is the old user of ${account.account}`, isOld, {
      expected: "the user that a rotation of Roundtrip's left behind",
      got: record
        ? `it left ${record.oldUsername ?? "none"}; the secret's user is ${current.username}`
        : "no rotation on record",
      wayOut:
        "name the old user as the last rotation's summary shows it; other users are not Roundtrip's to remove",
    }),
    check(`${username} is no administrator`, !isProtected, {
      expected: "an ordinary user",
      got: isProtected ? "an administrator" : "an ordinary user",
      wayOut: "leave it",
    }),
    check("no rotation is under way", foreignPending === undefined, {
      expected: "no version under AWSPENDING",
      got: foreignPending ? `version ${foreignPending.id} is pending` : "none",
      wayOut: "finish that rotation, or give it up with abandon-rotation, first",
    }),
    await connectionsCheck(server, username),
  ];
  return { checks, record, isGone: found === undefined };
}

/** Every connection that is logged in as the user, idle ones too, as far as the server names users. */
async function connectionsCheck(server: Server, username: string): Promise<Check> {
  const reply = await server.command("admin", { currentOp: 1, $all: true }, "list connections");
  const entries = reply.inprog as Document[];
  const usersOf = (entry: Document) =>
    ((entry.effectiveUsers ?? []) as Document[]).map(({ user }) => String(user));
  const named = entries.filter((entry) => usersOf(entry).length > 0);
  const theirs = named.filter((entry) => usersOf(entry).includes(username));
  const clients = [
    ...new Set(theirs.map(({ client, appName }) => `${client ?? "?"} (${appName || "unnamed"})`)),
  ];
  const name = `no connection as ${username}`;
  if (theirs.length === 0) {
    const seen = `none among ${named.length} that the server names the user of`;
    return passed(name, "none", named.length > 0 ? seen : "the server names no users; the endpoints decide");
  }
  return check(name, false, {
    expected: "none",
    got: `${theirs.length}: ${clients.slice(0, 5).join(", ")}`,
    wayOut: `stop what still connects as ${username}, or restart it so that it reads the secret anew; then run this again`,
  });
}

/** Drops the user, takes AWSPREVIOUS off its credentials, and notes when. Safe to run again at any point. */
export async function removeUser(
  service: ServiceContext,
  server: Server,
  { account, previous }: AccountState,
  { record, isGone }: RemovalChecks,
  username: string,
): Promise<void> {
  if (!isGone) await server.command("admin", { dropUser: username }, `drop user ${username}`);
  if (previous?.username === username)
    await service.secretVersions.removeLabel(account.secret, previous.id, "AWSPREVIOUS");
  if (!record || record.removedAt) return;
  const removedAt = service.clock.now().toISOString();
  await writeJson(service.store, promotionKey(account.account), { ...record, removedAt });
  service.logger.info({ user: username }, "old user removed");
}
