/** Sources of documents for cursors: a collection by a plan, a list, a sorted result. */
import { decode } from "../engine/codec.ts";
import { ServerError } from "../engine/errors.ts";
import type { Predicate } from "../engine/match/index.ts";
import type { Sorter } from "../engine/sort.ts";
import type { Document, Value } from "../engine/value.ts";
import type { Scan } from "../query/scan.ts";
import type { Row } from "../storage/collection.ts";
import type { DocumentSource } from "./cursor.ts";

/** How long a filter that passes nothing may keep the process to itself. */
const TURN_MS = 15;

export class ListSource implements DocumentSource {
  private readonly documents: readonly Uint8Array[];
  private position = 0;
  constructor(documents: readonly Uint8Array[]) {
    this.documents = documents;
  }
  get exhausted(): boolean {
    return this.position >= this.documents.length;
  }
  next(): Uint8Array | undefined {
    return this.documents[this.position++];
  }
  close(): void {
    this.position = this.documents.length;
  }
}

/** Rows of a scan that match; the bytes as they are stored. Without a predicate nothing is decoded. */
export class ScanSource implements DocumentSource {
  private readonly scan: Scan;
  private readonly matches: Predicate | undefined;
  private readonly tailWait: (() => { promise: Promise<void>; cancel: () => void }) | undefined;
  private readonly shape: ((row: Row) => Uint8Array) | undefined;
  private closed = false;
  idle = true;

  constructor(
    scan: Scan,
    matches: Predicate | undefined,
    tailWait?: () => { promise: Promise<void>; cancel: () => void },
    shape?: (row: Row) => Uint8Array,
  ) {
    this.scan = scan;
    this.matches = matches;
    this.tailWait = tailWait;
    this.shape = shape;
  }

  get exhausted(): boolean {
    return this.closed || this.scan.done;
  }

  wait(): { promise: Promise<void>; cancel: () => void } {
    return this.tailWait?.() ?? { promise: new Promise(() => undefined), cancel: () => undefined };
  }

  next(): Uint8Array | undefined {
    const row = this.nextRow();
    return row && this.shape ? this.shape(row) : row?.document;
  }

  private nextRow(): Row | undefined {
    if (this.closed) return undefined;
    const { matches } = this;
    if (!matches) return this.scan.next();
    const until = performance.now() + TURN_MS;
    for (let count = 1; ; count++) {
      const row = this.scan.next();
      this.idle = !row;
      if (!row || matches(decode(row.document))) return row;
      if ((count & 63) === 0 && performance.now() > until) return undefined;
    }
  }

  close(): void {
    this.closed = true;
  }
}

/** Skips and limits another source. */
export class SliceSource implements DocumentSource {
  private readonly source: DocumentSource;
  private skip: number;
  private left: number;

  constructor(source: DocumentSource, skip: number, limit: number) {
    this.source = source;
    this.skip = skip;
    this.left = limit === 0 ? Number.POSITIVE_INFINITY : limit;
  }

  get exhausted(): boolean {
    return this.left <= 0 || this.source.exhausted;
  }

  get idle(): boolean {
    return this.source.idle ?? true;
  }

  next(): Uint8Array | undefined {
    if (this.left <= 0) return undefined;
    const until = performance.now() + TURN_MS;
    for (let count = 1; ; count++) {
      const document = this.source.next();
      if (document === undefined) return undefined;
      if (this.skip > 0) {
        this.skip--;
        if ((count & 63) === 0 && performance.now() > until) return undefined;
        continue;
      }
      this.left--;
      return document;
    }
  }

  wait(): { promise: Promise<void>; cancel: () => void } {
    return this.source.wait?.() ?? { promise: new Promise(() => undefined), cancel: () => undefined };
  }

  close(): void {
    this.source.close();
  }
}

/** Reads everything first, gives it sorted. Keeps only the first `keep` when that is enough. */
export class SortSource implements DocumentSource {
  private readonly source: DocumentSource;
  private readonly sorter: Sorter;
  private readonly keep: number;
  private found: { bytes: Uint8Array; key: Value[]; order: number }[] = [];
  private sorted = false;
  private position = 0;

  constructor(source: DocumentSource, sorter: Sorter, keep: number) {
    this.source = source;
    this.sorter = sorter;
    this.keep = keep;
  }

  get exhausted(): boolean {
    return this.sorted && this.position >= this.found.length;
  }

  next(): Uint8Array | undefined {
    if (!this.sorted && !this.gather()) return undefined;
    const next = this.found[this.position];
    if (next === undefined) return undefined;
    this.found[this.position++] = EMPTY;
    return next.bytes;
  }

  private gather(): boolean {
    const until = performance.now() + TURN_MS;
    for (let count = 1; !this.source.exhausted; count++) {
      const bytes = this.source.next();
      if (bytes === undefined) {
        if (this.source.exhausted) break;
        return false;
      }
      this.found.push({ bytes, key: this.sorter.key(decode(bytes)), order: this.found.length });
      if (this.found.length > this.keep * 2 + 1000) this.prune();
      if ((count & 63) === 0 && performance.now() > until) return false;
    }
    this.prune();
    this.sorted = true;
    return true;
  }

  private prune(): void {
    this.found.sort((a, b) => this.sorter.compareKeys(a.key, b.key) || a.order - b.order);
    if (this.found.length > this.keep) this.found.length = this.keep;
    for (const [order, entry] of this.found.entries()) entry.order = order;
  }

  close(): void {
    this.source.close();
    this.found = [];
    this.sorted = true;
  }
}

const EMPTY = { bytes: new Uint8Array(0), key: [], order: 0 };

/** Changes each document: projections. */
export class MapSource implements DocumentSource {
  private readonly source: DocumentSource;
  private readonly change: (document: Document) => Uint8Array;

  constructor(source: DocumentSource, change: (document: Document) => Uint8Array) {
    this.source = source;
    this.change = change;
  }

  get exhausted(): boolean {
    return this.source.exhausted;
  }

  get idle(): boolean {
    return this.source.idle ?? true;
  }

  next(): Uint8Array | undefined {
    const bytes = this.source.next();
    return bytes && this.change(decode(bytes));
  }

  wait(): { promise: Promise<void>; cancel: () => void } {
    return this.source.wait?.() ?? { promise: new Promise(() => undefined), cancel: () => undefined };
  }

  close(): void {
    this.source.close();
  }
}

/** A transaction's result is held in memory, up to this many bytes. */
const MOST_HELD_BYTES = 268_435_456;

/**
 * Reads a source to its end at once.
 * @throws ServerError ExceededMemoryLimit
 */
export function takeAll(source: DocumentSource): ListSource {
  const documents: Uint8Array[] = [];
  let bytes = 0;
  while (!source.exhausted) {
    const document = source.next();
    if (document === undefined) continue;
    bytes += document.length;
    if (bytes > MOST_HELD_BYTES)
      throw new ServerError(
        "ExceededMemoryLimit",
        `the result of a transaction's read exceeds ${MOST_HELD_BYTES} bytes`,
      );
    documents.push(document);
  }
  source.close();
  return new ListSource(documents);
}
