/** Changes of the catalog with their oplog entries, as the server logs them. */
import { decode } from "../engine/codec.ts";
import { ServerError } from "../engine/errors.ts";
import { type Document, Int32, type Value } from "../engine/value.ts";
import { encodeReply, type ReplyObject } from "../wire/writer.ts";
import { splitNamespace } from "./catalog.ts";
import type { Collection } from "./collection.ts";
import { duplicateKey } from "./duplicate-key.ts";
import type { Index } from "./index.ts";
import type { WriteUnit } from "./write-unit.ts";

export const ID_INDEX: Document = new Map<string, Value>([
  ["v", new Int32(2)],
  ["key", new Map<string, Value>([["_id", new Int32(1)]])],
  ["name", "_id_"],
]);

function logCommand(
  unit: WriteUnit,
  database: string,
  uuid: Uint8Array | undefined,
  body: ReplyObject,
  key?: ReplyObject,
): void {
  if (database === "local") return;
  unit.log({
    operation: "c",
    ns: `${database}.$cmd`,
    uuid,
    body: encodeReply(body),
    key: key && encodeReply(key),
  });
}

export function createCollection(
  unit: WriteUnit,
  ns: string,
  options: Document,
  uuid?: Uint8Array,
): Collection {
  if (unit.storage.catalog.get(ns))
    throw new ServerError("NamespaceExists", `Collection ${ns} already exists.`);
  const collection = unit.storage.catalog.create(ns, options, uuid);
  unit.noteCatalog((later) => createCollection(later, ns, options, collection.uuid));
  const { database, name } = splitNamespace(ns);
  const body: ReplyObject = { create: name, ...Object.fromEntries(options) };
  if (!options.has("clusteredIndex")) body.idIndex = ID_INDEX;
  logCommand(unit, database, collection.uuid, body);
  return collection;
}

export function dropCollection(unit: WriteUnit, collection: Collection): void {
  unit.catalogChanged = true;
  const count = collection.sizes().count;
  unit.storage.catalog.drop(collection);
  logCommand(
    unit,
    collection.databaseName,
    collection.uuid,
    { drop: collection.name },
    { numRecords: count },
  );
}

export function dropDatabase(unit: WriteUnit, database: string): void {
  for (const collection of unit.storage.catalog.inDatabase(database)) dropCollection(unit, collection);
  logCommand(unit, database, undefined, { dropDatabase: 1 });
}

/** Renames; a collection at the target is dropped by the same entry. */
export function renameCollection(
  unit: WriteUnit,
  collection: Collection,
  to: string,
  stayTemp = false,
): void {
  unit.catalogChanged = true;
  const target = unit.storage.catalog.get(to);
  const from = collection.ns;
  const records = target?.sizes().count;
  if (target) unit.storage.catalog.drop(target);
  unit.storage.catalog.rename(collection, to);
  const body: ReplyObject = { renameCollection: from, to, stayTemp };
  if (target) body.dropTarget = uuidValue(target.uuid);
  logCommand(unit, splitNamespace(from).database, collection.uuid, body, target && { numRecords: records! });
}

function uuidValue(uuid: Uint8Array): Value {
  // A UUID is binary subtype 4; built through the codec so that the value is an ordinary one.
  const bytes = new Uint8Array(4 + 3 + 5 + 16 + 1);
  new DataView(bytes.buffer).setInt32(0, bytes.length, true);
  bytes.set([5, 0x75, 0, 16, 0, 0, 0, 4], 4);
  bytes.set(uuid, 12);
  return decode(bytes).get("u") as Value;
}

/** Builds an index over what the collection holds; nothing remains when a unique one finds duplicates. */
export function createIndex(unit: WriteUnit, collection: Collection, spec: Document): Index {
  const index = unit.storage.catalog.addIndex(collection, spec);
  unit.noteCatalog((later) => createIndex(later, later.storage.catalog.get(collection.ns)!, spec));
  if (index.keyed) fill(unit, collection, index);
  const { v, key, name, ...rest } = Object.fromEntries(spec) as Record<string, Value>;
  logCommand(unit, collection.databaseName, collection.uuid, {
    createIndexes: collection.name,
    v,
    key,
    name,
    ...rest,
  });
  return index;
}

function fill(unit: WriteUnit, collection: Collection, index: Index): void {
  const rows = collection
    .statement("SELECT rid, document FROM $ ORDER BY rid")
    .iterate() as IterableIterator<{
    rid: number;
    document: Uint8Array;
  }>;
  let multikey = false;
  for (const row of rows) {
    const found = index.keysOf(decode(row.document));
    multikey ||= found.multikey;
    for (const [position, key] of found.keys.entries()) {
      if (index.unique && index.holder(key, row.rid) !== undefined) {
        throw duplicateKey(collection.ns, index.name, index.pattern, found.values[position]!);
      }
      index.add(key, row.rid);
    }
  }
  if (multikey) unit.storage.catalog.markMultikey(index);
}

export function dropIndex(unit: WriteUnit, collection: Collection, index: Index): void {
  unit.catalogChanged = true;
  unit.storage.catalog.dropIndex(collection, index);
  const { v, key, name, ...rest } = Object.fromEntries(index.spec) as Record<string, Value>;
  logCommand(
    unit,
    collection.databaseName,
    collection.uuid,
    { dropIndexes: collection.name, index: index.name },
    { v, key, name, ...rest },
  );
}

/** Changes options of a collection or of an index; `changes` is what the client asked, `old` what was before. */
export function modifyCollection(
  unit: WriteUnit,
  collection: Collection,
  options: Document,
  changes: ReplyObject,
  old: ReplyObject,
): void {
  unit.catalogChanged = true;
  unit.storage.catalog.setOptions(collection, options);
  logCommand(unit, collection.databaseName, collection.uuid, { collMod: collection.name, ...changes }, old);
}

/** @throws ServerError InvalidNamespace */
export function checkNamespace(ns: string): void {
  const { database, name } = splitNamespace(ns);
  if (database === "" || database.length > 63 || /[/\\. "$\0]/.test(database)) {
    throw new ServerError("InvalidNamespace", `Invalid database name: '${database}'`);
  }
  if (
    name === "" ||
    name.startsWith(".") ||
    name.includes("$") ||
    name.includes("\0") ||
    name.endsWith(".")
  ) {
    if (name === "oplog.$main") return;
    throw new ServerError("InvalidNamespace", `Invalid namespace specified '${ns}'`);
  }
  if (Buffer.byteLength(ns) > 255) {
    throw new ServerError(
      "InvalidNamespace",
      `Fully qualified namespace is too long. Namespace: ${ns} Max: 255`,
    );
  }
}
