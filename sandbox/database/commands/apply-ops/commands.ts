/** Applies the commands of oplog entries: what the server writes for changes of collections. */
import { ServerError } from "../../engine/errors.ts";
import { type Document, isDocument, type Value } from "../../engine/value.ts";
import { splitNamespace } from "../../storage/catalog.ts";
import type { Collection } from "../../storage/collection.ts";
import {
  createCollection,
  createIndex,
  dropCollection,
  dropDatabase,
  dropIndex,
  modifyCollection,
  renameCollection,
} from "../../storage/ddl.ts";
import type { WriteUnit } from "../../storage/write-unit.ts";
import type { ReplyObject } from "../../wire/writer.ts";
import { storedOptions } from "../collections.ts";
import { normalizeIndex, samePattern } from "../index-spec.ts";
import type { Operation } from "./operations.ts";

type Apply = (unit: WriteUnit, operation: Operation, database: string) => void;

function nameOf(operation: Operation): string {
  const [name] = operation.o.values();
  return String(name);
}

function existing(unit: WriteUnit, ns: string): Collection {
  const collection = unit.storage.catalog.get(ns);
  if (!collection) throw new ServerError("NamespaceNotFound", `ns does not exist: ${ns}`);
  return collection;
}

function addIndex(unit: WriteUnit, collection: Collection, given: Document): void {
  const spec = normalizeIndex(given, true);
  const key = spec.get("key") as Document;
  if (key.size === 1 && key.has("_id")) return;
  const known = collection.indexes.some(
    (index) => index.name === spec.get("name") && samePattern(index.pattern, key),
  );
  if (!known) createIndex(unit, collection, spec);
}

function indexFields(o: Document): Document {
  const [name] = o.keys();
  return new Map([...o].filter(([field]) => field !== name));
}

const APPLY: Record<string, Apply> = {
  create(unit, operation, database) {
    const ns = `${database}.${nameOf(operation)}`;
    if (unit.storage.catalog.get(ns)) return;
    createCollection(unit, ns, storedOptions(operation.o, database), operation.uuid);
  },
  drop(unit, operation, database) {
    const collection = unit.storage.catalog.get(`${database}.${nameOf(operation)}`);
    if (collection) dropCollection(unit, collection);
  },
  dropDatabase(unit, _operation, database) {
    if (unit.storage.catalog.inDatabase(database).length > 0) dropDatabase(unit, database);
  },
  createIndexes(unit, operation, database) {
    const collection = existing(unit, `${database}.${nameOf(operation)}`);
    const list = operation.o.get("indexes");
    if (Array.isArray(list)) for (const spec of list) addIndex(unit, collection, spec as Document);
    else addIndex(unit, collection, indexFields(operation.o));
  },
  commitIndexBuild(unit, operation, database) {
    const collection = existing(unit, `${database}.${nameOf(operation)}`);
    for (const spec of operation.o.get("indexes") as Value[])
      if (isDocument(spec)) addIndex(unit, collection, spec);
  },
  startIndexBuild() {},
  abortIndexBuild() {},
  dropIndexes(unit, operation, database) {
    const collection = existing(unit, `${database}.${nameOf(operation)}`);
    const name = operation.o.get("index");
    for (const index of [...collection.indexes])
      if (name === "*" || index.name === name) dropIndex(unit, collection, index);
  },
  renameCollection(unit, operation) {
    const from = operation.o.get("renameCollection") as string;
    const to = operation.o.get("to") as string;
    const source = existing(unit, from);
    const target = unit.storage.catalog.get(to);
    const drops = operation.o.get("dropTarget");
    if (target && (drops === undefined || drops === false))
      throw new ServerError("NamespaceExists", "target namespace exists");
    renameCollection(unit, source, to);
  },
  collMod(unit, operation, database) {
    const collection = existing(unit, `${database}.${nameOf(operation)}`);
    const changes = indexFields(operation.o);
    const wanted = changes.get("index");
    if (isDocument(wanted)) modifyIndex(unit, collection, wanted);
    const options: Document = new Map(collection.options);
    for (const [field, value] of changes) if (field !== "index") options.set(field, value);
    modifyCollection(
      unit,
      collection,
      storedOptions(options, database),
      Object.fromEntries(changes) as ReplyObject,
      {},
    );
  },
};
APPLY.deleteIndexes = APPLY.dropIndexes!;
APPLY.deleteIndex = APPLY.dropIndexes!;

function modifyIndex(unit: WriteUnit, collection: Collection, wanted: Document): void {
  const index = collection.indexes.find((candidate) => candidate.name === wanted.get("name"));
  if (!index)
    throw new ServerError(
      "IndexNotFound",
      `cannot find index ${String(wanted.get("name"))} for ns ${collection.ns}`,
    );
  const spec: Document = new Map(index.spec);
  for (const field of ["expireAfterSeconds", "hidden"])
    if (wanted.has(field)) spec.set(field, wanted.get(field) as Value);
  unit.storage.catalog.setIndexSpec(index, spec);
}

/** @throws ServerError CommandNotSupported for a command this server doesn't know in the oplog */
export function applyCommand(unit: WriteUnit, operation: Operation): void {
  const [name] = operation.o.keys();
  const apply = name === undefined ? undefined : APPLY[name];
  if (!apply) throw new ServerError("BadValue", `applyOps: unknown oplog entry type '${name ?? ""}'`);
  apply(unit, operation, splitNamespace(operation.ns).database);
}
