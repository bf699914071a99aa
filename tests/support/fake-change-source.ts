import { deserialize } from "bson";
import type { ChangeBatch, ChangeSource, ResumePoint } from "../../core/changes/source.ts";
import { tokenBytes } from "./change-events.ts";

export interface FakeSourceOptions {
  readonly batchEvents?: number;
  /** Thrown when everything before it was read. */
  readonly failAtEnd?: () => unknown;
  /** Events at these places are given as oversize, alone in their batch. */
  readonly oversize?: ReadonlySet<number>;
}

/**
 * A change stream over a list of raw events whose tokens are their place (see change-events.ts). It resumes as a
 * server does, waits when it has nothing, and counts what was asked of it.
 */
export class FakeChangeSource implements ChangeSource {
  readonly opened: ResumePoint[] = [];
  /** How many events were handed out. */
  given = 0;
  private readonly waiting = new Set<() => void>();

  constructor(
    readonly events: Uint8Array[],
    private readonly options: FakeSourceOptions = {},
  ) {}

  push(...events: Uint8Array[]): void {
    this.events.push(...events);
    for (const wake of this.waiting) wake();
  }

  async *read(from: ResumePoint, signal: AbortSignal): AsyncGenerator<ChangeBatch> {
    this.opened.push(from);
    const { batchEvents = 100, failAtEnd, oversize } = this.options;
    let place = "token" in from ? placeOf(from.token) : 0;
    yield { events: [], resume: from };
    while (!signal.aborted) {
      if (place >= this.events.length) {
        if (failAtEnd) throw failAtEnd();
        await this.more(signal);
        continue;
      }
      const big = oversize?.has(place + 1) === true;
      let end = big ? place + 1 : Math.min(place + batchEvents, this.events.length);
      for (let next = place + 1; !big && next < end; next++) if (oversize?.has(next + 1)) end = next;
      const events = this.events.slice(place, end);
      place = end;
      this.given += events.length;
      const resume = { token: tokenBytes(place), operationTime: timeOf(events.at(-1)!) };
      yield { events, resume, ...(big ? { oversize: true } : {}) };
    }
  }

  private more(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.waiting.add(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }
}

function placeOf(token: Uint8Array): number {
  return Number.parseInt(String(deserialize(token)._data), 16);
}

function timeOf(event: Uint8Array): { t: number; i: number } {
  const { clusterTime } = deserialize(event, { promoteValues: false });
  return { t: clusterTime.getHighBitsUnsigned(), i: clusterTime.getLowBitsUnsigned() };
}
