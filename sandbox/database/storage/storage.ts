/** The stand-in's durable state: one SQLite file, one writer. Every command's changes are one transaction, committed before its reply. */
import type { Database, Statement } from "bun:sqlite";
import { BsonWriter } from "../wire/writer.ts";
import { Catalog, type FilterCompiler } from "./catalog.ts";
import { Conflicts } from "./conflicts.ts";
import { Oplog } from "./oplog.ts";
import type { OplogEntry } from "./oplog-entry.ts";
import { Meta, openDatabase } from "./schema.ts";
import { Clock, type Ts } from "./timestamp.ts";
import { WriteUnit } from "./write-unit.ts";

export interface StorageOptions {
  directory: string;
  oplogBytes: number;
  compileFilter: FilterCompiler;
}

export class Storage {
  readonly database: Database;
  readonly meta: Meta;
  readonly catalog: Catalog;
  readonly oplog: Oplog;
  readonly clock: Clock;
  readonly conflicts = new Conflicts();
  private readonly entries = new BsonWriter(65_536);
  private readonly beginStatement: Statement;
  private readonly commitStatement: Statement;
  private readonly rollbackStatement: Statement;
  private readonly preImage: Statement;
  private readonly listeners = new Set<() => void>();
  private open = false;
  /** Called after a commit that changed users or roles. */
  onPrincipalsChanged: () => void = () => undefined;

  constructor(options: StorageOptions) {
    this.database = openDatabase(options.directory);
    this.meta = new Meta(this.database);
    this.catalog = new Catalog(this.database, options.compileFilter);
    this.oplog = new Oplog(this.database, options.oplogBytes);
    this.clock = new Clock(Oplog.newest(this.database));
    this.beginStatement = this.database.prepare("BEGIN");
    this.commitStatement = this.database.prepare("COMMIT");
    this.rollbackStatement = this.database.prepare("ROLLBACK");
    this.preImage = this.database.prepare(
      "INSERT INTO preimages(ts, op, uuid, wall, document) VALUES(?, ?, ?, ?, ?)",
    );
  }

  /**
   * Runs `change` in one transaction and commits it. Synchronous on purpose: nothing else runs in between, so a
   * command's changes are atomic and isolated. When it throws, nothing of it remains.
   */
  write<T>(change: (unit: WriteUnit) => T): T {
    return this.run(change, true);
  }

  /** Runs `change`, gives its result, and undoes everything it did to the rows: a transaction's statement. */
  attempt<T>(change: (unit: WriteUnit) => T): T {
    return this.run(change, false);
  }

  private run<T>(change: (unit: WriteUnit) => T, keep: boolean): T {
    if (this.open) throw new Error("expected no write in progress: storage.write doesn't nest");
    this.open = true;
    const unit = new WriteUnit(this);
    const history = this.conflicts.now;
    let result: T;
    this.beginStatement.run();
    try {
      result = change(unit);
      if (keep) {
        this.oplog.flush(this.entries);
        this.commitStatement.run();
      } else this.undo(unit, history);
    } catch (error) {
      this.undo(unit, history);
      throw error;
    } finally {
      this.open = false;
    }
    if (keep) {
      unit.committed();
      this.oplog.committed();
      if (unit.wrote) for (const listener of this.listeners) listener();
    }
    return result;
  }

  private undo(unit: WriteUnit, history: number): void {
    if (this.database.inTransaction) this.rollbackStatement.run();
    unit.rolledBack();
    this.conflicts.forget(history);
    this.oplog.rolledBack(this.entries);
    if (unit.catalogChanged) this.catalog.reload();
  }

  append(entry: Omit<OplogEntry, "wall" | "term">): Ts {
    return this.oplog.append(this.entries, { ...entry, wall: Date.now(), term: this.oplog.term }, this.clock);
  }

  keepPreImage(ts: Ts, operation: number, uuid: Uint8Array, document: Uint8Array): void {
    this.preImage.run(ts, operation, uuid, Date.now(), document);
  }

  preImageOf(ts: Ts, operation: number): Uint8Array | undefined {
    const row = this.database
      .query("SELECT document FROM preimages WHERE ts = ? AND op = ?")
      .get(ts, operation) as {
      document: Uint8Array;
    } | null;
    return row?.document;
  }

  /** Calls `listener` after each commit that wrote something, until the returned function is called. */
  onCommit(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Lets go of the file. Statements still prepared would keep it locked. */
  close(): void {
    this.catalog.close();
    this.oplog.close();
    for (const statement of [
      this.beginStatement,
      this.commitStatement,
      this.rollbackStatement,
      this.preImage,
    ])
      statement.finalize();
    this.database.close();
  }
}
