/** What insert, update and delete share: targets, ordered and unordered batches, retried statements, replies. */
import { ServerError } from "../engine/errors.ts";
import { type Document, isNumber, type Value } from "../engine/value.ts";
import { ConnectionReset } from "../faults/faults.ts";
import { checkUserWriteBlock } from "../server/authorize.ts";
import type { CommandContext } from "../server/context.ts";
import { retryInfo } from "../server/sessions.ts";
import type { Collection } from "../storage/collection.ts";
import { checkNamespace, createCollection } from "../storage/ddl.ts";
import { exactNumberOf } from "../storage/numbers.ts";
import type { RetryInfo } from "../storage/oplog-entry.ts";
import type { Ts } from "../storage/timestamp.ts";
import type { WriteUnit } from "../storage/write-unit.ts";
import type { ReplyMap, ReplyObject, ReplyValue } from "../wire/writer.ts";

/** The server inserts so many bytes of documents in one commit. */
const INSERT_VECTOR_BYTES = 262_144;
const MAX_BATCH = 100_000;
/** System collections clients may write to when their rights allow it. */
const WRITABLE_SYSTEM = new Set([
  "system.js",
  "system.users",
  "system.roles",
  "system.version",
  "system.views",
  "system.new_users",
  "system.backup_users",
  "system.buckets",
  "system.profile",
]);

/** @throws ServerError InvalidNamespace, CommandNotSupportedOnView, UserWritesBlocked */
export function checkWriteTarget(context: CommandContext, ns: string): void {
  checkNamespace(ns);
  const dot = ns.indexOf(".");
  const name = ns.slice(dot + 1);
  if (name.startsWith("system.") && !WRITABLE_SYSTEM.has(name) && !name.startsWith("system.buckets.")) {
    throw new ServerError("InvalidNamespace", `cannot write to '${ns}'`);
  }
  if (ns === "local.oplog.rs") throw new ServerError("InvalidNamespace", `cannot write to '${ns}'`);
  if (context.storage.catalog.view(ns)) {
    throw new ServerError("CommandNotSupportedOnView", `Namespace ${ns} is a view, not a collection`);
  }
  checkUserWriteBlock(context, ns.slice(0, dot));
}

/** The collection to write to; made when it isn't there. */
export function targetCollection(context: CommandContext, unit: WriteUnit, ns: string): Collection {
  const found = context.storage.catalog.get(ns);
  if (found) return found;
  return createCollection(unit, ns, new Map());
}

/** Statement numbers of a batch: `stmtIds`, or counting from `stmtId`. */
function statementNumber(context: CommandContext, index: number): number {
  const list = context.body.get("stmtIds");
  const chosen = Array.isArray(list) ? list[index] : context.body.get("stmtId");
  if (!isNumber(chosen)) return index;
  return exactNumberOf(chosen) + (Array.isArray(list) ? 0 : index);
}

/** One statement's part of the reply, also kept for a retry of it. */
export interface StatementResult {
  n: number;
  nModified?: number;
  upserted?: Value;
}

function toStored(result: StatementResult): ReplyObject {
  const stored: ReplyObject = { n: result.n };
  if (result.nModified !== undefined) stored.m = result.nModified;
  if (result.upserted !== undefined) stored.u = result.upserted;
  return stored;
}

function fromStored(stored: Document): StatementResult {
  const result: StatementResult = { n: exactNumberOf(stored.get("n") as never) };
  const modified = stored.get("m");
  if (isNumber(modified)) result.nModified = exactNumberOf(modified);
  const upserted = stored.get("u");
  if (upserted !== undefined) result.upserted = upserted;
  return result;
}

export interface BatchOutcome {
  n: number;
  nModified: number;
  upserted: ReplyObject[];
  errors: { index: number; error: ServerError }[];
  retried: number[];
}

/** Does one statement; `retry` goes into its oplog entries. */
export type Statement = (
  unit: WriteUnit,
  index: number,
  retry: () => RetryInfo | undefined,
) => StatementResult;

/** Remembers what retryable statements did, so that a second sending is answered and not applied. */
class RetryLedger {
  private readonly context: CommandContext;
  private readonly results: { statement: number; result: ReplyObject }[] = [];
  private previous: Ts;
  /** A fail point wants the connection closed instead of an answer. */
  isCut = false;
  private vectorBytes = 0;

  constructor(context: CommandContext) {
    this.context = context;
    this.previous = context.session!.previous;
  }

  done(index: number): { statement: number; result: StatementResult } | undefined {
    const statement = statementNumber(this.context, index);
    const stored = this.context.session!.statements.get(statement);
    return stored && { statement, result: fromStored(stored) };
  }

