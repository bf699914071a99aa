/** The last commands, for tests that ask which requests a run made. Bounded: the oldest go. */

export interface JournalEntry {
  sequence: number;
  at: number;
  command: string;
  ns: string;
  user: string;
  appName: string;
  ms: number;
  code: number;
}

const CAPACITY = 200_000;
/** Monitors and keep-alives would drown the rest. */
const UNLISTED = new Set(["hello", "isMaster", "ismaster", "ping", "_sandbox"]);

export class Journal {
  private entries: JournalEntry[] = [];
  private sequence = 0;
  enabled = true;

  add(entry: Omit<JournalEntry, "sequence">): void {
    if (!this.enabled || UNLISTED.has(entry.command)) return;
    this.entries.push({ ...entry, sequence: ++this.sequence });
    if (this.entries.length > CAPACITY) this.entries = this.entries.slice(CAPACITY / 2);
  }

  /** Entries after sequence number `after`, oldest first. */
  read(after: number, limit: number): JournalEntry[] {
    const start = this.entries.findIndex((entry) => entry.sequence > after);
    return start < 0 ? [] : this.entries.slice(start, start + limit);
  }
}
