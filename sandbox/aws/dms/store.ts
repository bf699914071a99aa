/** DMS's resources in the stand-in's database. A change is on disk before the call returns. */
import type { Database } from "bun:sqlite";
import {
  type Certificate,
  defaultKnobs,
  type Endpoint,
  type Instance,
  type Knobs,
  type Progress,
  type SubnetGroup,
  type TableRow,
  type Task,
  type TestedConnection,
} from "./model.ts";

interface Kinds {
  endpoint: Endpoint;
  connection: TestedConnection;
  instance: Instance;
  subnetGroup: SubnetGroup;
  certificate: Certificate;
  task: Task;
  tags: Record<string, string>;
  progress: Progress;
  knobs: Partial<Knobs>;
}
export type Kind = keyof Kinds;

/** Errors of single changes that DMS logs and goes on after, as its table awsdms_apply_exceptions does. */
export interface ApplyException {
  readonly task: string;
  readonly table: string;
  readonly statement: string;
  readonly error: string;
  readonly at: number;
}

const MAX_EXCEPTIONS = 10_000;

export class Store {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
    db.run(
      "CREATE TABLE IF NOT EXISTS dms_resources (kind TEXT, key TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, key))",
    );
    db.run(
      "CREATE TABLE IF NOT EXISTS dms_tables (task TEXT, name TEXT, body TEXT NOT NULL, PRIMARY KEY (task, name))",
    );
    db.run(
      "CREATE TABLE IF NOT EXISTS dms_exceptions (number INTEGER PRIMARY KEY, task TEXT, tableName TEXT, statement TEXT, error TEXT, at INTEGER)",
    );
  }

  get<K extends Kind>(kind: K, key: string): Kinds[K] | undefined {
    const row = this.#db.query("SELECT body FROM dms_resources WHERE kind = ? AND key = ?").get(kind, key);
    return row === null ? undefined : (JSON.parse((row as { body: string }).body) as Kinds[K]);
  }

  /** All of a kind, in the order of their keys. */
  all<K extends Kind>(kind: K): Kinds[K][] {
    const rows = this.#db.query("SELECT body FROM dms_resources WHERE kind = ? ORDER BY key").all(kind);
    return (rows as { body: string }[]).map(({ body }) => JSON.parse(body) as Kinds[K]);
  }

  put<K extends Kind>(kind: K, key: string, body: Kinds[K]): void {
    this.#db
      .query("INSERT OR REPLACE INTO dms_resources VALUES (?, ?, ?)")
      .run(kind, key, JSON.stringify(body));
  }

  delete(kind: Kind, key: string): void {
    this.#db.query("DELETE FROM dms_resources WHERE kind = ? AND key = ?").run(kind, key);
  }

  /** Changes a task by what it is now; undefined when it is gone. */
  updateTask(arn: string, change: (task: Task) => void): Task | undefined {
    const task = this.get("task", arn);
    if (!task) return undefined;
    change(task);
    this.put("task", arn, task);
    return task;
  }

  tables(task: string): TableRow[] {
    const rows = this.#db.query("SELECT body FROM dms_tables WHERE task = ? ORDER BY name").all(task);
    return (rows as { body: string }[]).map(({ body }) => JSON.parse(body) as TableRow);
  }

  putTables(task: string, rows: readonly TableRow[]): void {
    const statement = this.#db.query("INSERT OR REPLACE INTO dms_tables VALUES (?, ?, ?)");
    this.transaction(() => {
      for (const row of rows) statement.run(task, `${row.schema}.${row.table}`, JSON.stringify(row));
    });
  }

  deleteTables(task: string): void {
    this.#db.query("DELETE FROM dms_tables WHERE task = ?").run(task);
  }

  addException(exception: ApplyException): void {
    const { task, table, statement, error, at } = exception;
    this.#db
      .query("INSERT INTO dms_exceptions (task, tableName, statement, error, at) VALUES (?, ?, ?, ?, ?)")
      .run(task, table, statement, error, at);
    this.#db
      .query("DELETE FROM dms_exceptions WHERE number <= (SELECT max(number) FROM dms_exceptions) - ?")
      .run(MAX_EXCEPTIONS);
  }

  exceptions(task?: string): ApplyException[] {
    return this.#db
      .query(
        'SELECT task, tableName AS "table", statement, error, at FROM dms_exceptions WHERE ?1 IS NULL OR task = ?1 ORDER BY number',
      )
      .all(task ?? null) as ApplyException[];
  }

  transaction(action: () => void): void {
    this.#db.transaction(action)();
  }

  knobs(task?: string): Knobs {
    const own = task === undefined ? {} : (this.get("knobs", task) ?? {});
    return { ...defaultKnobs, ...this.get("knobs", "*"), ...own };
  }
}
