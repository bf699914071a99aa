import type { Database, Statement } from "bun:sqlite";

/** One answered request. `bytes`: its payload, of the request where it has one, else of the answer. `status` 0: reset. */
export interface JournalEntry {
  readonly n: number;
  readonly time: string;
  readonly caller: string;
  readonly service: string;
  readonly operation: string;
  readonly key: string;
  readonly status: number;
  readonly bytes: number;
  readonly ms: number;
  /** Id of the fault that fired on it, or "". */
  readonly fault: string;
}

const entriesMax = 500_000;
const pruneEvery = 10_000;

/** Every request the stand-in answered, in the order of the answers; bounded, the oldest go first. */
export class Journal {
  private readonly insert: Statement;
  private next: number;

  constructor(private readonly db: Database) {
    db.run(`CREATE TABLE IF NOT EXISTS journal (n INTEGER PRIMARY KEY, time TEXT, caller TEXT, service TEXT,
      operation TEXT, key TEXT, status INTEGER, bytes INTEGER, ms REAL, fault TEXT)`);
    const last = db.query<{ n: number | null }, []>("SELECT max(n) AS n FROM journal").get();
    this.next = (last?.n ?? 0) + 1;
    this.insert = db.prepare("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  }

  add(entry: Omit<JournalEntry, "n">): void {
    const { time, caller, service, operation, key, status, bytes, ms, fault } = entry;
    this.insert.run(this.next, time, caller, service, operation, key, status, bytes, ms, fault);
    this.next += 1;
    if (this.next % pruneEvery === 0)
      this.db.run("DELETE FROM journal WHERE n < ?", [this.next - entriesMax]);
  }

  /** Entries numbered above `after`, oldest first. */
  after(after: number, limit: number): JournalEntry[] {
    return this.db
      .query<JournalEntry, [number, number]>("SELECT * FROM journal WHERE n > ? ORDER BY n LIMIT ?")
      .all(after, limit);
  }

  /** Empties it; numbering goes on, so a reader's `after` stays valid. */
  clear(): void {
    this.db.run("DELETE FROM journal");
  }
}
