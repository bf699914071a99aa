/** `$out` and `$merge`: pipelines that write. */

import { idOf, prepareInsert } from "../commands/prepare-document.ts";
import { checkValidator } from "../commands/validation.ts";
import { checkWriteTarget, targetCollection } from "../commands/write-batch.ts";
import type { MergeTarget, OutTarget } from "../engine/aggregate/index.ts";
import { decode, encode } from "../engine/codec.ts";
import { ServerError } from "../engine/errors.ts";
import type { Document, Value } from "../engine/value.ts";
import type { CommandContext } from "../server/context.ts";
import type { Collection } from "../storage/collection.ts";
import { createCollection, createIndex, renameCollection } from "../storage/ddl.ts";
import type { WriteUnit } from "../storage/write-unit.ts";
import { targets } from "./target.ts";

function insertDocument(
  context: CommandContext,
  unit: WriteUnit,
  collection: Collection,
  document: Document,
): void {
  const prepared = prepareInsert(encode(document), context.storage.clock);
  if (context.boolean("bypassDocumentValidation") !== true) checkValidator(collection, prepared.document);
  unit.insert(collection, prepared.key, prepared.document);
}

/** Writes into a new collection that takes the target's place at the end, with its options and indexes. */
export function writeOut(context: CommandContext, target: OutTarget, documents: Iterable<Document>): void {
  if (target.timeseries)
    throw new ServerError("NotImplemented", "time-series collections are not supported by this server");
  const ns = `${target.database}.${target.collection}`;
  checkWriteTarget(context, ns);
  context.server.mutate(context, (unit) => {
    const old = context.storage.catalog.get(ns);
    if (old?.capped) throw new ServerError(17152, `namespace '${ns}' is capped so it can't be used for $out`);
    const name = `${target.database}.tmp.agg_out.${crypto.randomUUID()}`;
    const made = createCollection(unit, name, old?.options ?? new Map());
    for (const index of old?.indexes ?? []) createIndex(unit, made, index.spec);
    for (const document of documents) insertDocument(context, unit, made, document);
    renameCollection(unit, made, ns);
  });
}

function checkUniqueFields(collection: Collection | undefined, on: readonly string[]): void {
  if (on.length === 1 && on[0] === "_id") return;
  const wanted = [...on].sort().join("\0");
  const found = collection?.indexes.some(
    (index) => index.unique && !index.partial && [...index.fields].sort().join("\0") === wanted,
  );
  if (!found) throw new ServerError(51183, "Cannot find index to verify that join fields will be unique");
}

function keyFilter(document: Document, on: readonly string[]): Document {
  const filter: Document = new Map();
  for (const field of on) {
    let value: Value | undefined = document;
    for (const part of field.split(".")) value = value instanceof Map ? value.get(part) : undefined;
    if (value === undefined && field !== "_id")
      throw new ServerError(
        51132,
        "$merge write error: 'on' field cannot be missing, null, undefined or an array",
      );
    if (value !== undefined) filter.set(field, new Map([["$eq", value]]));
  }
  return filter;
}

function mergeOne(
  context: CommandContext,
  unit: WriteUnit,
  collection: Collection,
  target: MergeTarget,
  given: Document,
): void {
  const complete = given.has("_id")
    ? given
    : decode(prepareInsert(encode(given), context.storage.clock).document);
  const [found] = targets(collection, { filter: keyFilter(complete, target.on) });
  const result = target.merge(found?.document, target.on.includes("_id") ? complete : given);
  if (result === undefined) return;
  if (!found) {
    insertDocument(context, unit, collection, result);
    return;
  }
  const bytes = prepareInsert(encode(result), context.storage.clock).document;
  if (
    Buffer.compare(
      encode(new Map([["_id", idOf(bytes)]])),
      encode(new Map([["_id", idOf(found.row.document)]])),
    ) !== 0
  ) {
    throw new ServerError(
      "ImmutableField",
      "$merge failed to update the matching document, did you attempt to modify the _id or the shard key?",
    );
  }
  if (Buffer.compare(bytes, found.row.document) === 0) return;
  checkValidator(collection, bytes, found.row.document);
  unit.replace(collection, found.row, bytes, bytes);
}

export function writeMerge(
  context: CommandContext,
  target: MergeTarget,
  documents: Iterable<Document>,
): void {
  const ns = `${target.database}.${target.collection}`;
  checkWriteTarget(context, ns);
  checkUniqueFields(context.storage.catalog.get(ns), target.on);
  context.server.mutate(context, (unit) => {
    // Read to the end first: the target may be the source.
    const all = [...documents];
    const collection = targetCollection(context, unit, ns);
    for (const document of all) mergeOne(context, unit, collection, target, document);
  });
}
