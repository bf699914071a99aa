/** findAndModify: one document changed or removed, and given as it was or is. */
import { type Need, namespace, need } from "../auth/privilege.ts";
import { decode } from "../engine/codec.ts";
import { ServerError } from "../engine/errors.ts";
import { compileProjection } from "../engine/project.ts";
import { compileUpdate } from "../engine/update/index.ts";
import type { Document, Value } from "../engine/value.ts";
import { ConnectionReset } from "../faults/faults.ts";
import { type Target, targets } from "../query/target.ts";
import type { Command, CommandContext, Reply } from "../server/context.ts";
import { retryInfo } from "../server/sessions.ts";
import type { Collection } from "../storage/collection.ts";
import { exactNumberOf } from "../storage/numbers.ts";
import type { RetryInfo } from "../storage/oplog-entry.ts";
import type { WriteUnit } from "../storage/write-unit.ts";
import type { ReplyObject } from "../wire/writer.ts";
import { idOf, keyOfStored } from "./prepare-document.ts";
import { updated, updateOptions, upsertDocument } from "./update.ts";
import { asUpdate } from "./update-statement.ts";
import { checkValidator } from "./validation.ts";
import { checkWriteTarget, isRetryable, targetCollection } from "./write-batch.ts";

interface Request {
  query: Document;
  remove: boolean;
  update: Value | undefined;
  upsert: boolean;
  /** Give the new document. */
  newer: boolean;
  bypass: boolean;
}

function read(context: CommandContext): Request {
  const request: Request = {
    query: context.document("query") ?? new Map(),
    remove: context.boolean("remove") ?? false,
    update: context.body.get("update"),
    upsert: context.boolean("upsert") ?? false,
    newer: context.boolean("new") ?? false,
    bypass: context.boolean("bypassDocumentValidation") ?? false,
  };
  if (!request.remove && request.update === undefined) {
    throw new ServerError("FailedToParse", "Either an update or remove=true must be specified");
  }
  if (request.remove) {
    if (request.update !== undefined)
      throw new ServerError("FailedToParse", "Cannot specify both an update and remove=true");
    if (request.upsert)
      throw new ServerError("FailedToParse", " Cannot specify both upsert=true and remove=true ");
    if (request.newer)
      throw new ServerError(
        "FailedToParse",
        "Cannot specify both new=true and remove=true; 'remove' always returns the deleted document",
      );
  }
  return request;
}

function shaped(context: CommandContext, bytes: Uint8Array | undefined, query: Document): Value {
  if (bytes === undefined) return null;
  const fields = context.document("fields");
  const document = decode(bytes);
  return fields && fields.size > 0 ? compileProjection(fields, { query })(document) : document;
}

function remove(
  context: CommandContext,
  unit: WriteUnit,
  collection: Collection | undefined,
  target: Target | undefined,
  query: Document,
  retry: RetryInfo | undefined,
): ReplyObject {
  if (!target || !collection) return { lastErrorObject: { n: 0 }, value: null };
  unit.remove(collection, target.row, retry);
  return { lastErrorObject: { n: 1 }, value: shaped(context, target.row.document, query) };
}

function update(
  context: CommandContext,
  unit: WriteUnit,
  request: Request,
  collection: Collection | undefined,
  target: Target | undefined,
  retry: RetryInfo | undefined,
): ReplyObject {
  const options = updateOptions(
    context,
    collection,
    { collation: context.document("collation"), arrayFilters: context.array("arrayFilters") },
    context.document("let"),
  );
  const compiled = compileUpdate(asUpdate(request.update), options);
  if (target && collection) {
    const change = updated(compiled, target, request.query);
    if (change) {
      if (!request.bypass) checkValidator(collection, change.document, target.row.document);
      unit.replace(collection, target.row, change.document, change.body, retry);
    }
    const shown = request.newer ? (change?.document ?? target.row.document) : target.row.document;
    return { lastErrorObject: { n: 1, updatedExisting: true }, value: shaped(context, shown, request.query) };
  }
  if (!request.upsert) return { lastErrorObject: { n: 0, updatedExisting: false }, value: null };
  const document = upsertDocument(compiled, request.query);
  const home = collection ?? targetCollection(context, unit, context.ns);
  if (!request.bypass) checkValidator(home, document);
  unit.insert(home, keyOfStored(document), document, retry);
  const lastErrorObject = { n: 1, updatedExisting: false, upserted: idOf(document) };
  return { lastErrorObject, value: request.newer ? shaped(context, document, request.query) : null };
}

function statementOf(context: CommandContext): number {
  const value = context.body.get("stmtId");
  return value === undefined ? 0 : exactNumberOf(value as never);
}

function run(context: CommandContext): Reply {
  const { ns, storage, session, server } = context;
  checkWriteTarget(context, ns);
  const request = read(context);
  const retryable = isRetryable(context);
  const statement = statementOf(context);
  const done = retryable ? session!.statements.get(statement) : undefined;
  if (done) return { ...Object.fromEntries(done), retriedStmtId: statement };
  const retry = retryable ? retryInfo(session!, statement, 0) : undefined;
  const failure = retryable ? server.failPoints.writeFailure() : undefined;
  if (failure?.error) throw failure.closeConnection ? cutOff() : failure.error;
  const reply = server.mutate(context, (unit) => {
    const collection = storage.catalog.get(ns);
    const found = collection && first(collection, context, request.query);
    const result = request.remove
      ? remove(context, unit, collection, found, request.query, retry)
      : update(context, unit, request, collection, found, retry);
    if (retryable) server.sessions.record(session!, statement, [result], storage.clock.last);
    return result;
  });
  if (retryable) server.sessions.recorded(session!, statement, [reply], storage.clock.last);
  if (failure?.closeConnection) throw cutOff();
  return reply;
}

function cutOff(): Error {
  return new ConnectionReset("fail point onPrimaryTransactionalWrite");
}

function first(collection: Collection, context: CommandContext, query: Document): Target | undefined {
  for (const target of targets(collection, {
    filter: query,
    sort: context.document("sort"),
    hint: context.body.get("hint"),
    collation: context.document("collation"),
    let: context.document("let"),
  })) {
    return target;
  }
  return undefined;
}

function needs(context: CommandContext): Need[] {
  const actions = ["find"];
  if (context.body.get("remove") === true) actions.push("remove");
  else actions.push("update");
  if (context.body.get("upsert") === true) actions.push("insert");
  if (context.body.get("bypassDocumentValidation") === true) actions.push("bypassDocumentValidation");
  return [need(namespace(context.database, context.collectionName()), ...actions)];
}

export const findAndModifyCommand: Command = {
  name: "findAndModify",
  aliases: ["findandmodify"],
  fields: [
    "query",
    "fields",
    "sort",
    "hint",
    "collation",
    "arrayFilters",
    "remove",
    "update",
    "upsert",
    "new",
    "bypassDocumentValidation",
    "let",
    "runtimeConstants",
    "encryptionInformation",
    "rawData",
    "sampleId",
  ],
  role: "write",
  txn: true,
  needs,
  run,
};
