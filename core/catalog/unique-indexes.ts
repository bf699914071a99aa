import type { Catalog, Scope } from "../failback/documents.ts";

export interface NamedIndex {
  readonly namespace: string;
  /** The key as JSON, whose field order matters. */
  readonly key: string;
}

/**
 * Unique indexes of the scope's collections that `source` has and `target` lacks (invariants.md 6): without them
 * DocumentDB takes documents that MongoDB refuses.
 */
export function missingUniqueIndexes(
  source: Catalog,
  target: Catalog,
  scope: Pick<Scope, "databases">,
): NamedIndex[] {
  const there = new Set(uniqueIndexes(target, scope).map(text));
  return uniqueIndexes(source, scope).filter((index) => !there.has(text(index)));
}

function uniqueIndexes(catalog: Catalog, scope: Pick<Scope, "databases">): NamedIndex[] {
  const wanted = new Set(
    scope.databases.flatMap(({ name, collections }) =>
      collections.map((collection) => `${name}.${collection}`),
    ),
  );
  return catalog.collections
    .map((collection) => ({ collection, namespace: `${collection.database}.${collection.name}` }))
    .filter(({ namespace }) => wanted.has(namespace))
    .flatMap(({ collection, namespace }) =>
      collection.indexes
        .filter((index) => index.unique === true)
        .map((index) => ({ namespace, key: JSON.stringify(index.key) })),
    );
}

function text({ namespace, key }: NamedIndex): string {
  return `${namespace} ${key}`;
}
