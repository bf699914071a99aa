/** The SQLite file: settings and fixed tables. Collections and indexes get tables of their own (`c_<id>`, `x_<id>`). */
import { Database } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

const TABLES = [
  "CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID",
  // One row a collection or view; `options` and `spec` are BSON as the client gave them.
  "CREATE TABLE IF NOT EXISTS collections(id INTEGER PRIMARY KEY AUTOINCREMENT, ns TEXT UNIQUE NOT NULL, uuid BLOB, type TEXT NOT NULL, options BLOB NOT NULL)",
  "CREATE TABLE IF NOT EXISTS indexes(id INTEGER PRIMARY KEY AUTOINCREMENT, collection INTEGER NOT NULL, name TEXT NOT NULL, spec BLOB NOT NULL, multikey INTEGER NOT NULL DEFAULT 0)",
  // Numbers for namespaces that ever stood in the oplog: the marks of a chunk name them.
  "CREATE TABLE IF NOT EXISTS namespaces(id INTEGER PRIMARY KEY, ns TEXT UNIQUE NOT NULL)",
  // One row a commit: entries of the oplog, concatenated, and where each part of them lies (see oplog.ts).
  "CREATE TABLE IF NOT EXISTS oplog(first INTEGER PRIMARY KEY, last INTEGER NOT NULL, bytes BLOB NOT NULL, marks BLOB NOT NULL)",
  "CREATE TABLE IF NOT EXISTS preimages(ts INTEGER NOT NULL, op INTEGER NOT NULL, uuid BLOB NOT NULL, wall INTEGER NOT NULL, document BLOB NOT NULL, PRIMARY KEY(ts, op))",
  // Retryable writes and transactions: what a session's newest transaction number did.
  "CREATE TABLE IF NOT EXISTS transactions(session BLOB PRIMARY KEY, number INTEGER NOT NULL, state TEXT NOT NULL, wall INTEGER NOT NULL, ts INTEGER NOT NULL) WITHOUT ROWID",
  "CREATE TABLE IF NOT EXISTS statements(session BLOB NOT NULL, statement INTEGER NOT NULL, number INTEGER NOT NULL, result BLOB NOT NULL, PRIMARY KEY(session, statement)) WITHOUT ROWID",
];

/**
 * Opens or creates the database file in `directory`. WAL with `synchronous=NORMAL`: a commit is in the operating
 * system's hands when it returns, so kill -9 of this process loses nothing; losing power is outside a stand-in's job.
 */
export function openDatabase(directory: string): Database {
  mkdirSync(directory, { recursive: true });
  const database = new Database(join(directory, "data.sqlite"));
  database.run("PRAGMA journal_mode = WAL");
  database.run("PRAGMA synchronous = NORMAL");
  database.run("PRAGMA cache_size = -65536");
  database.run("PRAGMA wal_autocheckpoint = 4000");
  database.run("PRAGMA journal_size_limit = 67108864");
  // A second process on the same folder would corrupt the in-memory catalog: the first one keeps the lock.
  database.run("PRAGMA locking_mode = EXCLUSIVE");
  database.run("BEGIN EXCLUSIVE");
  for (const table of TABLES) database.run(table);
  database.run("COMMIT");
  return database;
}

/** Small durable settings by name: text or bytes. */
export class Meta {
  private readonly database: Database;
  constructor(database: Database) {
    this.database = database;
  }

  text(name: string): string | undefined {
    const row = this.database.query("SELECT value FROM meta WHERE name = ?").get(name) as {
      value: string;
    } | null;
    return row?.value;
  }

  set(name: string, value: string): void {
    this.database.query("INSERT OR REPLACE INTO meta(name, value) VALUES(?, ?)").run(name, value);
  }
}
