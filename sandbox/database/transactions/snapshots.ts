/**
 * Reads of the data as it was at a cluster time. The first such read opens a window: from then on changes are kept in
 * memory, as for an open transaction, so that later reads can undo them on the way. A window nobody uses is closed.
 */
import { ServerError } from "../engine/errors.ts";
import type { Holder } from "../storage/conflicts.ts";
import type { Storage } from "../storage/storage.ts";
import { type Ts, tsIncrement, tsSeconds } from "../storage/timestamp.ts";

interface Window extends Holder {
  lastUse: number;
  readonly stopListening: () => void;
  /** After which commit (its cluster time) the history had how many changes, oldest first. */
  readonly marks: { ts: Ts; place: number }[];
}

function tooOld(ts: Ts): ServerError {
  return new ServerError(
    "SnapshotTooOld",
    `Read timestamp Timestamp(${tsSeconds(ts)}, ${tsIncrement(ts)}) is older than the oldest available timestamp.`,
  );
}

export class Snapshots {
  private readonly storage: Storage;
  private window: Window | undefined;

  constructor(storage: Storage) {
    this.storage = storage;
  }

  /** The cluster time of now, which later reads may name. */
  take(): Ts {
    this.use();
    return this.storage.clock.last;
  }

  private use(): Window {
    this.window ??= this.open();
    this.window.lastUse = Date.now();
    return this.window;
  }

  private open(): Window {
    const { conflicts, clock } = this.storage;
    const marks = [{ ts: clock.last, place: conflicts.now }];
    const stopListening = this.storage.onCommit(() => marks.push({ ts: clock.last, place: conflicts.now }));
    const window = {
      since: conflicts.now,
      ended: new Promise<void>(() => undefined),
      lastUse: Date.now(),
      stopListening,
      marks,
    };
    conflicts.begin(window);
    return window;
  }

  /**
   * Runs a read on the data of `ts`. Collections dropped since then are as if they had never been.
   * @throws ServerError SnapshotTooOld for a time before the window
   */
  read<T>(ts: Ts, work: () => T): T {
    const { storage } = this;
    const mark = this.use().marks.findLast((one) => one.ts <= ts);
    if (mark === undefined) throw tooOld(ts);
    return storage.attempt((unit) => {
      for (const record of storage.conflicts.changesSince(mark.place).toReversed()) {
        if (!record.collection.dropped) unit.restore(record, record.after, record.before);
      }
      return work();
    });
  }

  /** Closes the window when nobody used it for `milliseconds`. */
  expire(milliseconds: number): void {
    if (!this.window || Date.now() - this.window.lastUse < milliseconds) return;
    this.window.stopListening();
    this.storage.conflicts.end(this.window);
    this.window = undefined;
  }
}
