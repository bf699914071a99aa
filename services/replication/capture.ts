import type { FlushBuilder } from "../../core/changes/flush.ts";
import type { ChangeBatch, ChangeSource, ResumePoint } from "../../core/changes/source.ts";
import type { Clock } from "../../core/ports.ts";
import type { Arena } from "./arena.ts";
import type { LogWriter } from "./log-writer.ts";

export interface CaptureOptions {
  readonly source: ChangeSource;
  readonly from: ResumePoint;
  readonly builder: FlushBuilder;
  /** The builder's memory. */
  readonly arena: Arena;
  readonly writer: LogWriter;
  readonly clock: Clock;
  readonly maxBytesPerFlush: number;
  /** From the first event of a flush to its writing, unless the capture has to catch up. */
  readonly maxDelayMs: number;
  /** Without events, the token alone is committed when it moved on for this long. */
  readonly tokenOnlyMs: number;
  /** Called at least once a second while the loop turns: progress, watchdog. */
  readonly onTurn: (turn: { readonly stalled: boolean }) => void;
  readonly signal: AbortSignal;
}

const turnMsMax = 1000;
/** While S3 does not take a flush, every try copies its body: what the tries before left is collected this often. */
const stalledTurnMs = 200;
/** Behind by this much, or fed this fast, a flush waits longer: fewer, larger objects catch up sooner. */
const behindMs = 5000;
const fastShare = 1 / 16;
const catchUpDelayFactor = 10;
/** Replies are garbage once read, uploads once done. Left to itself the engine lets as much of it pile up as there is live memory. */
const collectBytes = 16 * 1024 * 1024;

/**
 * Reads changes and hands them to the writer as flushes, until the signal fires; then the flush in hand is written,
 * too. While the writer is full nothing is read: memory stays bounded and nothing is dropped (invariants.md 11).
 * Fails with what ended the reading or the writing; what was read whole before the fault is in the log then.
 */
export async function capture(options: CaptureOptions): Promise<void> {
  const reading = new AbortController();
  const loop = new CaptureLoop(options, reading);
  options.signal.addEventListener("abort", loop.stop, { once: true });
  if (options.signal.aborted) loop.stop();
  try {
    await loop.run();
  } finally {
    options.signal.removeEventListener("abort", loop.stop);
    reading.abort();
  }
}

type Arrival = { readonly result: IteratorResult<ChangeBatch> } | { readonly error: unknown };

/**
 * One loop, woken by a batch that arrived, by room in the writer, by the signal, or by time. It waits on one short
 * promise of its own: racing promises that live as long as the capture would pile up reactions in them.
 */
class CaptureLoop {
  private readonly batches: AsyncIterator<ChangeBatch>;
  private arrival: Arrival | undefined;
  private wake = () => {};
  /** When the flush in hand got its first event, and when the last one was taken. */
  private sinceMs: number;
  private takenMs: number;
  /** When the newest events arrived. */
  private lastEventsMs: number;
  private tokenMoved = false;
  private uncollectedBytes = 0;

  constructor(
    private readonly options: CaptureOptions,
    private readonly reading: AbortController,
  ) {
    this.batches = options.source.read(options.from, reading.signal)[Symbol.asyncIterator]();
    this.sinceMs = options.clock.monotonicMs();
    this.takenMs = this.sinceMs;
    this.lastEventsMs = this.sinceMs;
    options.writer.onChange = () => this.wake();
  }

  readonly stop = () => {
    this.reading.abort();
    this.wake();
  };

