/** delete: one or all matches of each statement's filter. */
import { namespace, need } from "../auth/privilege.ts";
import { decode } from "../engine/codec.ts";
import { ServerError } from "../engine/errors.ts";
import { keyOf } from "../engine/keystring.ts";
import { type Document, isDocument, isNumber, type Value } from "../engine/value.ts";
import { plainIdFilter, targets } from "../query/target.ts";
import type { Command, CommandContext, Reply } from "../server/context.ts";
import type { Collection } from "../storage/collection.ts";
import { exactNumberOf } from "../storage/numbers.ts";
import type { RetryInfo } from "../storage/oplog-entry.ts";
import type { WriteUnit } from "../storage/write-unit.ts";
import { batchReply, checkWriteTarget, isRetryable, runBatch } from "./write-batch.ts";

const FIELDS = new Set(["q", "limit", "collation", "hint", "sampleId"]);

interface DeleteStatement {
  filter: Document;
  multi: boolean;
  collation: Document | undefined;
  hint: Value | undefined;
}

/** @throws ServerError 40415, 40414, FailedToParse */
function readDelete(statement: Document): DeleteStatement {
  for (const field of statement.keys()) {
    if (!FIELDS.has(field))
      throw new ServerError(40415, `BSON field 'delete.deletes.${field}' is an unknown field.`);
  }
  const filter = statement.get("q");
  const limit = statement.get("limit");
  if (!isDocument(filter))
    throw new ServerError(40414, "BSON field 'delete.deletes.q' is missing but a required field");
  if (!isNumber(limit))
    throw new ServerError(40414, "BSON field 'delete.deletes.limit' is missing but a required field");
  const count = exactNumberOf(limit);
  if (count !== 0 && count !== 1)
    throw new ServerError("FailedToParse", `The limit field in delete objects must be 0 or 1. Got ${count}`);
  return {
    filter,
    multi: count === 0,
    collation: statement.get("collation") as Document | undefined,
    hint: statement.get("hint"),
  };
}

/** Deletes in `unit`; gives the number of documents. */
function deleteMatching(
  unit: WriteUnit,
  collection: Collection,
  statement: DeleteStatement,
  letValues: Document | undefined,
  retry: () => RetryInfo | undefined,
): number {
  if (
    plainIdFilter(statement.filter) &&
    statement.collation === undefined &&
    !collection.option("collation") &&
    statement.hint === undefined
  ) {
    const row = collection.byKey(keyOf([statement.filter.get("_id") as Value]));
    if (!row) return 0;
    unit.remove(collection, row, retry());
    return 1;
  }
  let count = 0;
  const request = {
    filter: statement.filter,
    hint: statement.hint,
    collation: statement.collation,
    let: letValues,
  };
  for (const { row } of targets(collection, request)) {
    unit.remove(collection, row, retry());
    count++;
    if (!statement.multi) break;
  }
  return count;
}

async function run(context: CommandContext): Promise<Reply> {
  const raw = context.batches.get("deletes");
  if (!raw) throw new ServerError(40414, "BSON field 'delete.deletes' is missing but a required field");
  const { ns } = context;
  checkWriteTarget(context, ns);
  const statements = raw.map((bytes) => readDelete(decode(bytes)));
  if (isRetryable(context) && statements.some((statement) => statement.multi)) {
    throw new ServerError("InvalidOptions", "Cannot use (or request) retryable writes with limit=0");
  }
  const letValues = context.document("let");
  await context.server.delayMultiWrite(
    context,
    statements.some((statement) => statement.multi),
  );
  const outcome = runBatch(context, statements.length, (unit, index, retry) => {
    const collection = context.storage.catalog.get(ns);
    return { n: collection ? deleteMatching(unit, collection, statements[index]!, letValues, retry) : 0 };
  });
  context.server.counters.delete += statements.length;
  return batchReply(outcome, false);
}

export const deleteCommand: Command = {
  name: "delete",
  fields: ["deletes", "ordered", "let", "bypassDocumentValidation", "encryptionInformation", "rawData"],
  role: "write",
  raw: ["deletes"],
  txn: true,
  needs: (context) => [need(namespace(context.database, context.collectionName()), "remove")],
  run,
};
