/** The changes of one SQLite transaction: rows, index entries, oplog entries, pre-images and sizes move together. */
import { decode } from "../engine/codec.ts";
import { ServerError } from "../engine/errors.ts";
import { rawField } from "../engine/raw.ts";
import type { Document, Value } from "../engine/value.ts";
import type { Collection, Row } from "./collection.ts";
import type { Holder } from "./conflicts.ts";
import { duplicateKey } from "./duplicate-key.ts";
import type { Index } from "./index.ts";
import type { IndexKeys } from "./index-keys.ts";
import type { OplogOperation, RetryInfo } from "./oplog-entry.ts";
import type { Storage } from "./storage.ts";
import type { Ts } from "./timestamp.ts";

/** One row's change, as transactions and snapshots need it. */
export interface WriteRecord {
  collection: Collection;
  rid: number;
  key: Uint8Array;
  before: Uint8Array | undefined;
  after: Uint8Array | undefined;
  /** What the oplog entry holds: set on changes made by clients, absent on their undoing. */
  operation: OplogOperation;
  body: Uint8Array;
}

/** Where a transaction's statement puts its changes. */
export interface Collector {
  write(record: WriteRecord): void;
  catalog(again: (unit: WriteUnit) => void): void;
}

const PRINCIPALS = new Set(["admin.system.users", "admin.system.roles"]);
const ID_PATTERN: Document = new Map();

/** `{_id: …}` of a document, as bytes. */
export function documentKeyOf(document: Uint8Array): Uint8Array {
  const field = rawField(document, "_id");
  if (field === undefined) return Uint8Array.of(5, 0, 0, 0, 0);
  const length = field.end - field.elementStart;
  const key = new Uint8Array(length + 5);
  key.set(document.subarray(field.elementStart, field.end), 4);
  new DataView(key.buffer).setInt32(0, key.length, true);
  return key;
}

interface IndexChange {
  index: Index;
  added: IndexKeys;
  removed: Uint8Array[];
}

function keysWithout(keys: Uint8Array[], others: Uint8Array[]): Uint8Array[] {
  return keys.filter((key) => !others.some((other) => Buffer.compare(key, other) === 0));
}

export class WriteUnit {
  readonly storage: Storage;
  private collector: Collector | undefined;
  private readonly deltas = new Map<Collection, { count: number; bytes: number; known: boolean }>();
  private readonly markedMultikey: Index[] = [];
  private readonly viewDatabases = new Set<string>();
  wrote = false;
  /** Set by changes of the catalog, so that undoing them reads it again. */
  catalogChanged = false;
  /** Users or roles changed, by whatever command. */
  principalsChanged = false;

  constructor(storage: Storage) {
    this.storage = storage;
  }

  /**
   * Stores a new document.
   * @throws ServerError DuplicateKey; nothing was changed then
   */
  insert(collection: Collection, key: Uint8Array, document: Uint8Array, retry?: RetryInfo): Ts {
    // Counted before the document is in, or it would count twice.
    if (collection.capped) collection.sizes();
    const rid = collection.takeRid();
    const changes = this.indexChanges(collection, rid, undefined, document);
    if (!collection.insertRow(rid, key, document)) throw this.duplicateId(collection, document);
    this.applyIndexes(rid, changes);
    this.resize(collection, 1, document.length);
    if (collection.capped) this.evict(collection);
    return this.record(
      collection,
      { collection, rid, key, before: undefined, after: document, operation: "i", body: document },
      retry,
    );
  }

  /** Replaces a row's document; `body` is what the oplog's `o` says: the new document or `{$v: 2, diff}`. */
  replace(collection: Collection, row: Row, document: Uint8Array, body: Uint8Array, retry?: RetryInfo): Ts {
    const changes = this.indexChanges(collection, row.rid, row.document, document);
    collection.replaceRow(row.rid, document);
    this.applyIndexes(row.rid, changes);
    this.resize(collection, 0, document.length - row.document.length);
    return this.record(
      collection,
      { collection, rid: row.rid, key: row.key, before: row.document, after: document, operation: "u", body },
      retry,
    );
  }

