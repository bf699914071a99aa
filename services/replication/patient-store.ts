import { StoreError } from "../../adapters/store-error.ts";
import type { Clock, Logger, ObjectStore, PutOptions } from "../../core/ports.ts";

const backoffFirstMs = 200;
const backoffMaxMs = 5000;

export interface PatientStoreOptions {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Fires when waiting has to end: the failure of the last try is thrown then. */
  readonly giveUp: AbortSignal;
}

/**
 * Puts that outlast S3: while it is slow or down the same bytes are tried again, without end, because nothing may be
 * dropped (invariants.md 11). The bound is on memory, not on time: whoever waits for the put stops reading.
 * What another try can't mend passes through.
 */
export class PatientStore {
  /** Puts that are waiting for another try at the moment. */
  waiting = 0;

  constructor(private readonly options: PatientStoreOptions) {}

  async put(key: string, body: Uint8Array, options?: PutOptions): Promise<void> {
    const { store, clock, logger, giveUp } = this.options;
    let waits = false;
    try {
      for (let attempt = 1; ; attempt++) {
        try {
          await store.put(key, body, options);
          return;
        } catch (error) {
          if (!(error instanceof StoreError) || error.storeKind !== "unavailable" || giveUp.aborted)
            throw error;
          if (!waits) this.waiting++;
          waits = true;
          logger.warn({ key, attempt, got: error.got }, "S3 did not take it; reading waits until it does");
          await clock
            .sleep(Math.min(backoffFirstMs * 2 ** (attempt - 1), backoffMaxMs), giveUp)
            .catch(() => {});
        }
      }
    } finally {
      if (waits) this.waiting--;
    }
  }
}

/** Fires some time after a signal did: what is in hand gets that long. */
export function abortLater(signal: AbortSignal, ms: number): AbortSignal {
  const later = new AbortController();
  signal.addEventListener("abort", () => setTimeout(() => later.abort(), ms).unref(), { once: true });
  return later.signal;
}