  info(index: number): RetryInfo {
    return retryInfo(this.context.session!, statementNumber(this.context, index), this.previous);
  }

  add(index: number, result: StatementResult): void {
    this.previous = this.context.storage.clock.last;
    this.results.push({ statement: statementNumber(this.context, index), result: toStored(result) });
  }

  /**
   * The fail point is met once a commit of the server's: each update and delete, each vector of inserts.
   * @throws ServerError when an armed fail point wants the next statement not done
   */
  meetFailPoint(bytes: number): void {
    if (bytes > 0 && this.vectorBytes > 0 && this.vectorBytes + bytes <= INSERT_VECTOR_BYTES) {
      this.vectorBytes += bytes;
      return;
    }
    this.vectorBytes = bytes;
    const failure = this.context.server.failPoints.writeFailure();
    if (!failure) return;
    this.isCut ||= failure.closeConnection;
    if (failure.error) throw failure.error;
  }

  /** Consecutive statements share a row. */
  private runs(): { first: number; results: ReplyObject[] }[] {
    const runs: { first: number; results: ReplyObject[] }[] = [];
    for (const { statement, result } of this.results) {
      const last = runs.at(-1);
      if (last && last.first + last.results.length === statement) last.results.push(result);
      else runs.push({ first: statement, results: [result] });
    }
    return runs;
  }

  store(): void {
    for (const { first, results } of this.runs())
      this.context.server.sessions.record(this.context.session!, first, results, this.previous);
  }

  remember(): void {
    for (const { first, results } of this.runs())
      this.context.server.sessions.recorded(this.context.session!, first, results, this.previous);
  }
}

export function isRetryable(context: CommandContext): boolean {
  return (
    context.session !== undefined &&
    context.body.has("txnNumber") &&
    context.body.get("autocommit") === undefined
  );
}

/**
 * Runs `count` statements in one transaction of the storage. An ordered batch stops at the first error; what was
 * done before it stays, as on the server.
 * @param sizeOf bytes of a statement that is inserted together with its neighbours
 */
export function runBatch(
  context: CommandContext,
  count: number,
  statement: Statement,
  sizeOf: (index: number) => number = () => 0,
): BatchOutcome {
  if (count < 1 || count > MAX_BATCH) {
    throw new ServerError(
      "InvalidLength",
      `Write batch sizes must be between 1 and ${MAX_BATCH}. Got ${count} operations.`,
    );
  }
  const ordered = context.boolean("ordered") ?? true;
  const outcome: BatchOutcome = { n: 0, nModified: 0, upserted: [], errors: [], retried: [] };
  const ledger = isRetryable(context) ? new RetryLedger(context) : undefined;
  context.server.mutate(context, (unit) => {
    for (let index = 0; index < count; index++) {
      const already = ledger?.done(index);
      if (already) {
        outcome.retried.push(already.statement);
        add(outcome, index, already.result);
        continue;
      }
      try {
        ledger?.meetFailPoint(sizeOf(index));
        const result = statement(unit, index, () => ledger?.info(index));
        add(outcome, index, result);
        ledger?.add(index, result);
      } catch (error) {
        if (!(error instanceof ServerError) || context.server.breaksBatch(context, error)) throw error;
        outcome.errors.push({ index, error });
        if (ordered) break;
      }
    }
    ledger?.store();
  });
  ledger?.remember();
  if (ledger?.isCut) throw new ConnectionReset("fail point onPrimaryTransactionalWrite");
  return outcome;
}

function add(outcome: BatchOutcome, index: number, result: StatementResult): void {
  outcome.n += result.n;
  outcome.nModified += result.nModified ?? 0;
  if (result.upserted !== undefined) outcome.upserted.push({ index, _id: result.upserted });
}

/** The reply of a write command. */
export function batchReply(outcome: BatchOutcome, withModified: boolean): ReplyMap {
  const reply = new Map<string, ReplyValue>([["n", outcome.n]]);
  if (outcome.upserted.length > 0) reply.set("upserted", outcome.upserted);
  if (withModified) reply.set("nModified", outcome.nModified);
  if (outcome.errors.length > 0) {
    reply.set(
      "writeErrors",
      outcome.errors.map(({ index, error }) => writeError(index, error)),
    );
  }
  if (outcome.retried.length > 0) reply.set("retriedStmtIds", outcome.retried);
  return reply;
}

function writeError(index: number, error: ServerError): ReplyMap {
  const fields = new Map<string, ReplyValue>([
    ["index", index],
    ["code", error.code],
  ]);
  for (const [name, value] of error.extra) fields.set(name, value as ReplyValue);
  fields.set("errmsg", error.message);
  return fields;
}
