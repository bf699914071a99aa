import type { Manifest } from "../changes/manifest.ts";
import { sequencesOf } from "../changes/sequence.ts";

export interface FenceBreach {
  /** Sequence of the first application write behind the sentinel. */
  readonly sequence: number;
  readonly namespace: string;
}

/**
 * Looks for one fence's sentinel in the log, manifest by manifest, and for an application write behind it
 * (invariants.md 12). Only manifests are read: they say which sequence numbers are of the scope.
 */
export class FenceWatch {
  private sentinel: number | undefined;
  private first: FenceBreach | undefined;

  constructor(private readonly sentinelId: string) {}

  /** Manifests in their order. What came before the sentinel can't lie behind it: the log is in commit order. */
  take(manifest: Manifest): void {
    this.sentinel ??= manifest.signals.find(({ id }) => id === this.sentinelId)?.sequence;
    if (this.sentinel === undefined || this.first || manifest.lastSequence <= this.sentinel) return;
    for (const object of manifest.objects) {
      if (object.kind !== "scope") continue;
      for (const sequence of sequencesOf(object.sequences)) {
        if (sequence <= this.sentinel || (this.first && sequence >= this.first.sequence)) continue;
        this.first = { sequence, namespace: `${object.database}.${object.collection}` };
      }
    }
  }

  /** Sequence of the sentinel; `undefined` while the log does not hold it. */
  get sentinelSequence(): number | undefined {
    return this.sentinel;
  }

  get breach(): FenceBreach | undefined {
    return this.first;
  }

  get drained(): boolean {
    return this.sentinel !== undefined && !this.first;
  }
}
