/** update: replacements by `_id` on bytes; everything else through the update language. */
import { type Need, namespace, need } from "../auth/privilege.ts";
import { encode } from "../engine/codec.ts";
import { ServerError } from "../engine/errors.ts";
import { keyOf } from "../engine/keystring.ts";
import { maxDocumentBytes, rawField } from "../engine/raw.ts";
import { type CompiledUpdate, compileUpdate, type UpdateOptions } from "../engine/update/index.ts";
import { type Document, Int32, ObjectId, Timestamp, type Value } from "../engine/value.ts";
import { collatorFor, plainIdFilter, type Target, targets } from "../query/target.ts";
import type { Command, CommandContext, Reply } from "../server/context.ts";
import type { Collection } from "../storage/collection.ts";
import type { RetryInfo } from "../storage/oplog-entry.ts";
import { tsIncrement, tsSeconds } from "../storage/timestamp.ts";
import type { WriteUnit } from "../storage/write-unit.ts";
import { idOf, keyOfStored, prepareReplacement } from "./prepare-document.ts";
import { readUpdate, type UpdateStatement } from "./update-statement.ts";
import { checkValidator } from "./validation.ts";
import {
  batchReply,
  checkWriteTarget,
  isRetryable,
  runBatch,
  type StatementResult,
  targetCollection,
} from "./write-batch.ts";

type Retry = () => RetryInfo | undefined;

export interface UpdateEnvironment {
  context: CommandContext;
  ns: string;
  let: Document | undefined;
  bypass: boolean;
}

function elementOf(document: Uint8Array): Uint8Array {
  const field = rawField(document, "_id")!;
  return document.subarray(field.elementStart, field.end);
}

function checkResultSize(document: Uint8Array): void {
  if (document.length > maxDocumentBytes)
    throw new ServerError(17419, `Resulting document after update is larger than ${maxDocumentBytes}`);
}

function checkUpsertSize(document: Uint8Array): void {
  if (document.length > maxDocumentBytes)
    throw new ServerError(17420, `Document to upsert is larger than ${maxDocumentBytes}`);
}

/** Replacement of one document found by its `_id`, without decoding it. Undefined: not that simple. */
function replaceById(
  environment: UpdateEnvironment,
  unit: WriteUnit,
  statement: UpdateStatement,
  retry: Retry,
): StatementResult | undefined {
  const { raw, filter } = statement;
  if (!raw || raw[5] === 0x24 || raw.length <= 5 || statement.multi) return undefined;
  if (statement.collation || statement.hint !== undefined || statement.arrayFilters) return undefined;
  if (!plainIdFilter(filter)) return undefined;
  const { context } = environment;
  const existing = context.storage.catalog.get(environment.ns);
  if (existing?.option("collation") || existing?.capped) return undefined;
  const id = filter.get("_id") as Value;
  const key = keyOf([id]);
  const row = existing?.byKey(key);
  if (!row && !statement.upsert) return { n: 0, nModified: 0 };
  const element = row ? elementOf(row.document) : elementOf(encode(new Map([["_id", id]])));
  const document = prepareReplacement(raw, element);
  if (!document) return undefined;
  checkResultSize(document);
  const collection = existing ?? targetCollection(context, unit, environment.ns);
  if (!environment.bypass) checkValidator(collection, document, row?.document);
  if (!row) {
    unit.insert(collection, key, document, retry());
    return { n: 1, nModified: 0, upserted: id };
  }
  if (Buffer.compare(document, row.document) === 0) return { n: 1, nModified: 0 };
  unit.replace(collection, row, document, document, retry());
  return { n: 1, nModified: 1 };
}

const TWO = new Int32(2);

/** Gives the new bytes of a document under a compiled update, and what the oplog says; undefined for no change. */
export function updated(
  update: CompiledUpdate,
  target: Target,
  query: Document,
): { document: Uint8Array; body: Uint8Array } | undefined {
  const options =
    target.details.arrayIndex === undefined ? { query } : { query, matchedIndex: target.details.arrayIndex };
  const result = update.apply(target.document, options);
  if (!result.changed) return undefined;
  const document = encode(result.doc);
  checkResultSize(document);
  const body = result.diff
    ? encode(
        new Map<string, Value>([
          ["$v", TWO],
          ["diff", result.diff],
        ]),
      )
    : document;
  return { document, body };
}

