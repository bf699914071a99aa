import type { OperationTime } from "../ports.ts";

/** Where a reading of changes begins. A token is the raw BSON of a resume token: opaque, never parsed. */
export type ResumePoint =
  | { readonly token: Uint8Array; readonly operationTime: OperationTime }
  | { readonly operationTime: OperationTime };

/** What one read of the stream gave. */
export interface ChangeBatch {
  /** Raw change events, exactly as the server sent them, in its order. */
  readonly events: readonly Uint8Array[];
  /** Reading from here gives what follows this batch. */
  readonly resume: ResumePoint;
  /** The batch holds one event without its documents, because the whole one can't be read (over 16 MB). */
  readonly oversize?: boolean;
}

/** The changes of a whole cluster. */
export interface ChangeSource {
  /**
   * Yields batches, also empty ones (a token that moved on, about once a second). Resumes by itself after passing
   * faults. Fails `historyLost` when what follows `from` is gone, `unavailable` when resuming failed for too long,
   * `denied`. Ends only when the signal fires; the next read is on its way while a batch is being processed, and no
   * more than that: a consumer that stops taking stops the reading.
   */
  read(from: ResumePoint, signal: AbortSignal): AsyncIterable<ChangeBatch>;
}
