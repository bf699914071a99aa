/** A backup as pruning sees it. */
export interface PrunedBackup {
  readonly id: string;
  /** ISO, UTC. */
  readonly startedAt: string;
  /** Its newest verification says PROVEN. */
  readonly isProven: boolean;
}

export interface Pruning {
  /** Ids, the oldest first. */
  readonly remove: readonly string[];
  /** Those old enough that stay all the same, with the reason. */
  readonly spared: readonly { readonly id: string; readonly why: string }[];
}

/**
 * Which backups go: those begun before a moment, but never the newest that is proved, nor the newest of all. What stays
 * can be restored, and one of it is known to.
 */
export function pruningOf(backups: readonly PrunedBackup[], before: Date): Pruning {
  const inOrder = [...backups].sort((one, other) => (one.id < other.id ? -1 : 1));
  const newest = inOrder.at(-1)?.id;
  const newestProven = inOrder.findLast(({ isProven }) => isProven)?.id;
  const old = inOrder.filter(({ startedAt }) => Date.parse(startedAt) < before.getTime());
  const whyOf = (id: string) =>
    id === newestProven ? "the newest that is proved" : id === newest ? "the newest of all" : undefined;
  return {
    remove: old.filter(({ id }) => whyOf(id) === undefined).map(({ id }) => id),
    spared: old.flatMap(({ id }) => {
      const why = whyOf(id);
      return why === undefined ? [] : [{ id, why }];
    }),
  };
}
