import type { ChangeBatch, ChangeSource, ResumePoint } from "../../core/changes/source.ts";
import { tokenBytes } from "../../tests/support/change-events.ts";

const batchEvents = 1000;

/** A change stream made up as it is read, so that a million events need no memory; then it is silent. */
export class GeneratedSource implements ChangeSource {
  constructor(
    private readonly count: number,
    private readonly eventAt: (number: number) => Uint8Array,
  ) {}

  async *read(from: ResumePoint, signal: AbortSignal): AsyncGenerator<ChangeBatch> {
    yield { events: [], resume: from };
    for (let first = 1; first <= this.count && !signal.aborted; first += batchEvents) {
      const last = Math.min(first + batchEvents - 1, this.count);
      const events = Array.from({ length: last - first + 1 }, (_, index) => this.eventAt(first + index));
      yield { events, resume: { token: tokenBytes(last), operationTime: { t: 1_700_000_000, i: last } } };
    }
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }
}
