/** The statistics of a task's tables: kept in memory while it runs, saved with each step. */
import type { TableRow } from "../model.ts";
import type { Store } from "../store.ts";
import type { Change } from "./changes.ts";

const counters = { insert: "inserts", update: "updates", delete: "deletes", drop: "ddls" } as const;
const appliedCounters = {
  insert: "appliedInserts",
  update: "appliedUpdates",
  delete: "appliedDeletes",
  drop: "appliedDdls",
} as const;

function newRow(schema: string, table: string): TableRow {
  return {
    schema,
    table,
    state: "Table completed",
    inserts: 0,
    updates: 0,
    deletes: 0,
    ddls: 0,
    appliedInserts: 0,
    appliedUpdates: 0,
    appliedDeletes: 0,
    appliedDdls: 0,
    fullLoadRows: 0,
    fullLoadReloaded: false,
    updatedAt: Date.now(),
  };
}

export class TableBook {
  readonly #rows = new Map<string, TableRow>();
  readonly #changed = new Set<TableRow>();

  constructor(
    readonly store: Store,
    readonly task: string,
  ) {
    for (const row of store.tables(task)) this.#rows.set(`${row.schema}.${row.table}`, row);
  }

  has(schema: string, table: string): boolean {
    return this.#rows.has(`${schema}.${table}`);
  }

  /** The row of a table, made when there is none: a collection new on the source, inside what the rules select. */
  row(schema: string, table: string): TableRow {
    const name = `${schema}.${table}`;
    const row = this.#rows.get(name) ?? newRow(schema, table);
    this.#rows.set(name, row);
    this.#changed.add(row);
    return row;
  }

  rows(): TableRow[] {
    for (const row of this.#rows.values()) this.#changed.add(row);
    return [...this.#rows.values()];
  }

  countRead(change: Change): void {
    const row = this.row(change.schema, change.table);
    if (row.state === "Table does not exist") row.state = "Table completed";
    row[counters[change.kind]]++;
  }

  countApplied(change: Change): void {
    this.row(change.schema, change.table)[appliedCounters[change.kind]]++;
  }

  /** What was read and not applied is read again later: it must not count twice. */
  forgetUnapplied(): void {
    for (const row of this.rows()) {
      row.inserts = row.appliedInserts;
      row.updates = row.appliedUpdates;
      row.deletes = row.appliedDeletes;
      row.ddls = row.appliedDdls;
    }
    this.save();
  }

  /** Writes the rows handed out since the last time, and `row`, which its holder has changed. */
  save(row?: TableRow): void {
    if (row) this.#changed.add(row);
    for (const each of this.#changed) each.updatedAt = Date.now();
    if (this.#changed.size === 0) return;
    this.store.putTables(this.task, [...this.#changed]);
    this.#changed.clear();
  }
}
