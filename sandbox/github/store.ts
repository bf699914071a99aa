import type { Database } from "bun:sqlite";

export type Fields = Readonly<Record<string, unknown>>;

/**
 * Everything the stand-in knows, as documents of a kind in a scope (a repository, or a part of one), in the order in
 * which they were made. What was acknowledged is in sqlite, so a killed stand-in comes back with it.
 */
export class Store {
  constructor(private readonly db: Database) {
    db.run(`CREATE TABLE IF NOT EXISTS documents (n INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL,
      scope TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (kind, scope, key))`);
    db.run("CREATE TABLE IF NOT EXISTS numbers (name TEXT PRIMARY KEY, value INTEGER NOT NULL)");
  }

  get(kind: string, scope: string, key: string): Fields | undefined {
    const row = this.db
      .query<{ body: string }, [string, string, string]>(
        "SELECT body FROM documents WHERE kind = ? AND scope = ? AND key = ?",
      )
      .get(kind, scope, key);
    return row ? (JSON.parse(row.body) as Fields) : undefined;
  }

  list(kind: string, scope: string): Fields[] {
    return this.db
      .query<{ body: string }, [string, string]>(
        "SELECT body FROM documents WHERE kind = ? AND scope = ? ORDER BY n",
      )
      .all(kind, scope)
      .map(({ body }) => JSON.parse(body) as Fields);
  }

  put(kind: string, scope: string, key: string, body: Fields): Fields {
    this.db
      .query(
        `INSERT INTO documents (kind, scope, key, body) VALUES (?, ?, ?, ?)
         ON CONFLICT (kind, scope, key) DO UPDATE SET body = excluded.body`,
      )
      .run(kind, scope, key, JSON.stringify(body));
    return body;
  }

  remove(kind: string, scope: string, key: string): boolean {
    return (
      this.db.query("DELETE FROM documents WHERE kind = ? AND scope = ? AND key = ?").run(kind, scope, key)
        .changes > 0
    );
  }

  /** The next number of a row of numbers: ids are unique everywhere, issues and pull requests share theirs. */
  next(name: string): number {
    const row = this.db
      .query<{ value: number }, [string]>(
        `INSERT INTO numbers (name, value) VALUES (?, 1)
         ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value`,
      )
      .get(name);
    return row!.value;
  }
}
