/** Logical sessions: what a retryable write already did, durably, and the transaction a session has open. */
import { createHash } from "node:crypto";
import { decode } from "../engine/codec.ts";
import { ServerError } from "../engine/errors.ts";
import { Binary, type Document, isDocument, Long, longToBigInt, type Value } from "../engine/value.ts";
import type { RetryInfo } from "../storage/oplog-entry.ts";
import type { Storage } from "../storage/storage.ts";
import type { Ts } from "../storage/timestamp.ts";
import type { Transaction } from "../transactions/transaction.ts";
import { encodeReply, type ReplyObject } from "../wire/writer.ts";

const TIMEOUT_MS = 30 * 60_000;
const MAX_SESSIONS = 100_000;

export class Session {
  /** `{id, uid}` as bytes: the key in tables and the `lsid` of oplog entries. */
  readonly lsid: Uint8Array;
  readonly id: Uint8Array;
  lastUse = Date.now();
  number = -1n;
  /** Results by statement number of the retryable write `number`. */
  statements = new Map<number, Document>();
  previous: Ts = 0;
  transaction: Transaction | undefined;
  /** The transaction `number` was committed, perhaps before a restart. */
  committed = false;
  /** Numbers of transactions can't be used for retryable writes again. */
  lastWasTransaction = false;

  constructor(lsid: Uint8Array, id: Uint8Array) {
    this.lsid = lsid;
    this.id = id;
  }
}

const NO_USER = createHash("sha256").update("").digest();

function sessionUid(principal: { user: string; db: string } | undefined): Uint8Array {
  return principal ? createHash("sha256").update(`${principal.user}@${principal.db}`).digest() : NO_USER;
}

function uuidOf(lsid: Document): Uint8Array {
  const id = lsid.get("id");
  if (!(id instanceof Binary))
    throw new ServerError(
      "TypeMismatch",
      "BSON field 'OperationSessionInfo.lsid.id' is missing but a required field",
    );
  return id.buffer.subarray(0, id.position);
}

export class Sessions {
  private readonly storage: Storage;
  private readonly sessions = new Map<string, Session>();

  constructor(storage: Storage) {
    this.storage = storage;
  }

  get count(): number {
    return this.sessions.size;
  }

  all(): IterableIterator<Session> {
    return this.sessions.values();
  }

  /** The session an `lsid` names, for the user of the connection; made on first use. */
  use(lsid: Value, principal: { user: string; db: string } | undefined): Session {
    if (!isDocument(lsid))
      throw new ServerError(
        "TypeMismatch",
        "BSON field 'OperationSessionInfo.lsid' is the wrong type, expected type 'object'",
      );
    const id = uuidOf(lsid);
    const given = lsid.get("uid");
    const uid = given instanceof Binary ? given.buffer.subarray(0, given.position) : sessionUid(principal);
    const key = Buffer.concat([id, uid]).toString("latin1");
    let session = this.sessions.get(key);
    if (session === undefined) {
      if (this.sessions.size >= MAX_SESSIONS) this.expire();
      session = this.load(encodeReply({ id: new Binary(id, 4), uid: new Binary(uid, 0) }), id);
      this.sessions.set(key, session);
    }
    session.lastUse = Date.now();
    return session;
  }

  private load(lsid: Uint8Array, id: Uint8Array): Session {
    const session = new Session(new Uint8Array(lsid), new Uint8Array(id));
    const row = this.storage.database
      .query("SELECT number, state, ts FROM transactions WHERE session = ?")
      .get(session.lsid) as { number: number; state: string; ts: number } | null;
    if (row === null) return session;
    session.number = BigInt(row.number);
    session.previous = row.ts;
    session.lastWasTransaction = row.state !== "retryable";
    session.committed = row.state === "committed";
    const rows = this.storage.database
      .query("SELECT statement, result FROM statements WHERE session = ? AND number = ?")
      .all(session.lsid, row.number) as { statement: number; result: Uint8Array }[];
    for (const { statement, result } of rows) this.unpack(session, statement, decode(result));
    return session;
  }

