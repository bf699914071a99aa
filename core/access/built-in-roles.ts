/**
 * Which built-in roles let their holder change data or collections. MongoDB manual (built-in roles) and the
 * role-based access control page of Amazon DocumentDB. A role that may grant itself a writing role counts as
 * writing; `clusterAdmin` may drop databases.
 */
const writesItsDatabase = new Set(["readWrite", "dbAdmin", "dbOwner", "userAdmin"]);

const writesEverywhere = new Set([
  "readWriteAnyDatabase",
  "dbAdminAnyDatabase",
  "userAdminAnyDatabase",
  "clusterAdmin",
  "restore",
  "root",
  "__system",
]);

const writesNothing = new Set([
  "read",
  "readAnyDatabase",
  "clusterManager",
  "clusterMonitor",
  "hostManager",
  "backup",
  "enableSharding",
  "directShardOperations",
  "searchCoordinator",
]);

export type BuiltInWrites = "its-database" | "everywhere" | "nothing";

/** What a built-in role lets its holder write; `undefined` for a custom role or one unknown here. */
export function builtInWrites(role: string): BuiltInWrites | undefined {
  if (writesItsDatabase.has(role)) return "its-database";
  if (writesEverywhere.has(role)) return "everywhere";
  if (writesNothing.has(role)) return "nothing";
  return undefined;
}

/** Actions of a custom role's privileges that change data, collections, indexes or rights. */
export const writingActions: ReadonlySet<string> = new Set([
  "anyAction",
  "applyOps",
  "collMod",
  "convertToCapped",
  "createCollection",
  "createIndex",
  "dropCollection",
  "dropDatabase",
  "dropIndex",
  "emptycapped",
  "grantRole",
  "insert",
  "internal",
  "remove",
  "renameCollection",
  "renameCollectionSameDB",
  "update",
  "updateRole",
]);