  remove(collection: Collection, row: Row, retry?: RetryInfo): Ts {
    this.applyIndexes(row.rid, this.indexChanges(collection, row.rid, row.document, undefined));
    collection.deleteRow(row.rid);
    this.resize(collection, -1, -row.document.length);
    const body = documentKeyOf(row.document);
    return this.record(
      collection,
      {
        collection,
        rid: row.rid,
        key: row.key,
        before: row.document,
        after: undefined,
        operation: "d",
        body,
      },
      retry,
    );
  }

  /** From here on changes go to `take` instead of the oplog: a statement of a transaction. */
  collect(collector: Collector): void {
    this.collector = collector;
  }

  /** Tells the transaction how to do a change of the catalog again. */
  noteCatalog(again: (unit: WriteUnit) => void): void {
    this.catalogChanged = true;
    this.collector?.catalog(again);
  }

  get inTransaction(): boolean {
    return this.collector !== undefined;
  }

  /** The collection of a record as it is known now; undefined when it was dropped since. */
  private homeOf(record: WriteRecord): Collection | undefined {
    const { catalog } = this.storage;
    const named = catalog.get(record.collection.ns);
    return named && Buffer.compare(named.uuid, record.collection.uuid) === 0
      ? named
      : catalog.byUuid(record.collection.uuid);
  }

  /** Puts a row into a given state without any log: replaying or undoing changes inside a transaction. */
  restore(
    record: WriteRecord,
    from: Uint8Array | undefined,
    to: Uint8Array | undefined,
  ): Collection | undefined {
    const { rid, key } = record;
    const collection = this.homeOf(record);
    if (!collection) return undefined;
    const changes = this.indexChanges(collection, rid, from, to);
    this.resize(collection, (to ? 1 : 0) - (from ? 1 : 0), (to?.length ?? 0) - (from?.length ?? 0));
    if (to === undefined) collection.deleteRow(rid);
    else if (from !== undefined) collection.replaceRow(rid, to);
    else if (!collection.insertRow(rid, key, to)) throw this.duplicateId(collection, to);
    this.applyIndexes(rid, changes);
    return collection;
  }

  /**
   * Applies a change of a transaction that commits; its oplog entry is the transaction's.
   * @throws ServerError NamespaceNotFound when the collection was dropped meanwhile
   */
  apply(record: WriteRecord, by: Holder): WriteRecord {
    const collection = this.restore(record, record.before, record.after);
    if (!collection)
      throw new ServerError("NamespaceNotFound", `collection ${record.collection.ns} was dropped`);
    const applied = { ...record, collection };
    this.noticed(applied, by);
    return applied;
  }

  private noticed(record: WriteRecord, by?: Holder): void {
    const { collection } = record;
    this.wrote = true;
    if (PRINCIPALS.has(collection.ns)) this.principalsChanged = true;
    if (collection.name === "system.views") this.viewDatabases.add(collection.databaseName);
    this.storage.conflicts.touched(record, by);
  }

  private duplicateId(collection: Collection, document: Uint8Array): Error {
    const id = decode(documentKeyOf(document)).get("_id") as Value;
    const pattern =
      ID_PATTERN.size === 0 ? ID_PATTERN.set("_id", decode(ONE).get("_id") as Value) : ID_PATTERN;
    return duplicateKey(collection.ns, "_id_", pattern, [id]);
  }

  /** Works out index entries and refuses duplicates before anything is written. */
  private indexChanges(
    collection: Collection,
    rid: number,
    before: Uint8Array | undefined,
    after: Uint8Array | undefined,
  ): IndexChange[] {
    if (collection.indexes.length === 0) return [];
    const old = before && decode(before);
    const new_ = after && decode(after);
    const changes: IndexChange[] = [];
    for (const index of collection.indexes) {
      const had = old ? index.keysOf(old).keys : [];
      const has: IndexKeys = new_ ? index.keysOf(new_) : { keys: [], values: [], multikey: false };
      if (index.unique) this.refuseDuplicates(collection, index, has, rid);
      const removed = keysWithout(had, has.keys);
      const added = had.length === 0 ? has : { ...has, keys: keysWithout(has.keys, had) };
      changes.push({ index, added, removed });
    }
    return changes;
  }

