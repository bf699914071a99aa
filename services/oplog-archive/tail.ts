import type { MongoClient } from "mongodb";
import { readOplogAfter } from "../../adapters/mongo/oplog-tail.ts";
import { timeOfEntry } from "../../core/oplog/entry.ts";
import type { Clock, OperationTime } from "../../core/ports.ts";
import type { ArchiveProgress } from "./progress.ts";
import type { SegmentWriter } from "./segment-writer.ts";

export interface TailOptions {
  readonly client: MongoClient;
  readonly writer: SegmentWriter;
  readonly progress: ArchiveProgress;
  readonly clock: Clock;
  readonly flushMs: number;
  readonly flushBytes: number;
  readonly onCommitted: () => void;
}

/**
 * Gathers entries into segments. While one is written nothing is read: S3 slow means reading slow, and memory holds one
 * segment and two replies at most.
 */
export class Tail {
  private pending: Uint8Array[] = [];
  private bytes = 0;
  private sinceMs = 0;
  private first: OperationTime | undefined;
  private last: OperationTime;

  constructor(private readonly options: TailOptions) {
    this.last = options.writer.after;
  }

  /** Reads what the oplog has by now; writes what is full or due. Fails as readOplogAfter and the writer do. */
  async poll(): Promise<void> {
    const { client, progress, clock, flushMs } = this.options;
    const askedMs = clock.now().getTime();
    for await (const entries of readOplogAfter(client, this.last)) {
      for (const entry of entries) await this.take(entry);
      await progress.turn();
    }
    if (!this.first) progress.covered(askedMs);
    else if (clock.monotonicMs() - this.sinceMs >= flushMs) await this.flush();
  }

  /** Writes what is in hand. */
  async flush(): Promise<void> {
    const { first, last, pending: raw, bytes } = this;
    if (!first) return;
    this.pending = [];
    this.bytes = 0;
    this.first = undefined;
    const { writer, progress, onCommitted } = this.options;
    await progress.meanwhile(writer.write({ raw, first, last }));
    onCommitted();
    progress.archived(last, raw.length, bytes);
  }

  private async take(entry: Uint8Array): Promise<void> {
    this.last = timeOfEntry(entry);
    if (!this.first) {
      this.first = this.last;
      this.sinceMs = this.options.clock.monotonicMs();
    }
    this.pending.push(entry);
    this.bytes += entry.length;
    if (this.bytes >= this.options.flushBytes) await this.flush();
  }
}
