/**
 * The oplog: entries of one commit lie concatenated in one row ("chunk") with their marks, so that writing costs one
 * insert a batch and a change stream reads a whole batch with one look-up. Capped by bytes: the oldest chunks go.
 */
import type { Database, Statement } from "bun:sqlite";
import type { BsonWriter } from "../wire/writer.ts";
import { MARK_WORDS, Mark, type OplogEntry, writeEntry } from "./oplog-entry.ts";
import { type Clock, packTs, type Ts } from "./timestamp.ts";

export interface Chunk {
  first: Ts;
  last: Ts;
  bytes: Uint8Array;
  marks: Uint32Array;
}

interface StoredChunk {
  first: number;
  last: number;
  bytes: Uint8Array;
  marks: Uint8Array;
}

function chunkOf(row: StoredChunk): Chunk {
  const aligned = row.marks.byteOffset % 4 === 0 ? row.marks : new Uint8Array(row.marks);
  const marks = new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4);
  return { first: row.first, last: row.last, bytes: row.bytes, marks };
}

const CHUNK_BYTES = 1_048_576;
const RECENT_BYTES = 16_777_216;
const RECENT_CHUNKS = 4096;

export class Oplog {
  private readonly insert: Statement;
  private readonly select: Statement;
  private readonly before: Statement;
  private readonly namespaceNumbers = new Map<string, number>();
  private readonly namespaceNames: string[] = [];
  private readonly database: Database;
  private recent: Chunk[] = [];
  private recentBytes = 0;
  private pending: Chunk[] = [];
  private marks: number[] = [];
  private totalBytes: number;
  private firstTs: Ts;
  private trimmed: boolean;
  term = 1;
  maxBytes: number;

  constructor(database: Database, maxBytes: number) {
    this.database = database;
    this.maxBytes = maxBytes;
    this.insert = database.prepare("INSERT INTO oplog(first, last, bytes, marks) VALUES(?, ?, ?, ?)");
    this.select = database.prepare(
      "SELECT first, last, bytes, marks FROM oplog WHERE first >= ? ORDER BY first LIMIT ?",
    );
    this.before = database.prepare(
      "SELECT first, last FROM oplog WHERE first <= ? ORDER BY first DESC LIMIT 1",
    );
    for (const row of database.query("SELECT id, ns FROM namespaces").all() as { id: number; ns: string }[]) {
      this.namespaceNumbers.set(row.ns, row.id);
      this.namespaceNames[row.id] = row.ns;
    }
    const sizes = database
      .query("SELECT sum(length(bytes)) AS bytes, min(first) AS first FROM oplog")
      .get() as {
      bytes: number | null;
      first: number | null;
    };
    this.totalBytes = sizes.bytes ?? 0;
    this.firstTs = sizes.first ?? 0;
    this.trimmed = database.query("SELECT 1 FROM meta WHERE name = 'oplogTrimmed'").get() !== null;
  }

  close(): void {
    for (const statement of [this.insert, this.select, this.before]) statement.finalize();
  }

  /** Timestamp of the oldest entry still there; 0 when there is none. */
  get oldest(): Ts {
    return this.firstTs;
  }

  /** True when entries at or after `ts` may have been dropped already. */
  isLost(ts: Ts): boolean {
    return this.trimmed && ts < this.firstTs;
  }

  /** Number of entries. */
  count(): number {
    const row = this.database.query("SELECT coalesce(sum(length(marks)), 0) AS bytes FROM oplog").get() as {
      bytes: number;
    };
    return row.bytes / (MARK_WORDS * 4);
  }

  get bytes(): number {
    return this.totalBytes;
  }

  static newest(database: Database): Ts {
    const row = database.query("SELECT max(last) AS last FROM oplog").get() as { last: number | null };
    return row.last ?? 0;
  }

  namespaceOf(number: number): string {
    return this.namespaceNames[number]!;
  }

  private numberOf(ns: string): number {
    const known = this.namespaceNumbers.get(ns);
    if (known !== undefined) return known;
    const number = this.namespaceNames.length === 0 ? 1 : this.namespaceNames.length;
    this.database.query("INSERT INTO namespaces(id, ns) VALUES(?, ?)").run(number, ns);
    this.namespaceNumbers.set(ns, number);
    this.namespaceNames[number] = ns;
    return number;
  }

  /** Appends inside the caller's SQLite transaction; gives the entry's timestamp. */
  append(writer: BsonWriter, entry: OplogEntry, clock: Clock): Ts {
    const ts = clock.next();
    writeEntry(writer, this.marks, entry, ts, this.numberOf(entry.ns));
    if (writer.length >= CHUNK_BYTES) this.flush(writer);
    return ts;
  }