  private unpack(session: Session, first: number, stored: Document): void {
    const results = stored.get("r") as Document[];
    for (const [offset, result] of results.entries()) session.statements.set(first + offset, result);
  }

  /** Starts the retryable write `number`, or goes on with it. */
  beginRetryable(session: Session, number: bigint): void {
    if (number < session.number) {
      throw new ServerError(
        "TransactionTooOld",
        `Retryable write with txnNumber ${number} is prohibited on session ${sessionText(session)} because a newer retryable write with txnNumber ${session.number} has already started on this session.`,
      );
    }
    if (number === session.number) {
      if (session.lastWasTransaction) {
        throw new ServerError(
          "IncompleteTransactionHistory",
          `Cannot use txnNumber ${number} of a transaction for a retryable write`,
        );
      }
      return;
    }
    session.number = number;
    session.statements = new Map();
    session.previous = 0;
    session.lastWasTransaction = false;
    session.transaction?.abort();
    session.transaction = undefined;
  }

  /** Stores, inside the write's own transaction, what statements `first`… did; a restart still knows. */
  record(session: Session, first: number, results: ReplyObject[], ts: Ts): void {
    const database = this.storage.database;
    const number = Number(session.number);
    const stored = database.query("SELECT number FROM transactions WHERE session = ?").get(session.lsid) as {
      number: number;
    } | null;
    if (stored !== null && stored.number !== number) {
      database.query("DELETE FROM statements WHERE session = ?").run(session.lsid);
    }
    database
      .query(
        "INSERT OR REPLACE INTO transactions(session, number, state, wall, ts) VALUES(?, ?, 'retryable', ?, ?)",
      )
      .run(session.lsid, number, Date.now(), ts);
    const bytes = encodeReply({ r: results });
    database
      .query("INSERT OR REPLACE INTO statements(session, statement, number, result) VALUES(?, ?, ?, ?)")
      .run(session.lsid, first, number, bytes);
  }

  /** After the commit: memory follows. */
  recorded(session: Session, first: number, results: ReplyObject[], ts: Ts): void {
    this.unpack(session, first, decode(encodeReply({ r: results })));
    session.previous = ts;
  }

  end(ids: Value[], principal: { user: string; db: string } | undefined): void {
    for (const value of ids) {
      if (!isDocument(value)) continue;
      const key = Buffer.concat([uuidOf(value), sessionUid(principal)]).toString("latin1");
      const session = this.sessions.get(key);
      session?.transaction?.abort();
      this.sessions.delete(key);
    }
  }

  endAll(): void {
    for (const session of this.sessions.values()) session.transaction?.abort();
    this.sessions.clear();
  }

  /** Drops sessions unused for half an hour, and what they remember on disk. */
  expire(): void {
    const limit = Date.now() - TIMEOUT_MS;
    for (const [key, session] of this.sessions) {
      if (session.lastUse > limit) continue;
      session.transaction?.abort();
      this.sessions.delete(key);
    }
    this.storage.database.run(
      "DELETE FROM statements WHERE session IN (SELECT session FROM transactions WHERE wall < ?)",
      [limit],
    );
    this.storage.database.run("DELETE FROM transactions WHERE wall < ?", [limit]);
  }
}

function sessionText(session: Session): string {
  const hex = Buffer.from(session.id).toString("hex");
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
}

/** The `txnNumber` of a command; undefined when there is none. */
export function transactionNumber(body: Document): bigint | undefined {
  const value = body.get("txnNumber");
  if (value === undefined) return undefined;
  if (value instanceof Long) return longToBigInt(value);
  throw new ServerError(
    "TypeMismatch",
    "BSON field 'OperationSessionInfo.txnNumber' is the wrong type, expected type 'long'",
  );
}

/** What the oplog entry of a retryable statement carries. */
export function retryInfo(session: Session, statement: number, previous: Ts): RetryInfo {
  return { lsid: session.lsid, transactionNumber: session.number, statement, previous };
}