/** The new document of an upsert, with an `_id`. */
export function upsertDocument(update: CompiledUpdate, query: Document): Uint8Array {
  const { doc } = update.apply(new Map(), { insert: true, query });
  const complete: Document = doc.has("_id") ? doc : new Map<string, Value>([["_id", new ObjectId()], ...doc]);
  const document = encode(complete);
  checkUpsertSize(document);
  return document;
}

/** Options every kind of update takes from the command. */
export function updateOptions(
  context: CommandContext,
  collection: Collection | undefined,
  statement: {
    collation?: Document | undefined;
    arrayFilters?: Value[] | undefined;
    multi?: boolean;
    constants?: Document | undefined;
  },
  letValues: Document | undefined,
): UpdateOptions {
  const options: UpdateOptions = {
    multi: statement.multi ?? false,
    clusterTime: () => {
      const now = context.storage.clock.next();
      return new Timestamp({ t: tsSeconds(now), i: tsIncrement(now) });
    },
  };
  const collator = collatorFor(collection, statement.collation);
  if (collator) options.collation = collator;
  if (statement.arrayFilters) options.arrayFilters = statement.arrayFilters;
  if (letValues) options.let = letValues;
  if (statement.constants) options.constants = statement.constants;
  return options;
}

function updateMatching(
  environment: UpdateEnvironment,
  unit: WriteUnit,
  statement: UpdateStatement,
  retry: Retry,
): StatementResult {
  const { context, ns } = environment;
  const existing = context.storage.catalog.get(ns);
  const update = compileUpdate(
    statement.update(),
    updateOptions(context, existing, statement, environment.let),
  );
  const result = { n: 0, nModified: 0 };
  const request = {
    filter: statement.filter,
    hint: statement.hint,
    collation: statement.collation,
    let: environment.let,
  };
  for (const target of existing ? targets(existing, request) : []) {
    result.n++;
    const change = updated(update, target, statement.filter);
    if (change) {
      if (!environment.bypass) checkValidator(existing!, change.document, target.row.document);
      unit.replace(existing!, target.row, change.document, change.body, retry());
      result.nModified++;
    }
    if (!statement.multi) break;
  }
  if (result.n > 0 || !statement.upsert) return result;
  const document = upsertDocument(update, statement.filter);
  const collection = existing ?? targetCollection(context, unit, ns);
  if (!environment.bypass) checkValidator(collection, document);
  unit.insert(collection, keyOfStored(document), document, retry());
  return { n: 1, nModified: 0, upserted: idOf(document) };
}

/** Runs one update statement in `unit`. */
function runUpdate(
  environment: UpdateEnvironment,
  unit: WriteUnit,
  statement: UpdateStatement,
  retry: Retry,
): StatementResult {
  return (
    replaceById(environment, unit, statement, retry) ?? updateMatching(environment, unit, statement, retry)
  );
}

async function run(context: CommandContext): Promise<Reply> {
  const raw = context.batches.get("updates");
  if (!raw) throw new ServerError(40414, "BSON field 'update.updates' is missing but a required field");
  const { ns } = context;
  checkWriteTarget(context, ns);
  const statements = raw.map(readUpdate);
  const multi = statements.some((statement) => statement.multi);
  if (multi && isRetryable(context)) {
    throw new ServerError("InvalidOptions", "Cannot use (or request) retryable writes with multi=true");
  }
  const environment = {
    context,
    ns,
    let: context.document("let"),
    bypass: context.boolean("bypassDocumentValidation") ?? false,
  };
  await context.server.delayMultiWrite(context, multi);
  const outcome = runBatch(context, statements.length, (unit, index, retry) =>
    runUpdate(environment, unit, statements[index]!, retry),
  );
  context.server.counters.update += statements.length;
  return batchReply(outcome, true);
}

function needs(context: CommandContext): Need[] {
  const actions = ["update"];
  const upserts = context.batches.get("updates")?.some((bytes) => {
    const field = rawField(bytes, "upsert");
    return field !== undefined && bytes[field.start] !== 0;
  });
  if (upserts) actions.push("insert");
  if (context.body.get("bypassDocumentValidation") === true) actions.push("bypassDocumentValidation");
  return [need(namespace(context.database, context.collectionName()), ...actions)];
}

export const updateCommand: Command = {
  name: "update",
  fields: [
    "updates",
    "ordered",
    "bypassDocumentValidation",
    "let",
    "runtimeConstants",
    "encryptionInformation",
    "rawData",
  ],
  role: "write",
  raw: ["updates"],
  txn: true,
  needs,
  run,
};
