/** `local.oplog.rs` read as a collection: entries straight from the chunks, by time, also tailing. */
import { decode } from "../engine/codec.ts";
import { filterBounds, type Predicate } from "../engine/match/index.ts";
import { type Document, Timestamp, type Value } from "../engine/value.ts";
import type { Chunk } from "../storage/oplog.ts";
import { MARK_WORDS, Mark } from "../storage/oplog-entry.ts";
import type { Storage } from "../storage/storage.ts";
import { packTs, type Ts } from "../storage/timestamp.ts";
import type { DocumentSource } from "./cursor.ts";

const TURN_MS = 15;
const READ_BYTES = 4_194_304;

function timeOf(value: Value, otherwise: Ts): Ts {
  return value instanceof Timestamp
    ? packTs(value.high >>> 0, Math.min(value.low >>> 0, 4_194_303))
    : otherwise;
}

/** The times a filter on `ts` allows, both inclusive; a superset, the filter is still applied. */
export function oplogBounds(filter: Document): { from: Ts; to: Ts } {
  const open = { from: 0, to: Number.MAX_SAFE_INTEGER };
  const [intervals] = filterBounds(filter, ["ts"], { multikey: false });
  if (!intervals || intervals.length === 0) return open;
  return { from: timeOf(intervals[0]!.low, 0), to: timeOf(intervals.at(-1)!.high, Number.MAX_SAFE_INTEGER) };
}

export class OplogSource implements DocumentSource {
  private readonly storage: Storage;
  private readonly matches: Predicate | undefined;
  private readonly to: Ts;
  private readonly tail: boolean;
  private position: Ts;
  private chunks: Chunk[] = [];
  private chunk = 0;
  private entry = 0;
  private finished = false;
  idle = true;

  constructor(storage: Storage, bounds: { from: Ts; to: Ts }, matches: Predicate | undefined, tail: boolean) {
    this.storage = storage;
    this.matches = matches;
    this.position = bounds.from;
    this.to = bounds.to;
    this.tail = tail;
  }

  get exhausted(): boolean {
    return this.finished;
  }

  next(): Uint8Array | undefined {
    const until = performance.now() + TURN_MS;
    for (let count = 1; !this.finished; count++) {
      const found = this.step();
      this.idle = found === undefined;
      if (found === undefined) {
        if (!this.tail) this.finished = true;
        return undefined;
      }
      if (!this.matches || this.matches(decode(found))) return found;
      if ((count & 63) === 0 && performance.now() > until) return undefined;
    }
    return undefined;
  }

  private step(): Uint8Array | undefined {
    for (;;) {
      const chunk = this.chunks[this.chunk];
      if (!chunk) {
        this.chunks = this.storage.oplog.chunksFrom(this.position, READ_BYTES);
        this.chunk = 0;
        this.entry = 0;
        if (this.chunks.length === 0) return undefined;
        continue;
      }
      const { marks } = chunk;
      while (this.entry < marks.length) {
        const at = this.entry;
        this.entry += MARK_WORDS;
        const ts = packTs(marks[at + Mark.Seconds]!, marks[at + Mark.Increment]!);
        if (ts < this.position) continue;
        if (ts > this.to) {
          this.finished = true;
          return undefined;
        }
        this.position = ts + 1;
        return chunk.bytes.subarray(marks[at]!, marks[at]! + marks[at + Mark.Length]!);
      }
      this.chunk++;
      this.entry = 0;
      if (this.chunk >= this.chunks.length) this.position = Math.max(this.position, chunk.last + 1);
    }
  }

  wait(): { promise: Promise<void>; cancel: () => void } {
    return waitForCommit(this.storage);
  }

  close(): void {
    this.finished = true;
    this.chunks = [];
  }
}

/** Newest first: what `sort({$natural: -1})` asks of the oplog. */
export class OplogBackwardSource implements DocumentSource {
  private readonly storage: Storage;
  private readonly matches: Predicate | undefined;
  private before: Ts = Number.MAX_SAFE_INTEGER;
  private entries: Uint8Array[] = [];
  private finished = false;

  constructor(storage: Storage, matches: Predicate | undefined) {
    this.storage = storage;
    this.matches = matches;
  }

  get exhausted(): boolean {
    return this.finished && this.entries.length === 0;
  }

  next(): Uint8Array | undefined {
    const until = performance.now() + TURN_MS;
    for (let count = 1; ; count++) {
      const entry = this.entries.pop() ?? this.refill();
      if (!entry) return undefined;
      if (!this.matches || this.matches(decode(entry))) return entry;
      if ((count & 63) === 0 && performance.now() > until) return undefined;
    }
  }

  private refill(): Uint8Array | undefined {
    const chunk = this.storage.oplog.chunkBefore(this.before);
    if (!chunk) {
      this.finished = true;
      return undefined;
    }
    this.before = chunk.first;
    for (let at = 0; at < chunk.marks.length; at += MARK_WORDS) {
      const offset = chunk.marks[at]!;
      this.entries.push(chunk.bytes.subarray(offset, offset + chunk.marks[at + Mark.Length]!));
    }
    return this.entries.pop();
  }

  close(): void {
    this.finished = true;
    this.entries = [];
  }
}

/** Resolves at the next commit. */
export function waitForCommit(storage: Storage): { promise: Promise<void>; cancel: () => void } {
  let cancel = (): void => undefined;
  const promise = new Promise<void>((resolve) => {
    const remove = storage.onCommit(() => {
      remove();
      resolve();
    });
    cancel = () => {
      remove();
      resolve();
    };
  });
  return { promise, cancel };
}
