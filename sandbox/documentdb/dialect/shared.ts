import { Buffer } from "node:buffer";
import { type Document, deserialize, serialize } from "bson";
import { DialectError, timestampOf, unauthorized } from "../errors.ts";
import type { Dialect, Session } from "../session.ts";
import type { State } from "../state.ts";
import type { Streams } from "../streams/stream.ts";
import type { Upstream } from "../upstream.ts";
import { isOk } from "../wire/messages.ts";

/** What all connections of one proxy share. */
export interface Shared {
  readonly dialect: Dialect;
  readonly state: State;
  readonly streams: Streams;
  readonly upstream: Upstream;
  readonly engineVersion: string;
  /** host:port clients reach the writer at, and the readers. */
  address: string;
  readers: string[];
  /** Whether the database checks rights at all: its URI carries credentials. */
  readonly authorization: boolean;
  readonly primaryUser: string | undefined;
  /** Latest cluster time seen in any reply. */
  operationTime: bigint;
}

export interface DialectSession extends Session {
  readonly shared: Shared;
}

/** Orders versions "5.0.0" by their numbers. */
export function isAtLeast(version: string, wanted: string): boolean {
  const [left, right] = [version, wanted].map((text) => text.split(".").map(Number));
  for (let index = 0; index < 3; index++) {
    const difference = (left![index] ?? 0) - (right![index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/** A small reply made here, with the fields every reply has. */
export function answer(shared: Shared, fields: Document): { answer: Buffer } {
  const operationTime = timestampOf(shared.operationTime);
  return { answer: Buffer.from(serialize({ ...fields, ok: 1, operationTime })) };
}

/** The reply to a command run upstream with the client's rights; an error reply is thrown as such. */
export async function ask(session: Session, database: string, command: Document): Promise<Document> {
  const reply = await session.request(database, command);
  const document = deserialize(reply) as Document & { code?: number; errmsg?: string };
  if (!isOk(reply))
    throw new DialectError(document.code ?? 1, document.errmsg ?? "the database gave no reason");
  return document;
}

interface Role {
  readonly role: string;
  readonly db: string;
}

/** Roles of the user this connection is logged in as; `undefined` where the database checks no rights. */
async function rolesOf(session: DialectSession): Promise<readonly Role[] | undefined> {
  if (!session.shared.authorization) return undefined;
  const status = await ask(session, "admin", { connectionStatus: 1 });
  return (status.authInfo as { authenticatedUserRoles: Role[] }).authenticatedUserRoles;
}

export type OwnAction = "modifyChangeStreams" | "listChangeStreams";

/**
 * @throws DialectError 13 when the user has none of these roles on `admin` (or on `database`, where given), nor a custom
 * role that grants `action`.
 */
export async function requireRole(
  session: DialectSession,
  names: readonly string[],
  { database = "admin", action }: { database?: string; action?: OwnAction } = {},
): Promise<void> {
  const roles = await rolesOf(session);
  if (!roles) return;
  const { roleActions } = session.shared.state;
  const sufficient = roles.some(
    ({ role, db }) =>
      (names.includes(role) && (db === "admin" || db === database)) ||
      (action !== undefined && db === "admin" && roleActions[role]?.includes(action)),
  );
  if (!sufficient) throw unauthorized();
}
