/**
 * A collection's rows: `c_<id>(rid, key, document)`. `rid` counts up, so a scan without sort gives insertion order;
 * `key` is the keystring of `_id`, unique and in the server's order; the document is BSON untouched.
 */
import type { Database, Statement } from "bun:sqlite";
import { type Document, isDocument, isNumber, type Value } from "../engine/value.ts";
import type { Index } from "./index.ts";
import { exactNumberOf } from "./numbers.ts";

export interface Row {
  rid: number;
  key: Uint8Array;
  document: Uint8Array;
}

export interface Sizes {
  count: number;
  bytes: number;
}

export class Collection {
  readonly id: number;
  readonly uuid: Uint8Array;
  /** The uuid as text: a name that stays when the collection is renamed. */
  readonly place: string;
  ns: string;
  options: Document;
  indexes: Index[] = [];
  /** Set when it is dropped: scans still open on it end with an error. */
  dropped = false;
  private readonly database: Database;
  private readonly statements = new Map<string, Statement>();
  private nextRid: number;
  private known: Sizes | undefined;

  constructor(database: Database, id: number, ns: string, uuid: Uint8Array, options: Document) {
    this.database = database;
    this.id = id;
    this.ns = ns;
    this.uuid = uuid;
    this.place = Buffer.from(uuid).toString("latin1");
    this.options = options;
    const row = database.query(`SELECT max(rid) AS rid FROM c_${id}`).get() as { rid: number | null };
    this.nextRid = (row.rid ?? 0) + 1;
  }

  get databaseName(): string {
    return this.ns.slice(0, this.ns.indexOf("."));
  }

  get name(): string {
    return this.ns.slice(this.ns.indexOf(".") + 1);
  }

  get capped(): boolean {
    return this.options.get("capped") === true;
  }

  option(name: string): Value | undefined {
    return this.options.get(name);
  }

  numberOption(name: string): number | undefined {
    const value = this.options.get(name);
    return isNumber(value) ? exactNumberOf(value) : undefined;
  }

  /** Pre-images are kept when the collection asks for them. */
  get preImages(): boolean {
    const option = this.options.get("changeStreamPreAndPostImages");
    return isDocument(option) && option.get("enabled") === true;
  }

  /** A prepared statement on this collection's table, made once; `$` stands for the table's name. */
  statement(sql: string): Statement {
    let statement = this.statements.get(sql);
    if (statement === undefined) {
      statement = this.database.prepare(sql.replaceAll("$", `c_${this.id}`));
      this.statements.set(sql, statement);
    }
    return statement;
  }

  /** Gives back the statements' memory; the table may be dropped afterwards. */
  close(): void {
    for (const statement of this.statements.values()) statement.finalize();
    this.statements.clear();
  }

  /** Row numbers up to `rid` are taken, also those of changes that aren't committed yet. */
  reserveRid(rid: number): void {
    if (rid >= this.nextRid) this.nextRid = rid + 1;
  }

  /** The newest row number given out. */
  get lastRid(): number {
    return this.nextRid - 1;
  }

  takeRid(): number {
    return this.nextRid++;
  }

  /** False when the key is taken. */
  insertRow(rid: number, key: Uint8Array, document: Uint8Array): boolean {
    this.reserveRid(rid);
    const done = this.statement(
      "INSERT INTO $(rid, key, document) VALUES(?, ?, ?) ON CONFLICT(key) DO NOTHING",
    ).run(rid, key, document);
    return done.changes === 1;
  }

  replaceRow(rid: number, document: Uint8Array): void {
    this.statement("UPDATE $ SET document = ? WHERE rid = ?").run(document, rid);
  }

  deleteRow(rid: number): void {
    this.statement("DELETE FROM $ WHERE rid = ?").run(rid);
  }

  byKey(key: Uint8Array): Row | undefined {
    const found = this.statement("SELECT rid, document FROM $ WHERE key = ?").values(key) as [
      number,
      Uint8Array,
    ][];
    if (found.length === 0) return undefined;
    return { rid: found[0]![0], key, document: found[0]![1] };
  }

  byRid(rid: number): Row | undefined {
    const found = this.statement("SELECT key, document FROM $ WHERE rid = ?").values(rid) as [
      Uint8Array,
      Uint8Array,
    ][];
    if (found.length === 0) return undefined;
    return { rid, key: found[0]![0], document: found[0]![1] };
  }

  get counted(): boolean {
    return this.known !== undefined;
  }

  /** Number of documents and their bytes; counted once, then kept up to date by commits. */
  sizes(): Sizes {
    if (this.known === undefined) {
      const row = this.database
        .query(`SELECT count(*) AS count, coalesce(sum(length(document)), 0) AS bytes FROM c_${this.id}`)
        .get() as Sizes;
      this.known = { count: row.count, bytes: row.bytes };
    }
    return this.known;
  }

  resize(count: number, bytes: number): void {
    if (this.known === undefined) return;
    this.known.count += count;
    this.known.bytes += bytes;
  }

  /** Forgets the counted sizes, after the table changed in a way no delta was kept for. */
  recount(): void {
    this.known = undefined;
  }
}
