/**
 * `_sandbox`: what only a stand-in can be told, by root on `admin`. With a text ("arm", "member", …) it is the
 * database's own and goes on to it; with `1` it is the proxy's:
 *
 *   {_sandbox: 1, expireTokens: true | {t, i}} · {_sandbox: 1, set: {lookupDelayMs: 0, …}} · {_sandbox: 1, get: 1}
 *   {_sandbox: 1, suppressEvent: {ns: "database.collection", idPattern: "^7$", nth: 1}}
 */
import { type Document, deserialize } from "bson";
import { DialectError, timestampOf } from "../errors.ts";
import type { Decision } from "../session.ts";
import { changeSettings } from "../settings.ts";
import { field, type Request } from "../wire/messages.ts";
import { readNumber, readString } from "../wire/raw.ts";
import { answer, ask, type DialectSession, requireRole, type Shared } from "./shared.ts";

interface SandboxCommand {
  readonly expireTokens?: true | { readonly t: number; readonly i: number };
  readonly set?: Record<string, unknown>;
  readonly suppressEvent?: { readonly ns: string; readonly idPattern?: string; readonly nth?: number };
  readonly get?: unknown;
}

const known = ["expireTokens", "set", "suppressEvent", "get"];

/** Settings the database carries out; a real server has none of them. */
const upstreamSettings = ["staleAuthorizationMs", "multiWriteCommitDelayMs"] as const;

/** Hands the database the settings it carries out. Gives false when it has no `_sandbox` command (a real server). */
export async function passSettings(shared: Shared): Promise<boolean> {
  const { settings } = shared.state;
  const set = Object.fromEntries(upstreamSettings.map((name) => [name, settings[name]]));
  try {
    await shared.upstream.client.db("admin").command({ _sandbox: "set", ...set });
    return true;
  } catch (cause) {
    if ((cause as { code?: unknown }).code === 59) return false;
    throw cause;
  }
}

async function expire(session: DialectSession, before: SandboxCommand["expireTokens"]): Promise<void> {
  const { shared } = session;
  let time: bigint;
  if (before === true) {
    await ask(session, "admin", { ping: 1 });
    time = shared.operationTime;
  } else if (before && typeof before === "object" && typeof before.t === "number") {
    time = (BigInt(before.t >>> 0) << 32n) | BigInt(before.i >>> 0);
  } else throw new DialectError(9, "expireTokens: expected true or a timestamp");
  if (time > shared.state.expiredBefore) shared.state.update({ expiredBefore: time });
}

function suppress(shared: Shared, rule: NonNullable<SandboxCommand["suppressEvent"]>): void {
  if (typeof rule.ns !== "string" || !rule.ns.includes(".")) {
    throw new DialectError(9, 'suppressEvent: expected ns as "database.collection"');
  }
  shared.streams.suppress({
    namespace: rule.ns,
    idPattern: rule.idPattern ?? "",
    nth: Number(rule.nth ?? 1),
  });
}

/** `{_sandbox: "set", …}` goes to the database; what the proxy keeps of it must agree, or a new primary would undo it. */
function keepPassedSettings(shared: Shared, request: Request): void {
  const changes: Record<string, number> = {};
  for (const name of upstreamSettings) {
    const value = readNumber(request.body, field(request, name));
    if (value !== undefined) changes[name] = value;
  }
  shared.state.update({ settings: changeSettings(shared.state.settings, changes) });
}

export async function sandboxCommand(request: Request, session: DialectSession): Promise<Decision> {
  const { shared } = session;
  await requireRole(session, ["root", "__system"]);
  const verb = readString(request.body, request.fields[0]);
  if (verb === "set") keepPassedSettings(shared, request);
  if (verb !== undefined || !request.fields.some(({ name }) => known.includes(name)))
    return { forward: true };
  const command = deserialize(request.body) as Document & SandboxCommand;
  if (command.expireTokens !== undefined) await expire(session, command.expireTokens);
  if (command.suppressEvent) suppress(shared, command.suppressEvent);
  if (command.set) {
    try {
      shared.state.update({ settings: changeSettings(shared.state.settings, command.set) });
    } catch (cause) {
      if (cause instanceof RangeError) throw new DialectError(9, cause.message);
      throw cause;
    }
    await passSettings(shared);
  }
  const { settings, scopes, expiredBefore } = shared.state;
  return answer(shared, {
    settings,
    scopes,
    expiredBefore: timestampOf(expiredBefore),
    engineVersion: shared.engineVersion,
  });
}
