/** What exists: collections and their indexes, kept in SQLite and mirrored in memory. Views are documents of `system.views`. */
import type { Database } from "bun:sqlite";
import { decode, encode } from "../engine/codec.ts";
import type { Document, Value } from "../engine/value.ts";
import { Collection } from "./collection.ts";
import { Index, type PartialFilter } from "./index.ts";

export interface View {
  ns: string;
  viewOn: string;
  pipeline: Value[];
  collation: Document | undefined;
}

/** Compiles a partial index's filter; given from outside so that storage doesn't depend on the query language. */
export type FilterCompiler = (filter: Document) => PartialFilter;

function newUuid(): Uint8Array {
  return Uint8Array.from(Buffer.from(crypto.randomUUID().replaceAll("-", ""), "hex"));
}

export function splitNamespace(ns: string): { database: string; name: string } {
  const dot = ns.indexOf(".");
  return dot < 0 ? { database: ns, name: "" } : { database: ns.slice(0, dot), name: ns.slice(dot + 1) };
}

export class Catalog {
  private readonly database: Database;
  private readonly compileFilter: FilterCompiler;
  private readonly collections = new Map<string, Collection>();
  private readonly viewsByDatabase = new Map<string, Map<string, View>>();

  constructor(database: Database, compileFilter: FilterCompiler) {
    this.database = database;
    this.compileFilter = compileFilter;
    this.load();
  }

  private load(): void {
    const rows = this.database.query("SELECT id, ns, uuid, options FROM collections ORDER BY id").all() as {
      id: number;
      ns: string;
      uuid: Uint8Array;
      options: Uint8Array;
    }[];
    const byId = new Map<number, Collection>();
    for (const row of rows) {
      const collection = new Collection(this.database, row.id, row.ns, row.uuid, decode(row.options));
      this.collections.set(row.ns, collection);
      byId.set(row.id, collection);
    }
    const indexes = this.database
      .query("SELECT id, collection, spec, multikey FROM indexes ORDER BY id")
      .all() as {
      id: number;
      collection: number;
      spec: Uint8Array;
      multikey: number;
    }[];
    for (const row of indexes) {
      const spec = decode(row.spec);
      byId.get(row.collection)!.indexes.push(this.makeIndex(row.id, spec, row.multikey === 1));
    }
    for (const ns of this.collections.keys())
      if (ns.endsWith(".system.views")) this.reloadViews(splitNamespace(ns).database);
  }

  close(): void {
    for (const collection of this.collections.values()) {
      collection.close();
      for (const index of collection.indexes) index.close();
    }
  }

  /** Reads everything again, after a rolled back change of the catalog. */
  reload(): void {
    // Row numbers given to open transactions must not be given again.
    const rids = new Map(this.all().map((collection) => [collection.place, collection.lastRid]));
    this.close();
    this.collections.clear();
    this.viewsByDatabase.clear();
    this.load();
    for (const collection of this.collections.values())
      collection.reserveRid(rids.get(collection.place) ?? 0);
  }

  private makeIndex(id: number, spec: Document, multikey: boolean): Index {
    const filter = spec.get("partialFilterExpression") as Document | undefined;
    return new Index(this.database, id, spec, multikey, filter && this.compileFilter(filter));
  }

  get(ns: string): Collection | undefined {
    return this.collections.get(ns);
  }

  byUuid(uuid: Uint8Array): Collection | undefined {
    const wanted = Buffer.from(uuid);
    for (const collection of this.collections.values()) if (wanted.equals(collection.uuid)) return collection;
    return undefined;
  }

  view(ns: string): View | undefined {
    return this.viewsByDatabase.get(splitNamespace(ns).database)?.get(ns);
  }

  views(database: string): View[] {
    return [...(this.viewsByDatabase.get(database)?.values() ?? [])];
  }

  all(): Collection[] {
    return [...this.collections.values()];
  }

  inDatabase(database: string): Collection[] {
    return this.all().filter((collection) => collection.ns.startsWith(`${database}.`));
  }

  databases(): string[] {
    const names = new Set<string>();
    for (const ns of this.collections.keys()) names.add(splitNamespace(ns).database);
    return [...names].sort();
  }

  create(ns: string, options: Document, uuid: Uint8Array = newUuid()): Collection {
    const done = this.database
      .query("INSERT INTO collections(ns, uuid, type, options) VALUES(?, ?, 'collection', ?)")
      .run(ns, uuid, encode(options));
    const id = Number(done.lastInsertRowid);
    this.database.run(
      `CREATE TABLE c_${id}(rid INTEGER PRIMARY KEY, key BLOB NOT NULL, document BLOB NOT NULL)`,
    );
    this.database.run(`CREATE UNIQUE INDEX k_${id} ON c_${id}(key)`);
    const collection = new Collection(this.database, id, ns, uuid, options);
    this.collections.set(ns, collection);
    return collection;
  }

  drop(collection: Collection): void {
    for (const index of [...collection.indexes]) this.dropIndex(collection, index);
    collection.close();
    collection.dropped = true;
    this.database.query("DELETE FROM collections WHERE id = ?").run(collection.id);
    this.database.run(`DROP TABLE c_${collection.id}`);
    this.collections.delete(collection.ns);
    if (collection.name === "system.views") this.viewsByDatabase.delete(collection.databaseName);
  }

  rename(collection: Collection, ns: string): void {
    this.database.query("UPDATE collections SET ns = ? WHERE id = ?").run(ns, collection.id);
    this.collections.delete(collection.ns);
    collection.ns = ns;
    this.collections.set(ns, collection);
  }

  setOptions(collection: Collection, options: Document): void {
    this.database
      .query("UPDATE collections SET options = ? WHERE id = ?")
      .run(encode(options), collection.id);
    collection.options = options;
  }

  /** Adds an index without filling it. */
  addIndex(collection: Collection, spec: Document): Index {
    const done = this.database
      .query("INSERT INTO indexes(collection, name, spec) VALUES(?, ?, ?)")
      .run(collection.id, spec.get("name") as string, encode(spec));
    const id = Number(done.lastInsertRowid);
    this.database.run(
      `CREATE TABLE x_${id}(key BLOB NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY(key, rid)) WITHOUT ROWID`,
    );
    const index = this.makeIndex(id, spec, false);
    collection.indexes.push(index);
    return index;
  }

  dropIndex(collection: Collection, index: Index): void {
    index.close();
    collection.indexes = collection.indexes.filter((other) => other !== index);
    this.database.query("DELETE FROM indexes WHERE id = ?").run(index.id);
    this.database.run(`DROP TABLE x_${index.id}`);
  }

  setIndexSpec(index: Index, spec: Document): void {
    this.database.query("UPDATE indexes SET spec = ? WHERE id = ?").run(encode(spec), index.id);
    index.spec = spec;
  }

  markMultikey(index: Index): void {
    this.database.query("UPDATE indexes SET multikey = 1 WHERE id = ?").run(index.id);
    index.multikey = true;
  }

  reloadViews(database: string): void {
    const source = this.collections.get(`${database}.system.views`);
    const views = new Map<string, View>();
    if (source) {
      for (const row of source.statement("SELECT document FROM $ ORDER BY rid").values() as [Uint8Array][]) {
        const definition = decode(row[0]);
        const ns = definition.get("_id") as string;
        views.set(ns, {
          ns,
          viewOn: definition.get("viewOn") as string,
          pipeline: (definition.get("pipeline") as Value[] | undefined) ?? [],
          collation: definition.get("collation") as Document | undefined,
        });
      }
    }
    this.viewsByDatabase.set(database, views);
  }
}