  async run(): Promise<void> {
    const { writer, onTurn } = this.options;
    let fault: { readonly error: unknown } | undefined;
    this.requestNext();
    while (!this.reading.signal.aborted && !fault && !writer.failure) {
      if (!this.arrival) await this.pause(this.untilDueMs());
      const { arrival } = this;
      if (arrival && "error" in arrival) fault = arrival;
      else if (arrival?.result.done) break;
      else if (arrival) {
        await this.take(arrival.result.value);
        this.requestNext();
      }
      if (this.isDue()) await this.flush();
      if (writer.isRetrying) this.collect(true);
      onTurn({ stalled: false });
    }
    this.reading.abort();
    // What was read before a fault is whole: it goes to the log before the fault is reported.
    if (!writer.failure) this.hand();
    try {
      await writer.drained();
    } finally {
      // Also when writing failed: whoever reads anew must not have the connection closed under it by this reading's end.
      await this.batches.return?.();
    }
    if (fault) throw fault.error;
  }

  private requestNext(): void {
    this.arrival = undefined;
    const arrived = (arrival: Arrival) => {
      this.arrival = arrival;
      this.wake();
    };
    this.batches.next().then(
      (result) => arrived({ result }),
      (error) => arrived({ error }),
    );
  }

  private async take(batch: ChangeBatch): Promise<void> {
    const { builder, clock, maxBytesPerFlush } = this.options;
    if (batch.events.length > 0) this.lastEventsMs = clock.monotonicMs();
    for (const raw of batch.events) {
      if (builder.events === 0) this.sinceMs = clock.monotonicMs();
      const mayEnd = builder.add(raw, batch.oversize);
      this.uncollectedBytes += raw.length;
      if (mayEnd && builder.bytes >= maxBytesPerFlush) await this.flush();
    }
    builder.moveTo(batch.resume);
    if (batch.resume !== this.options.from) this.tokenMoved = true;
    this.collect();
  }

  private collect(now = false): void {
    if (!now && this.uncollectedBytes < collectBytes) return;
    this.uncollectedBytes = 0;
    Bun.gc(true);
  }

  private isDue(): boolean {
    const { builder, clock, tokenOnlyMs } = this.options;
    const nowMs = clock.monotonicMs();
    if (builder.events === 0) return this.tokenMoved && nowMs - this.takenMs >= tokenOnlyMs;
    return nowMs >= this.dueMs();
  }

  /** While changes keep coming and capture is behind, a flush may grow; when they pause, it goes out. */
  private dueMs(): number {
    const { builder, clock, maxDelayMs, maxBytesPerFlush } = this.options;
    const fast = builder.bytes >= maxBytesPerFlush * fastShare;
    const behind = clock.now().getTime() - builder.timeMs > behindMs;
    const delayMs = fast || behind ? maxDelayMs * catchUpDelayFactor : maxDelayMs;
    return Math.min(this.sinceMs + delayMs, this.lastEventsMs + maxDelayMs);
  }

  private untilDueMs(): number {
    const { builder, clock } = this.options;
    const turnMs = this.options.writer.isRetrying ? stalledTurnMs : turnMsMax;
    if (builder.events === 0) return turnMs;
    return Math.min(turnMs, this.dueMs() - clock.monotonicMs());
  }

  /** Waits for room in the writer. After the signal nothing waits: `run` hands over what there is. */
  private async flush(): Promise<void> {
    const { builder, writer, onTurn } = this.options;
    while (writer.isFull(builder.bytes)) {
      if (this.reading.signal.aborted || writer.failure) return;
      await this.pause(stalledTurnMs);
      this.collect(true);
      onTurn({ stalled: true });
    }
    this.hand();
  }

  private hand(): void {
    const { builder, writer, clock } = this.options;
    if (builder.events === 0 && !this.tokenMoved) return;
    const flush = builder.take();
    const release = this.options.arena.seal();
    writer.add(flush, () => {
      release();
      // What the upload copied is garbage now.
      this.uncollectedBytes += flush.bytes;
    });
    this.takenMs = clock.monotonicMs();
    this.sinceMs = this.takenMs;
    this.tokenMoved = false;
  }

  private async pause(ms: number): Promise<void> {
    if (ms <= 0) return;
    const early = new AbortController();
    this.wake = () => early.abort();
    await this.options.clock.sleep(ms, early.signal).catch(() => {});
    this.wake = () => {};
  }
}
