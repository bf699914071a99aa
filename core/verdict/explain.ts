import type { Difference } from "./matcher.ts";

/** Why two sides may differ in a document and still be what was agreed (invariants.md 17, 19, 23). */
export interface Explanations {
  /** MongoDB's images at the block, by namespace and key, as digests; null where it had none. */
  readonly tail: ReadonlyMap<string, ReadonlyMap<string, { readonly digest: string | null }>>;
  readonly conflicts: readonly {
    readonly kind: "tail" | "unique";
    readonly namespace: string;
    readonly key: string;
    readonly policy: "documentdb" | "mongodb" | "stop";
    readonly settled: boolean;
    readonly margin: boolean;
  }[];
}

export type Explanation = "tail" | "conflict" | "differs";

/**
 * Explains differences of one collection; `source` is DocumentDB, `target` MongoDB. The tail explains only a document
 * it names, that MongoDB still has as the ledger says, and that the log does not touch. A conflict explains only
 * where the policy let MongoDB win: where DocumentDB won both sides must be equal.
 */
export function explainerOf(
  explanations: Explanations,
  namespace: string,
): (difference: Difference) => Explanation {
  const tail = explanations.tail.get(namespace);
  const own = explanations.conflicts.filter((conflict) => conflict.namespace === namespace);
  const contested = new Map(own.filter(({ kind }) => kind === "tail").map((each) => [each.key, each]));
  const unique = new Map(own.filter(({ kind }) => kind === "unique").map((each) => [each.key, each]));
  return ({ key, target }) => {
    const image = tail?.get(key)?.digest;
    if (image !== undefined && image === target) {
      const conflict = contested.get(key);
      if (!conflict) return "tail";
      if (conflict.policy === "mongodb" && !conflict.margin) return "conflict";
    }
    const collided = unique.get(key);
    return collided?.settled && collided.policy === "mongodb" ? "conflict" : "differs";
  };
}
