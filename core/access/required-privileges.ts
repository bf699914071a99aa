import type { Privilege } from "./principal.ts";

export interface RequiredPrivilege {
  readonly action: string;
  /** Empty: on the cluster. */
  readonly database: string;
}

const onScope = [
  "find",
  "insert",
  "update",
  "remove",
  "createCollection",
  "dropCollection",
  "createIndex",
  "dropIndex",
];
const onCluster = ["replSetGetConfig", "replSetGetStatus", "inprog", "setParameter", "getParameter"];

/** What Roundtrip's user on MongoDB needs to dump, close, apply and reopen. */
export function requiredPrivileges(
  databases: readonly string[],
  userWriteBlock: boolean,
): RequiredPrivilege[] {
  const cluster = userWriteBlock
    ? [...onCluster, "setUserWriteBlockMode", "bypassWriteBlockingMode"]
    : onCluster;
  return [
    ...cluster.map((action) => ({ action, database: "" })),
    { action: "find", database: "local" },
    { action: "createUser", database: "admin" },
    { action: "dropUser", database: "admin" },
    { action: "viewUser", database: "admin" },
    ...databases.flatMap((database) => onScope.map((action) => ({ action, database }))),
  ];
}

/** Those of `required` that `held` does not cover, in words. */
export function missingPrivileges(
  held: readonly Privilege[],
  required: readonly RequiredPrivilege[],
): string[] {
  return required
    .filter((privilege) => !held.some((owned) => covers(owned, privilege)))
    .map(({ action, database }) => (database ? `${action} on ${database}` : action));
}

function covers({ resource, actions }: Privilege, { action, database }: RequiredPrivilege): boolean {
  if (!actions.includes(action) && !actions.includes("anyAction")) return false;
  if (resource.anyResource) return true;
  if (!database) return resource.cluster === true;
  // A privilege on one collection is not one on the database; the oplog's own collection is the exception.
  if (resource.db === "local" && database === "local")
    return ["", "oplog.rs"].includes(resource.collection ?? "");
  return (resource.db === "" || resource.db === database) && !resource.collection && !resource.cluster;
}
