/** Applies single oplog operations: documents by `_id`, whatever the state they meet. */
import { decode, encode } from "../../engine/codec.ts";
import { ServerError } from "../../engine/errors.ts";
import { keyOf } from "../../engine/keystring.ts";
import { applyOplogUpdate } from "../../engine/update/index.ts";
import type { Document, Value } from "../../engine/value.ts";
import type { Collection } from "../../storage/collection.ts";
import type { WriteUnit } from "../../storage/write-unit.ts";
import { prepareInsert } from "../prepare-document.ts";

export interface Operation {
  op: string;
  ns: string;
  o: Document;
  o2: Document | undefined;
  uuid: Uint8Array | undefined;
  /** `o` as bytes: a document is stored as it came. */
  body: Uint8Array;
}

function insert(unit: WriteUnit, collection: Collection, operation: Operation): void {
  const { key, document } = prepareInsert(operation.body, unit.storage.clock);
  const row = collection.byKey(key);
  if (!row) {
    unit.insert(collection, key, document);
    return;
  }
  if (Buffer.compare(row.document, document) !== 0) unit.replace(collection, row, document, document);
}

function update(unit: WriteUnit, collection: Collection, operation: Operation, upsert: boolean): void {
  const id = operation.o2?.get("_id");
  if (id === undefined)
    throw new ServerError("NoSuchKey", "Failed to apply update due to missing _id in 'o2'");
  const row = collection.byKey(keyOf([id]));
  const delta = operation.o.has("$v");
  if (!row) {
    // With upsert a change of parts makes a document of these parts: MongoDB's jstests/core/apply_ops2.js holds it.
    if (!upsert)
      throw new ServerError(
        "OperationFailed",
        `Failed to apply update: no document matches ${String(id)} in ${collection.ns}`,
      );
    const made = delta ? applyOplogUpdate(new Map([["_id", id]]), operation.o) : withId(operation.o, id);
    insert(unit, collection, { ...operation, body: encode(made) });
    return;
  }
  const document = encode(applyOplogUpdate(decode(row.document), operation.o));
  if (Buffer.compare(document, row.document) !== 0)
    unit.replace(collection, row, document, delta ? operation.body : document);
}

function withId(document: Document, id: Value): Document {
  return document.has("_id") ? document : new Map([["_id", id], ...document]);
}

function remove(unit: WriteUnit, collection: Collection, operation: Operation): void {
  const id = operation.o.get("_id");
  if (id === undefined) throw new ServerError("NoSuchKey", "Failed to apply delete due to missing _id");
  const row = collection.byKey(keyOf([id]));
  if (row) unit.remove(collection, row);
}

/** Applies an insert, update or delete. Doing it twice leaves what doing it once leaves. */
export function applyDocumentOperation(
  unit: WriteUnit,
  collection: Collection,
  operation: Operation,
  upsert: boolean,
): void {
  if (operation.op === "i") insert(unit, collection, operation);
  else if (operation.op === "u") update(unit, collection, operation, upsert);
  else remove(unit, collection, operation);
}
