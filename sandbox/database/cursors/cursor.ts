/** A cursor: a source of documents as bytes, who opened it, and what its next batch may hold. */
import type { ServerError } from "../engine/errors.ts";
import type { Document, Timestamp } from "../engine/value.ts";
import type { Session } from "../server/sessions.ts";

/** Largest reply batch in bytes; a first document larger than that is still given. */
const BATCH_BYTES = 16_777_216;
export const FIRST_BATCH_COUNT = 101;

/** Where documents come from. `next` gives undefined when there is none now. */
export interface DocumentSource {
  next(): Uint8Array | undefined;
  /** True when nothing can follow: the cursor closes. A tailable source is never exhausted while it lives. */
  readonly exhausted: boolean;
  close(): void;
  /** False when `next` gave undefined only to give up its turn: there may be more at once. */
  readonly idle?: boolean;
  /** Resolves when a `next` may give something again, or never: for tailable sources and change streams. */
  wait?(): { promise: Promise<void>; cancel: () => void };
  /** Token to resume behind what was read so far: change streams. */
  postBatchResumeToken?(): Uint8Array | undefined;
}

export interface CursorOptions {
  ns: string;
  source: DocumentSource;
  tailable?: boolean;
  awaitData?: boolean;
  changeStream?: boolean;
  noTimeout?: boolean;
  batchSize?: number | undefined;
  session?: Session | undefined;
  owner?: { user: string; db: string } | undefined;
  /** Stops after one batch: a negative limit. */
  singleBatch?: boolean;
  /** The cluster time it reads at, for replies. */
  atClusterTime?: Timestamp | undefined;
}

export class Cursor {
  id = 0n;
  readonly ns: string;
  readonly source: DocumentSource;
  readonly tailable: boolean;
  readonly awaitData: boolean;
  readonly changeStream: boolean;
  readonly noTimeout: boolean;
  readonly batchSize: number | undefined;
  readonly session: Session | undefined;
  readonly owner: { user: string; db: string } | undefined;
  readonly atClusterTime: Timestamp | undefined;
  /** The command that opened it, for currentOp. */
  originating: Document | undefined;
  /** What is left of the find's maxTimeMS for later batches. */
  timeLeftMs: number | undefined;
  lastUse = Date.now();
  pinned = false;
  killed: ServerError | undefined;
  private held: Uint8Array | undefined;
  private readonly wakers = new Set<() => void>();

  constructor(options: CursorOptions) {
    this.ns = options.ns;
    this.source = options.source;
    this.tailable = options.tailable ?? false;
    this.awaitData = options.awaitData ?? false;
    this.changeStream = options.changeStream ?? false;
    this.noTimeout = options.noTimeout ?? false;
    this.batchSize = options.batchSize;
    this.session = options.session;
    this.owner = options.owner;
    this.atClusterTime = options.atClusterTime;
  }

  /** Takes up to `count` documents and {@link BATCH_BYTES}; gives other work a turn every few milliseconds. */
  async fill(count: number, check: () => void): Promise<Uint8Array[]> {
    const batch: Uint8Array[] = [];
    let bytes = 0;
    let turn = performance.now();
    while (batch.length < count) {
      const document = this.held ?? this.source.next();
      this.held = undefined;
      if (document === undefined) {
        // A filter may pass nothing for long: sources give up their turn by undefined without being exhausted.
        if (this.source.exhausted || this.tailable || this.changeStream) break;
        check();
        await yieldTurn();
        turn = performance.now();
        continue;
      }
      if (batch.length > 0 && bytes + document.length > BATCH_BYTES) {
        this.held = document;
        break;
      }
      batch.push(document);
      bytes += document.length + 8;
      if ((batch.length & 127) === 0 && performance.now() - turn > 15) {
        check();
        await yieldTurn();
        turn = performance.now();
      }
    }
    return batch;
  }

  get exhausted(): boolean {
    return this.held === undefined && this.source.exhausted;
  }

  /**
   * Waits until the source may have more, the time is over, or the cursor or its connection ends.
   * @returns false when the time is over
   */
  async await(milliseconds: number, onClose: Set<() => void>): Promise<boolean> {
    if (this.source.idle === false) {
      await yieldTurn();
      return true;
    }
    const waiting = this.source.wait?.();
    if (!waiting || milliseconds <= 0) {
      waiting?.cancel();
      return false;
    }
    let timer: ReturnType<typeof setTimeout> | undefined;
    let wake = (): void => undefined;
    const ended = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), Math.min(milliseconds, 2_147_483_647));
      wake = () => resolve(false);
    });
    this.wakers.add(wake);
    onClose.add(wake);
    const woken = await Promise.race([waiting.promise.then(() => true), ended]);
    clearTimeout(timer);
    this.wakers.delete(wake);
    onClose.delete(wake);
    waiting.cancel();
    return woken;
  }

  close(): void {
    this.source.close();
    for (const wake of this.wakers) wake();
  }
}

/** Lets the event loop serve others: heartbeats, other clients. */
function yieldTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
