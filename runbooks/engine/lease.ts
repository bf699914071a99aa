import { readJson, writeJson } from "../../adapters/state/json.ts";
import { isPrecondition } from "../../adapters/store-error.ts";
import { RoundtripError } from "../../core/errors.ts";
import { leaseKey } from "../../core/failback/layout.ts";
import type { Clock, ObjectStore } from "../../core/ports.ts";

export interface LeaseDocument {
  readonly version: 1;
  readonly holder: string;
  readonly what: string;
  readonly renewals: number;
  readonly released: boolean;
  /** Who held it before, silent for a whole watch, when this holder took it over. */
  readonly tookOver?: { readonly holder: string; readonly what: string };
}

/**
 * One runbook at a time per environment. A holder shows it is alive by renewing; whoever finds the lease held watches
 * its ETag on the own clock and takes it over only after `seconds` without a renewal: two clocks are never compared.
 */
export class Lease {
  private readonly lost = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private renewing: Promise<void> = Promise.resolve();
  private released = false;

  private constructor(
    private readonly store: ObjectStore,
    private document: LeaseDocument,
    private etag: string,
    private readonly seconds: number,
  ) {}

  /** Fires when somebody else took the lease: stop at once. */
  get signal(): AbortSignal {
    return this.lost.signal;
  }

  /** Takes the lease, or fails `refused` naming the holder that is alive. */
  static async take(
    deps: { store: ObjectStore; clock: Clock },
    who: { holder: string; what: string; seconds: number; say: (line: string) => void },
  ): Promise<Lease> {
    let current = await readJson<LeaseDocument>(deps.store, leaseKey);
    if (current && !current.value.released) {
      const { holder, what } = current.value;
      who.say(`lease is held by ${holder} (${what}); watching ${who.seconds} s for a renewal`);
      await deps.clock.sleep(who.seconds * 1000);
      const again = await readJson<LeaseDocument>(deps.store, leaseKey);
      if (again && again.etag !== current.etag && !again.value.released) throw held(again.value);
      current = again;
    }
    const silent = current && !current.value.released ? current.value : undefined;
    const mine: LeaseDocument = {
      version: 1,
      holder: who.holder,
      what: who.what,
      renewals: 0,
      released: false,
      ...(silent ? { tookOver: { holder: silent.holder, what: silent.what } } : {}),
    };
    try {
      // The very version that stood still through the watch: a renewal after it wins.
      const options = current ? { ifMatch: current.etag } : { ifNoneMatch: true };
      const { etag } = await writeJson(deps.store, leaseKey, mine, options);
      const lease = new Lease(deps.store, mine, etag, who.seconds);
      lease.schedule();
      return lease;
    } catch (error) {
      if (!isPrecondition(error)) throw error;
      throw held((await readJson<LeaseDocument>(deps.store, leaseKey))?.value ?? mine);
    }
  }

  private schedule(): void {
    this.timer = setTimeout(
      () => {
        this.renewing = this.renew();
      },
      (this.seconds * 1000) / 3,
    );
  }

  private async renew(): Promise<void> {
    try {
      const next = { ...this.document, renewals: this.document.renewals + 1 };
      this.etag = (await writeJson(this.store, leaseKey, next, { ifMatch: this.etag })).etag;
      this.document = next;
    } catch (cause) {
      // A bucket that does not answer is no proof of loss: the next conditional write decides.
      if (isPrecondition(cause)) return this.lost.abort(lostTo(this.document, cause));
    }
    if (!this.released) this.schedule();
  }

  /** Gives the lease back; a lost one is left alone. */
  async release(): Promise<void> {
    this.released = true;
    clearTimeout(this.timer);
    await this.renewing;
    if (this.lost.signal.aborted) return;
    await writeJson(this.store, leaseKey, { ...this.document, released: true }, { ifMatch: this.etag });
  }
}

function held(by: LeaseDocument): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what: "take the environment's lease",
    expected: "no other runbook at work",
    got: `${by.holder} is running ${by.what}`,
    wayOut: "wait until it ends, or cancel it and run this again",
  });
}

function lostTo(document: LeaseDocument, cause: unknown): RoundtripError {
  return new RoundtripError(
    {
      kind: "fenced",
      what: `keep the lease for ${document.what}`,
      expected: `holder ${document.holder}`,
      got: "another holder",
      wayOut: "see `roundtrip status` for who runs what; run this again when it is done",
    },
    { cause },
  );
}
