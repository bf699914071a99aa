/** A secondary index: its specification and its table of (key, row) pairs. */
import type { Database, Statement } from "bun:sqlite";
import { type Document, isNumber, type Value } from "../engine/value.ts";
import { type IndexKeys, indexKeys } from "./index-keys.ts";
import { exactNumberOf } from "./numbers.ts";

export type PartialFilter = (document: Document) => boolean;

/** Index kinds whose keys are not kept: they are recorded, and queries answer from the collection. */
const UNKEYED = new Set(["text", "2dsphere", "2d", "hashed", "wildcard"]);

function kindOf(pattern: Document): string {
  for (const [name, value] of pattern) {
    if (name === "$**" || name.endsWith(".$**")) return "wildcard";
    if (typeof value === "string") return value;
  }
  return "btree";
}

export class Index {
  readonly id: number;
  readonly name: string;
  spec: Document;
  readonly pattern: Document;
  readonly fields: string[];
  readonly directions: number[];
  readonly kind: string;
  readonly partial: PartialFilter | undefined;
  multikey: boolean;
  /** Uses since the server started, for $indexStats. */
  accesses = 0;
  readonly since = Date.now();
  private readonly paths: string[][];
  private readonly insertRow: Statement;
  private readonly deleteRow: Statement;
  private readonly findRow: Statement;
  private readonly scans = new Map<string, Statement>();
  private readonly database: Database;

  constructor(
    database: Database,
    id: number,
    spec: Document,
    multikey: boolean,
    partial: PartialFilter | undefined,
  ) {
    this.database = database;
    this.id = id;
    this.spec = spec;
    this.name = spec.get("name") as string;
    this.pattern = spec.get("key") as Document;
    this.kind = kindOf(this.pattern);
    this.fields = [...this.pattern.keys()];
    this.directions = [...this.pattern.values()].map((value) => (isNumber(value) ? exactNumberOf(value) : 1));
    this.paths = this.fields.map((field) => field.split("."));
    this.multikey = multikey;
    this.partial = partial;
    this.insertRow = database.prepare(`INSERT OR IGNORE INTO x_${id}(key, rid) VALUES(?, ?)`);
    this.deleteRow = database.prepare(`DELETE FROM x_${id} WHERE key = ? AND rid = ?`);
    this.findRow = database.prepare(`SELECT rid FROM x_${id} WHERE key = ? LIMIT 2`);
  }

  get unique(): boolean {
    return this.spec.get("unique") === true || this.spec.get("prepareUnique") === true;
  }

  get sparse(): boolean {
    return this.spec.get("sparse") === true;
  }

  get hidden(): boolean {
    return this.spec.get("hidden") === true;
  }

  get expireAfterSeconds(): number | undefined {
    const value = this.spec.get("expireAfterSeconds") as Value | undefined;
    return isNumber(value) ? exactNumberOf(value) : undefined;
  }

  get keyed(): boolean {
    return !UNKEYED.has(this.kind);
  }

  /** Keys of a document in this index; none when a partial filter leaves it out. */
  keysOf(document: Document): IndexKeys {
    if (!this.keyed || (this.partial && !this.partial(document)))
      return { keys: [], values: [], multikey: false };
    return indexKeys(document, this.paths, this.directions, this.sparse);
  }

  /** A row other than `rid` that holds `key`; undefined when the key is free. */
  holder(key: Uint8Array, rid: number): number | undefined {
    for (const row of this.findRow.values(key) as [number][]) if (row[0] !== rid) return row[0];
    return undefined;
  }

  /** Lets go of the prepared statements, so that the table can be dropped. */
  close(): void {
    this.insertRow.finalize();
    this.deleteRow.finalize();
    this.findRow.finalize();
    for (const scan of this.scans.values()) scan.finalize();
    this.scans.clear();
  }

  /** Up to `limit` entries from `low` (inclusive) to `high` (exclusive), after `last` when a scan goes on. */
  pairs(
    low: Uint8Array,
    high: Uint8Array,
    last: readonly [Uint8Array, number] | undefined,
    backward: boolean,
    limit: number,
  ): [Uint8Array, number][] {
    const order = backward ? "ORDER BY key DESC, rid DESC" : "ORDER BY key, rid";
    const after = last ? `AND (key, rid) ${backward ? "<" : ">"} (?, ?)` : "";
    const statement = this.statement(
      `SELECT key, rid FROM x_${this.id} WHERE key >= ? AND key < ? ${after} ${order} LIMIT ?`,
    );
    const bounds = last ? [low, high, last[0], last[1], limit] : [low, high, limit];
    return statement.values(...bounds) as [Uint8Array, number][];
  }

  /** Number of entries: keys, not documents. */
  entries(): number {
    return this.statement(`SELECT count(*) FROM x_${this.id}`).values()[0]![0] as number;
  }

  /** Rows that share a key, group by group. */
  duplicates(): number[][] {
    const keys = this.statement(
      `SELECT key FROM x_${this.id} GROUP BY key HAVING count(*) > 1 ORDER BY key`,
    ).values() as [Uint8Array][];
    const rows = this.statement(`SELECT rid FROM x_${this.id} WHERE key = ? ORDER BY rid`);
    return keys.map(([key]) => (rows.values(key) as [number][]).map(([rid]) => rid));
  }

  private statement(sql: string): Statement {
    let statement = this.scans.get(sql);
    if (!statement) {
      statement = this.database.prepare(sql);
      this.scans.set(sql, statement);
    }
    return statement;
  }

  add(key: Uint8Array, rid: number): void {
    this.insertRow.run(key, rid);
  }

  remove(key: Uint8Array, rid: number): void {
    this.deleteRow.run(key, rid);
  }
}
