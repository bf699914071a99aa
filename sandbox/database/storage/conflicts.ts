/**
 * What open transactions must not step on: the documents each of them has written, and what others committed since
 * the oldest of them began. Kept in memory, and only while a transaction is open.
 */
import { ServerError } from "../engine/errors.ts";
import type { WriteRecord } from "./write-unit.ts";

/** More changes than this behind its back, and a transaction is too old to go on. */
const MOST_HISTORY = 100_000;

/** Someone who holds documents: a transaction. */
export interface Holder {
  /** Place in the history where its snapshot lies. */
  readonly since: number;
  /** Resolves when it ends, either way. */
  readonly ended: Promise<void>;
}

/** A write outside transactions met a document that a transaction holds: it waits for that one's end and runs again. */
export class HeldByTransaction extends Error {
  readonly holder: Holder;
  constructor(holder: Holder) {
    super("the document is held by an open transaction");
    this.holder = holder;
  }
}

export function writeConflict(): ServerError {
  return new ServerError(
    "WriteConflict",
    "Caused by :: Write conflict during plan execution and yielding is disabled. :: Please retry your operation or multi-document transaction.",
  );
}

function placeOf({ collection, key }: WriteRecord): string {
  return `${collection.place}:${Buffer.from(key.buffer, key.byteOffset, key.length).toString("latin1")}`;
}

export class Conflicts {
  private readonly holders = new Map<string, Holder>();
  private readonly open = new Set<Holder>();
  private history: WriteRecord[] = [];
  /** Number of history entries that are gone from the front. */
  private dropped = 0;
  /** Last place in the history by document. */
  private readonly changedAt = new Map<string, number>();

  /** The place a transaction that begins now has in the history. */
  get now(): number {
    return this.dropped + this.history.length;
  }

  begin(holder: Holder): void {
    this.open.add(holder);
  }

  end(holder: Holder): void {
    this.open.delete(holder);
    for (const [place, other] of this.holders) if (other === holder) this.holders.delete(place);
    if (this.open.size > 0) return;
    this.dropped = this.now;
    this.history = [];
    this.changedAt.clear();
  }

  /** Changes committed since `since`, oldest first. */
  changesSince(since: number): readonly WriteRecord[] {
    if (since < this.dropped)
      throw new ServerError("SnapshotTooOld", "too many changes since the transaction began");
    return this.history.slice(since - this.dropped);
  }

  /**
   * A transaction wants to write a document.
   * @throws ServerError WriteConflict when another holds it, or it changed since the snapshot
   */
  claim(holder: Holder, record: WriteRecord): void {
    const place = placeOf(record);
    const other = this.holders.get(place);
    if (other !== undefined && other !== holder) throw writeConflict();
    if ((this.changedAt.get(place) ?? -1) >= holder.since) throw writeConflict();
  }

  hold(holder: Holder, records: readonly WriteRecord[]): void {
    for (const record of records) this.holders.set(placeOf(record), holder);
  }

  /**
   * A change outside transactions, or the commit of one (`by`).
   * @throws HeldByTransaction
   */
  touched(record: WriteRecord, by?: Holder): void {
    if (this.open.size === 0) return;
    const place = placeOf(record);
    const holder = this.holders.get(place);
    if (holder !== undefined && holder !== by) throw new HeldByTransaction(holder);
    this.changedAt.set(place, this.now);
    this.history.push(record);
    if (this.history.length <= MOST_HISTORY) return;
    const excess = this.history.length - MOST_HISTORY / 2;
    this.history.splice(0, excess);
    this.dropped += excess;
  }

  /** Takes back what an undone transaction of the storage had noted. */
  forget(count: number): void {
    this.history.length = Math.max(0, count - this.dropped);
  }
}