  /** Writes the entries gathered since the last flush as one chunk. */
  flush(writer: BsonWriter): void {
    if (this.marks.length === 0) return;
    const marks = Uint32Array.from(this.marks);
    const bytes = new Uint8Array(writer.bytes());
    const end = marks.length - MARK_WORDS;
    const first = packTs(marks[Mark.Seconds]!, marks[Mark.Increment]!);
    const last = packTs(marks[end + Mark.Seconds]!, marks[end + Mark.Increment]!);
    this.insert.run(first, last, bytes, new Uint8Array(marks.buffer));
    this.pending.push({ first, last, bytes, marks });
    this.marks = [];
    writer.reset();
  }

  /** Makes the chunks of a commit visible to readers and drops what the size limit no longer allows. */
  committed(): void {
    for (const chunk of this.pending) {
      this.recent.push(chunk);
      this.recentBytes += chunk.bytes.length;
      this.totalBytes += chunk.bytes.length;
      if (this.firstTs === 0) this.firstTs = chunk.first;
    }
    this.pending = [];
    if (this.recentBytes > RECENT_BYTES || this.recent.length > RECENT_CHUNKS) this.shrinkRecent();
    if (this.totalBytes > this.maxBytes) this.trim();
  }

  rolledBack(writer: BsonWriter): void {
    this.pending = [];
    this.marks = [];
    writer.reset();
    // Numbers given out in the transaction are gone from the table with it.
    this.namespaceNumbers.clear();
    this.namespaceNames.length = 0;
    for (const row of this.database.query("SELECT id, ns FROM namespaces").all() as {
      id: number;
      ns: string;
    }[]) {
      this.namespaceNumbers.set(row.ns, row.id);
      this.namespaceNames[row.id] = row.ns;
    }
  }

  private shrinkRecent(): void {
    let drop = 0;
    while (this.recentBytes > RECENT_BYTES / 2 && drop < this.recent.length - 1) {
      this.recentBytes -= this.recent[drop++]!.bytes.length;
    }
    if (this.recent.length - drop > RECENT_CHUNKS / 2) {
      const more = this.recent.length - drop - RECENT_CHUNKS / 2;
      for (let index = 0; index < more; index++) this.recentBytes -= this.recent[drop++]!.bytes.length;
    }
    this.recent.splice(0, drop);
  }

  private trim(): void {
    const target = this.maxBytes * 0.95;
    const rows = this.database
      .query("SELECT first, length(bytes) AS size FROM oplog ORDER BY first")
      .iterate();
    let upTo = 0;
    for (const row of rows as IterableIterator<{ first: number; size: number }>) {
      if (this.totalBytes <= target) break;
      this.totalBytes -= row.size;
      upTo = row.first;
    }
    this.dropThrough(upTo);
  }

  /** Drops every chunk that begins at or before `ts`, as the size limit does; also a fault a test can ask for. */
  dropThrough(ts: Ts): void {
    this.database.query("DELETE FROM oplog WHERE first <= ?").run(ts);
    const rest = this.database
      .query("SELECT min(first) AS first, sum(length(bytes)) AS bytes FROM oplog")
      .get() as {
      first: number | null;
      bytes: number | null;
    };
    this.trimmed = true;
    this.database.run("INSERT OR REPLACE INTO meta(name, value) VALUES('oplogTrimmed', '1')");
    this.firstTs = rest.first ?? ts + 1;
    this.totalBytes = rest.bytes ?? 0;
    this.recent = this.recent.filter((chunk) => chunk.first > ts);
    this.recentBytes = this.recent.reduce((sum, chunk) => sum + chunk.bytes.length, 0);
  }

  /** The chunk holding the first entry at or after `ts`, and those behind it, oldest first, up to about `maxBytes`. */
  chunksFrom(ts: Ts, maxBytes: number): Chunk[] {
    if (this.recent.length > 0 && this.recent[0]!.first <= ts) return this.fromRecent(ts, maxBytes);
    const row = this.before.get(ts) as { first: number; last: number } | null;
    const start = row !== null && row.last >= ts ? row.first : ts;
    const chunks: Chunk[] = [];
    let bytes = 0;
    for (const found of this.select.iterate(start, 10_000) as IterableIterator<StoredChunk>) {
      chunks.push(chunkOf(found));
      bytes += found.bytes.length;
      if (bytes >= maxBytes) break;
    }
    return chunks;
  }

  /** The newest chunk that begins before `ts`. */
  chunkBefore(ts: Ts): Chunk | undefined {
    const row = this.database
      .query("SELECT first, last, bytes, marks FROM oplog WHERE first < ? ORDER BY first DESC LIMIT 1")
      .get(ts) as StoredChunk | null;
    return row ? chunkOf(row) : undefined;
  }

  private fromRecent(ts: Ts, maxBytes: number): Chunk[] {
    let low = 0;
    let high = this.recent.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.recent[middle]!.last < ts) low = middle + 1;
      else high = middle;
    }
    const chunks: Chunk[] = [];
    for (let bytes = 0; low < this.recent.length && bytes < maxBytes; low++) {
      chunks.push(this.recent[low]!);
      bytes += this.recent[low]!.bytes.length;
    }
    return chunks;
  }
}