  private refuseDuplicates(collection: Collection, index: Index, has: IndexKeys, rid: number): void {
    for (const [position, key] of has.keys.entries()) {
      if (index.holder(key, rid) === undefined) continue;
      throw duplicateKey(collection.ns, index.name, index.pattern, has.values[position]!);
    }
  }

  private applyIndexes(rid: number, changes: IndexChange[]): void {
    for (const { index, added, removed } of changes) {
      for (const key of removed) index.remove(key, rid);
      for (const key of added.keys) index.add(key, rid);
      if (!added.multikey || index.multikey) continue;
      this.storage.catalog.markMultikey(index);
      this.markedMultikey.push(index);
    }
  }

  private resize(collection: Collection, count: number, bytes: number): void {
    const delta = this.deltas.get(collection);
    if (delta) {
      delta.count += count;
      delta.bytes += bytes;
    } else this.deltas.set(collection, { count, bytes, known: collection.counted });
  }

  /** A capped collection lets its oldest documents go; the server doesn't log that either. */
  private evict(collection: Collection): void {
    const maxBytes = collection.numberOption("size") ?? Number.POSITIVE_INFINITY;
    const maxCount = collection.numberOption("max") || Number.POSITIVE_INFINITY;
    const sizes = collection.sizes();
    const delta = this.deltas.get(collection)!;
    while (sizes.count + delta.count > maxCount || sizes.bytes + delta.bytes > maxBytes) {
      const oldest = collection
        .statement("SELECT rid, key, document FROM $ ORDER BY rid LIMIT 1")
        .get() as Row | null;
      if (oldest === null) return;
      this.applyIndexes(oldest.rid, this.indexChanges(collection, oldest.rid, oldest.document, undefined));
      collection.deleteRow(oldest.rid);
      this.resize(collection, -1, -oldest.document.length);
    }
  }

  private record(collection: Collection, record: WriteRecord, retry: RetryInfo | undefined): Ts {
    if (this.collector) {
      this.collector.write(record);
      return 0;
    }
    this.noticed(record);
    if (collection.databaseName === "local") return 0;
    const ts = this.log({
      operation: record.operation,
      ns: collection.ns,
      uuid: collection.uuid,
      body: record.body,
      key: record.operation === "d" ? undefined : documentKeyOf(record.after!),
      retry,
    });
    if (record.before && collection.preImages)
      this.storage.keepPreImage(ts, 0, collection.uuid, record.before);
    return ts;
  }

  /** Appends an entry to the oplog. */
  log(entry: {
    operation: OplogOperation;
    ns: string;
    uuid: Uint8Array | undefined;
    body: Uint8Array;
    key: Uint8Array | undefined;
    retry?: RetryInfo | undefined;
  }): Ts {
    this.wrote = true;
    return this.storage.append(entry);
  }

  /** After the commit: what memory knows follows what the file says. */
  committed(): void {
    for (const [collection, { known, count, bytes }] of this.deltas) {
      if (known) collection.resize(count, bytes);
      else collection.recount();
    }
    for (const database of this.viewDatabases) this.storage.catalog.reloadViews(database);
    if (this.principalsChanged) this.storage.onPrincipalsChanged();
  }

  /** Sizes counted while the transaction was open would include what was undone. */
  rolledBack(): void {
    for (const index of this.markedMultikey) index.multikey = false;
    for (const [collection, { known }] of this.deltas) if (!known) collection.recount();
  }
}

// {_id: 1}
const ONE = Uint8Array.of(14, 0, 0, 0, 16, 0x5f, 0x69, 0x64, 0, 1, 0, 0, 0, 0);
