import type { Collection, Task, Tasks } from "../tasks/model.ts";

/** Where each collection of both sides stands, by `database.collection`; no database name holds a dot. */
export class Catalog {
  readonly base: ReadonlyMap<string, string>;
  readonly head: ReadonlyMap<string, string>;
  readonly baseDatabases: ReadonlySet<string>;
  readonly headDatabases: ReadonlySet<string>;
  /** New namespace to old: only renames that are still to be done. */
  readonly renames: ReadonlyMap<string, string>;
  readonly renameSources: ReadonlySet<string>;

  constructor(base: Tasks | undefined, head: Tasks) {
    this.base = tasksByNamespace(base?.tasks ?? []);
    this.head = tasksByNamespace(head.tasks);
    this.baseDatabases = new Set(base?.tasks.map(({ database }) => database));
    this.headDatabases = new Set(head.tasks.map(({ database }) => database));
    const renames = new Map<string, string>();
    for (const { database, collections } of head.tasks)
      for (const { name, renamedFrom } of collections) {
        if (renamedFrom === undefined) continue;
        const [to, from] = [`${database}.${name}`, `${database}.${renamedFrom}`];
        if (this.base.has(from) && !this.base.has(to)) renames.set(to, from);
      }
    this.renames = renames;
    this.renameSources = new Set(renames.values());
  }
}

function tasksByNamespace(tasks: readonly Task[]): Map<string, string> {
  const byNamespace = new Map<string, string>();
  for (const { id, database, collections } of tasks)
    for (const { name } of collections) byNamespace.set(`${database}.${name}`, id);
  return byNamespace;
}

/** How the collections of one task change; names without their database. */
export interface CollectionChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly movedIn: readonly string[];
  readonly movedOut: readonly string[];
  readonly renamed: readonly { readonly from: string; readonly to: string }[];
  readonly kept: readonly (readonly [Collection, Collection])[];
}

/** Compares the collections of a task that keeps its database. */
export function collectionChanges(base: Task, head: Task, catalog: Catalog): CollectionChanges {
  const before = new Map(base.collections.map((collection) => [collection.name, collection]));
  const after = new Set(head.collections.map(({ name }) => name));
  const added: string[] = [];
  const movedIn: string[] = [];
  const renamed: { from: string; to: string }[] = [];
  const kept: [Collection, Collection][] = [];
  for (const collection of head.collections) {
    const namespace = `${head.database}.${collection.name}`;
    const old = before.get(collection.name);
    const from = catalog.renames.get(namespace)?.slice(head.database.length + 1);
    if (old) kept.push([old, collection]);
    else if (from !== undefined && before.has(from)) renamed.push({ from, to: collection.name });
    else if (from !== undefined || catalog.base.has(namespace)) movedIn.push(collection.name);
    else added.push(collection.name);
  }
  const here = new Set(renamed.map(({ from }) => from));
  const gone = base.collections.map(({ name }) => name).filter((name) => !after.has(name) && !here.has(name));
  const carriedOn = (name: string) => {
    const namespace = `${base.database}.${name}`;
    return catalog.head.has(namespace) || catalog.renameSources.has(namespace);
  };
  return {
    added,
    removed: gone.filter((name) => !carriedOn(name)),
    movedIn,
    movedOut: gone.filter(carriedOn),
    renamed,
    kept,
  };
}
