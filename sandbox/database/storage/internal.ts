/** Reading and writing the server's own collections (users, roles, versions) by `_id`. Writes are logged like any other. */
import { decode, encode } from "../engine/codec.ts";
import { keyOf } from "../engine/keystring.ts";
import type { Document, Value } from "../engine/value.ts";
import type { Collection } from "./collection.ts";
import { createCollection } from "./ddl.ts";
import type { Storage } from "./storage.ts";
import type { WriteUnit } from "./write-unit.ts";

export function readById(storage: Storage, ns: string, id: Value): Document | undefined {
  const row = storage.catalog.get(ns)?.byKey(keyOf([id]));
  return row && decode(row.document);
}

export function readAll(storage: Storage, ns: string): Document[] {
  const collection = storage.catalog.get(ns);
  if (!collection) return [];
  const rows = collection.statement("SELECT document FROM $ ORDER BY rid").values() as [Uint8Array][];
  return rows.map((row) => decode(row[0]));
}

function collectionFor(unit: WriteUnit, ns: string): Collection {
  return unit.storage.catalog.get(ns) ?? createCollection(unit, ns, new Map());
}

/** Inserts the document, or replaces the one with its `_id`. */
export function put(unit: WriteUnit, ns: string, document: Document): void {
  const collection = collectionFor(unit, ns);
  const key = keyOf([document.get("_id") as Value]);
  const bytes = encode(document);
  const row = collection.byKey(key);
  if (row) unit.replace(collection, row, bytes, bytes);
  else unit.insert(collection, key, bytes);
}

export function removeById(unit: WriteUnit, ns: string, id: Value): boolean {
  const collection = unit.storage.catalog.get(ns);
  const row = collection?.byKey(keyOf([id]));
  if (!collection || !row) return false;
  unit.remove(collection, row);
  return true;
}
