/** Reads a collection by a plan, a bounded piece at a time, so that it can stop between pieces and go on later. */
import { ServerError } from "../engine/errors.ts";
import type { Collection, Row } from "../storage/collection.ts";
import type { Index } from "../storage/index.ts";
import type { KeyRange, Plan } from "./plan.ts";

const PIECE_ROWS = 1000;
const PIECE_BYTES = 1_048_576;
const NOTHING = new Uint8Array(0);
const BEYOND = Uint8Array.from({ length: 64 }, () => 255);

/** Gives rows one by one; undefined when there are no more (now: a scan in insertion order finds later rows). */
export interface Scan {
  next(): Row | undefined;
  readonly done: boolean;
  /** Rows and keys looked at, for explain. */
  examined: number;
}

function takePiece(rows: IterableIterator<Row>): Row[] {
  const piece: Row[] = [];
  let bytes = 0;
  for (const row of rows) {
    piece.push(row);
    bytes += row.document.length;
    if (piece.length >= PIECE_ROWS || bytes >= PIECE_BYTES) break;
  }
  return piece;
}

abstract class PieceScan implements Scan {
  protected readonly collection: Collection;
  private piece: Row[] = [];
  private position = 0;
  protected finished = false;
  examined = 0;

  constructor(collection: Collection) {
    this.collection = collection;
  }

  protected abstract read(): Row[];

  get done(): boolean {
    return this.finished && this.position >= this.piece.length;
  }

  next(): Row | undefined {
    if (this.position >= this.piece.length) {
      if (this.finished) return undefined;
      if (this.collection.dropped) throw new ServerError("QueryPlanKilled", "collection dropped");
      this.piece = this.read();
      this.position = 0;
      if (this.piece.length === 0) return undefined;
    }
    this.examined++;
    return this.piece[this.position++];
  }
}

/** In insertion order; with `tail` it never ends, and finds what is inserted behind it. */
class RowScan extends PieceScan {
  private at: number;
  private readonly backward: boolean;
  private readonly tail: boolean;

  constructor(collection: Collection, backward: boolean, tail: boolean) {
    super(collection);
    this.backward = backward;
    this.tail = tail;
    this.at = backward ? Number.MAX_SAFE_INTEGER : -1;
  }

  /** A tailing reader whose last document was evicted can't know what it missed. */
  private checkPosition(): void {
    if (!this.tail || this.at < 0 || this.collection.byRid(this.at)) return;
    throw new ServerError(
      "CappedPositionLost",
      `CollectionScan died due to position in capped collection being deleted. Last seen record id: RecordId(${this.at})`,
    );
  }

  protected read(): Row[] {
    this.checkPosition();
    const sql = this.backward
      ? "SELECT rid, key, document FROM $ WHERE rid < ? ORDER BY rid DESC"
      : "SELECT rid, key, document FROM $ WHERE rid > ? ORDER BY rid";
    const piece = takePiece(this.collection.statement(sql).iterate(this.at) as IterableIterator<Row>);
    if (piece.length === 0) this.finished = !this.tail;
    else this.at = piece.at(-1)!.rid;
    return piece;
  }
}

/** In the order of `_id`, within ranges. */
class IdScan extends PieceScan {
  private readonly ranges: KeyRange[];
  private readonly backward: boolean;
  private range = 0;
  private last: Uint8Array | undefined;

  constructor(collection: Collection, ranges: KeyRange[], backward: boolean) {
    super(collection);
    this.ranges = ranges;
    this.backward = backward;
  }

  protected read(): Row[] {
    while (this.range < this.ranges.length) {
      const { low, high } = this.ranges[this.range]!;
      const piece = takePiece(this.rows(low, high));
      if (piece.length > 0) {
        this.last = piece.at(-1)!.key;
        return piece;
      }
      this.range++;
      this.last = undefined;
    }
    this.finished = true;
    return [];
  }

  private rows(low: Uint8Array | undefined, high: Uint8Array | undefined): IterableIterator<Row> {
    const from = low ?? NOTHING;
    const to = high ?? BEYOND;
    const columns = "SELECT rid, key, document FROM $ WHERE";
    if (this.backward) {
      const sql = `${columns} key >= ? AND key < ? ORDER BY key DESC`;
      return this.collection.statement(sql).iterate(from, this.last ?? to) as IterableIterator<Row>;
    }
    const sql = this.last
      ? `${columns} key > ? AND key < ? ORDER BY key`
      : `${columns} key >= ? AND key < ? ORDER BY key`;
    return this.collection.statement(sql).iterate(this.last ?? from, to) as IterableIterator<Row>;
  }
}

/** By a secondary index: pairs of key and row number first, documents one by one. */
class IndexScan implements Scan {
  private readonly collection: Collection;
  private readonly index: Index;
  private readonly ranges: KeyRange[];
  private readonly backward: boolean;
  private readonly seen: Set<number> | undefined;
  private range = 0;
  private pairs: [Uint8Array, number][] = [];
  private position = 0;
  private last: [Uint8Array, number] | undefined;
  private finished = false;
  examined = 0;

  constructor(collection: Collection, index: Index, ranges: KeyRange[], backward: boolean, once: boolean) {
    this.collection = collection;
    this.index = index;
    this.ranges = ranges;
    this.backward = backward;
    this.seen = once || index.multikey || ranges.length > 1 ? new Set() : undefined;
  }

  get done(): boolean {
    return this.finished;
  }

  next(): Row | undefined {
    while (!this.finished) {
      if (this.position >= this.pairs.length && !this.readPairs()) return undefined;
      const [, rid] = this.pairs[this.position++]!;
      if (this.seen?.has(rid)) continue;
      this.seen?.add(rid);
      this.examined++;
      const row = this.collection.byRid(rid);
      if (row) return row;
    }
    return undefined;
  }

  private readPairs(): boolean {
    if (this.collection.dropped) throw new ServerError("QueryPlanKilled", "collection dropped");
    while (this.range < this.ranges.length) {
      const { low, high } = this.ranges[this.range]!;
      this.pairs = this.index.pairs(low ?? NOTHING, high ?? BEYOND, this.last, this.backward, PIECE_ROWS);
      this.position = 0;
      if (this.pairs.length > 0) {
        this.last = this.pairs.at(-1)!;
        return true;
      }
      this.range++;
      this.last = undefined;
    }
    this.finished = true;
    return false;
  }
}

export interface ScanOptions {
  /** Never ends: later rows are found by later calls. */
  tail?: boolean;
  /** Gives no row twice, also when the reader changes it on the way. */
  once?: boolean;
}

/** Opens the scan a plan describes. */
export function openScan(collection: Collection, plan: Plan, options: ScanOptions = {}): Scan {
  if (plan.index === undefined) return new RowScan(collection, plan.backward, options.tail ?? false);
  if (plan.index === "id") return new IdScan(collection, plan.ranges, plan.backward);
  return new IndexScan(collection, plan.index, plan.ranges, plan.backward, options.once ?? false);
}
