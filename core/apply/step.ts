import type { Write } from "./target.ts";

/** What a stretch of events did to the counts, besides being applied. */
export interface Counts {
  /** Events taken in, whatever became of them. */
  events: number;
  /** Updates whose lookup found no document: a later delete is in the log, and the comparison decides. */
  lookupNull: number;
  /** Events that change no document: invalidate, and types not known. By operation and namespace. */
  passed: Record<string, number>;
}

/** A change of a document that the tail has, too (invariants.md 17). */
export interface TailConflict {
  readonly namespace: string;
  readonly key: string;
  readonly id: Uint8Array;
  readonly sequence: number;
  /** DMS says it had carried MongoDB's write: DocumentDB's change came on top of it, whatever the policy. */
  readonly margin: boolean;
}

/**
 * What a stretch of the log becomes: writes of distinct documents, which may run in any order and on any connection,
 * or one DDL, which nothing may overtake. Through `lastSequence` the log is covered once the step is done.
 */
export type Step = { readonly counts: Counts; readonly lastSequence: number } & (
  | {
      readonly kind: "writes";
      readonly writes: readonly Write[];
      readonly conflicts: readonly TailConflict[];
    }
  | { readonly kind: "drop"; readonly namespaces: readonly string[] }
  | { readonly kind: "rename"; readonly from: string; readonly to: string }
);

export interface TailRule {
  /**
   * `tail`: MongoDB took a write of this document that DMS never carried. `margin`: one from just before DMS's
   * checkpoint, which it says it carried.
   */
  of(namespace: string, key: string): "tail" | "margin" | undefined;
  /** True when that write left exactly this image: MongoDB's own document, which the log has not touched. */
  holds(namespace: string, key: string, image: Uint8Array): boolean;
  /** How many documents of a collection the tail names, the margin's left out. */
  countIn(namespace: string): number;
  /** `documentdb`: the log wins. `mongodb`: the log's changes of this document are left out. `stop`: neither. */
  readonly policy: "documentdb" | "mongodb" | "stop";
}

/** No counts yet. */
export function noCounts(): Counts {
  return { events: 0, lookupNull: 0, passed: {} };
}

/** Adds the second to the first. */
export function addCounts(sum: Counts, counts: Counts): void {
  sum.events += counts.events;
  sum.lookupNull += counts.lookupNull;
  for (const [what, count] of Object.entries(counts.passed))
    sum.passed[what] = (sum.passed[what] ?? 0) + count;
}

/** MongoDB took nothing that DMS had not carried. */
export const noTail: TailRule = {
  of: () => undefined,
  holds: () => false,
  countIn: () => 0,
  policy: "documentdb",
};
