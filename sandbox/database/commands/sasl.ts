/** Login: saslStart, saslContinue, logout, and who is logged in. */

import {
  type Credential,
  isMechanism,
  type Mechanism,
  ScramConversation,
  ScramFailure,
} from "../auth/scram.ts";
import { ServerError } from "../engine/errors.ts";
import { Binary, type Document, isDocument, isNumber, type Value } from "../engine/value.ts";
import type { Command, CommandContext } from "../server/context.ts";
import { exactNumberOf } from "../storage/numbers.ts";
import type { ReplyObject } from "../wire/writer.ts";

function failed(): ServerError {
  return new ServerError("AuthenticationFailed", "Authentication failed.");
}

function textOf(value: Value | undefined): string {
  if (value instanceof Binary) return Buffer.from(value.buffer.subarray(0, value.position)).toString("utf8");
  if (typeof value === "string") return Buffer.from(value, "base64").toString("utf8");
  throw new ServerError("BadValue", "expected binary data as payload");
}

function payload(text: string): Binary {
  return new Binary(Buffer.from(text, "utf8"), 0);
}

function credentialOf(
  context: CommandContext,
  database: string,
  user: string,
  mechanism: Mechanism,
): Credential | undefined {
  const credentials = context.server.authorization.findUser(database, user)?.get("credentials");
  const stored = isDocument(credentials) ? credentials.get(mechanism) : undefined;
  if (!isDocument(stored)) return undefined;
  const iterations = stored.get("iterationCount");
  return {
    iterationCount: isNumber(iterations) ? exactNumberOf(iterations) : 0,
    salt: stored.get("salt") as string,
    storedKey: stored.get("storedKey") as string,
    serverKey: stored.get("serverKey") as string,
  };
}

let lastConversation = 0;

/** Begins a login on the connection. `request` is the command, or what hello carries as speculativeAuthenticate. */
export function saslStart(context: CommandContext, request: Document, database: string): ReplyObject {
  const mechanism = request.get("mechanism");
  if (typeof mechanism !== "string" || !isMechanism(mechanism)) {
    throw new ServerError("BadValue", `Unsupported mechanism '${String(mechanism)}' on authentication`);
  }
  context.connection.sasl = undefined;
  const options = request.get("options");
  try {
    const conversation = new ScramConversation(mechanism, textOf(request.get("payload")), (user) =>
      credentialOf(context, database, user, mechanism),
    );
    const id = ++lastConversation;
    const skipEmptyExchange = isDocument(options) && options.get("skipEmptyExchange") === true;
    context.connection.sasl = { id, database, conversation, skipEmptyExchange, proved: false };
    return { conversationId: id, done: false, payload: payload(conversation.serverFirst) };
  } catch (error) {
    if (error instanceof ScramFailure) throw failed();
    throw error;
  }
}

function saslContinue(context: CommandContext): ReplyObject {
  const { connection } = context;
  const state = connection.sasl;
  if (!state || state.id !== context.number("conversationId")) {
    throw new ServerError("ProtocolError", "No SASL session state found");
  }
  if (state.proved) return login(context, "");
  try {
    const final = state.conversation.finish(textOf(context.body.get("payload")));
    if (state.skipEmptyExchange) return login(context, final);
    state.proved = true;
    return { conversationId: state.id, done: false, payload: payload(final) };
  } catch (error) {
    connection.sasl = undefined;
    if (error instanceof ScramFailure) throw failed();
    throw error;
  }
}

function login(context: CommandContext, text: string): ReplyObject {
  const { connection, server } = context;
  const { id, database, conversation } = connection.sasl!;
  connection.sasl = undefined;
  connection.principals.set(database, server.authorization.login(database, conversation.user));
  return { conversationId: id, done: true, payload: payload(text) };
}

function connectionStatus(context: CommandContext): ReplyObject {
  const principals = [...context.connection.principals.values()].map((principal) =>
    context.server.authorization.current(principal),
  );
  const authInfo: ReplyObject = {
    authenticatedUsers: principals.map(({ user, db }) => ({ user, db })),
    authenticatedUserRoles: principals.flatMap(({ roles }) => roles.map(({ role, db }) => ({ role, db }))),
  };
  if (context.boolean("showPrivileges")) {
    authInfo.authenticatedUserPrivileges = principals.flatMap(({ privileges }) =>
      privileges.map(showPrivilege),
    );
  }
  return { authInfo };
}

/** A privilege as rolesInfo, usersInfo and connectionStatus print it. */
export function showPrivilege(privilege: {
  resource: { kind: string; database?: string; collection?: string };
  actions: ReadonlySet<string>;
}): ReplyObject {
  const { resource } = privilege;
  const shown: ReplyObject =
    resource.kind === "namespace"
      ? { db: resource.database!, collection: resource.collection! }
      : resource.kind === "cluster"
        ? { cluster: true }
        : { anyResource: true };
  return { resource: shown, actions: [...privilege.actions].sort() };
}

export const saslCommands: Command[] = [
  {
    name: "saslStart",
    fields: ["mechanism", "payload", "options", "autoAuthorize", "db"],
    role: "any",
    open: true,
    run: (context) => saslStart(context, context.body, context.database),
  },
  { name: "saslContinue", fields: ["conversationId", "payload"], role: "any", open: true, run: saslContinue },
  {
    name: "logout",
    fields: [],
    role: "any",
    open: true,
    run(context) {
      context.connection.principals.delete(context.database);
      return {};
    },
  },
  { name: "connectionStatus", fields: ["showPrivileges"], role: "any", open: true, run: connectionStatus },
];
