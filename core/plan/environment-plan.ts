import { droppingEnvironments, environmentNames } from "../tasks/model.ts";
import type { Catalog } from "./catalog.ts";
import type { EnvironmentPlan } from "./model.ts";

/** What becomes of databases and collections of DocumentDB, in each environment. dev and qa drop, others keep. */
export function environmentPlans(catalog: Catalog): EnvironmentPlan[] {
  const { base, head, baseDatabases, headDatabases } = catalog;
  const databasesGone = missing(baseDatabases, headDatabases);
  const databasesCreated = missing(headDatabases, baseDatabases);
  const inBoth = (namespace: string) => {
    const database = namespace.slice(0, namespace.indexOf("."));
    return baseDatabases.has(database) && headDatabases.has(database);
  };
  const collectionsGone = missing(base.keys(), head).filter(
    (namespace) => inBoth(namespace) && !catalog.renameSources.has(namespace),
  );
  const collectionsCreated = missing(head.keys(), base).filter(
    (namespace) => inBoth(namespace) && !catalog.renames.has(namespace),
  );
  const collectionsRenamed = [...catalog.renames].map(([to, from]) => ({ from, to }));
  return environmentNames.map((name) => {
    const drops = droppingEnvironments.includes(name);
    return {
      name,
      databasesCreated,
      databasesDropped: drops ? databasesGone : [],
      databasesKept: drops ? [] : databasesGone,
      collectionsCreated,
      collectionsDropped: drops ? collectionsGone : [],
      collectionsKept: drops ? [] : collectionsGone,
      collectionsRenamed,
    };
  });
}

function missing(
  names: Iterable<string>,
  among: ReadonlySet<string> | ReadonlyMap<string, unknown>,
): string[] {
  return [...names].filter((name) => !among.has(name)).sort();
}
