import { RoundtripError } from "../errors.ts";
import { droppingEnvironments } from "../tasks/model.ts";
import type {
  Declared,
  DeclaredCollection,
  ProvisionDifference,
  Provisioned,
  ProvisionItem,
  ProvisionStep,
} from "./model.ts";
import { userDifference } from "./users.ts";

/**
 * What has to be done so that the cluster stands as declared; applied twice, the second time is nothing. Only what was
 * declared before is ever dropped, and only in dev and qa. Fails `refused`, before anything is done, where a rename
 * or a spelling leaves open what is meant.
 */
export function difference(declared: Declared, live: Provisioned): ProvisionDifference {
  const parts = [
    userDifference(declared, live),
    ...declared.databases.map((database) => declaredDatabase(declared, live, database)),
    removals(declared, live),
  ];
  const steps = parts.flatMap((part) => part.steps);
  const order = (step: ProvisionStep) => (step.do.startsWith("drop") ? 1 : 0);
  return {
    steps: steps.sort((left, right) => order(left) - order(right)),
    kept: parts.flatMap((part) => part.kept),
    unchanged: parts.flatMap((part) => part.unchanged),
  };
}

function mayDrop(environment: string): boolean {
  return droppingEnvironments.includes(environment);
}

function declaredDatabase(
  declared: Declared,
  live: Provisioned,
  { name: database, collections }: Declared["databases"][number],
): ProvisionDifference {
  assertSpelling(live, database);
  const there = live.databases.get(database);
  const renames: ProvisionStep[] = [];
  const creations: ProvisionStep[] = [];
  const unchanged: ProvisionItem[] = [];
  let exists = there !== undefined;
  for (const collection of collections) {
    const from = renameSource(declared, live, database, collection);
    if (from !== undefined) {
      renames.push({ do: "rename-collection", database, from, to: collection.name });
    } else if (there?.has(collection.name)) {
      unchanged.push({ kind: "collection", name: `${database}.${collection.name}` });
    } else {
      creations.push({
        do: "create-collection",
        database,
        collection: collection.name,
        createsDatabase: !exists,
      });
      exists = true;
    }
  }
  if (there) unchanged.unshift({ kind: "database", name: database });
  return { steps: [...renames, ...creations], kept: [], unchanged };
}

/** The collection to rename, while the rename is still to be done. Both names at once are nobody's guess. */
function renameSource(
  { previous }: Declared,
  live: Provisioned,
  database: string,
  { name, renamedFrom }: DeclaredCollection,
): string | undefined {
  const there = live.databases.get(database);
  if (renamedFrom === undefined || !there?.has(renamedFrom)) return undefined;
  const before = previous?.find((each) => each.name === database)?.collections ?? [];
  const pending = previous === undefined || (before.includes(renamedFrom) && !before.includes(name));
  if (!pending) return undefined;
  if (!there.has(name)) return renamedFrom;
  throw new RoundtripError({
    kind: "refused",
    what: `rename collection ${database}.${renamedFrom} to ${name}`,
    expected: "one of the two on DocumentDB",
    got: "both",
    wayOut: `see which one holds the data; drop or rename the other by hand, or take renamedFrom out`,
  });
}

/** DocumentDB refuses two databases whose names differ by case alone. */
function assertSpelling(live: Provisioned, database: string): void {
  if (live.databases.has(database)) return;
  const other = [...live.databases.keys()].find((name) => name.toLowerCase() === database.toLowerCase());
  if (other === undefined) return;
  throw new RoundtripError({
    kind: "refused",
    what: `create database ${database} on DocumentDB`,
    expected: "no database whose name differs by case alone",
    got: other,
    wayOut: `write ${other} in tasks.yaml, or drop the other one by hand`,
  });
}

/** What was declared before, no longer is, and still stands. A collection that was renamed is not removed. */
function removals(declared: Declared, live: Provisioned): ProvisionDifference {
  const steps: ProvisionStep[] = [];
  const kept: ProvisionItem[] = [];
  const drops = mayDrop(declared.environment);
  const note = `no longer declared; ${declared.environment} keeps its data`;
  for (const { name: database, collections } of declared.previous ?? []) {
    const there = live.databases.get(database);
    if (!there) continue;
    const now = declared.databases.find((each) => each.name === database);
    if (!now) {
      if (drops) steps.push({ do: "drop-database", database, collections: [...there].sort() });
      else kept.push({ kind: "database", name: database, note });
      continue;
    }
    const carriedOn = new Set(
      now.collections.flatMap(({ name, renamedFrom }) => [name, renamedFrom ?? name]),
    );
    for (const collection of collections) {
      if (carriedOn.has(collection) || !there.has(collection)) continue;
      if (drops) steps.push({ do: "drop-collection", database, collection });
      else kept.push({ kind: "collection", name: `${database}.${collection}`, note });
    }
  }
  return { steps, kept, unchanged: [] };
}
