import { Binary, type Document } from "mongodb";
import type { RunningOperation } from "../../core/access/ports.ts";
import { sha256Of } from "../../core/sha256.ts";

interface ParsedOperation extends RunningOperation {
  /** Whose session it is, as the server hashes the user's name; an idle transaction names its user in no other way. */
  readonly sessionUser: string | undefined;
  readonly writes: boolean;
  readonly active: boolean;
}

const writeOperations = new Set(["insert", "update", "remove", "delete"]);
const writeCommands = [
  "insert",
  "update",
  "delete",
  "findAndModify",
  "findandmodify",
  "bulkWrite",
  "create",
  "createIndexes",
  "drop",
  "dropDatabase",
  "dropIndexes",
  "renameCollection",
  "collMod",
];

/** One entry of `currentOp`. MongoDB names the users in `effectiveUsers`; a server that names none leaves it empty. */
export function parseOperation(entry: Document): ParsedOperation {
  const named = (entry.effectiveUsers ?? entry.users ?? []) as Document[];
  const command = (entry.command ?? {}) as Document;
  const verb = writeCommands.find((name) => name in command);
  const inTransaction = entry.transaction !== undefined && entry.transaction !== null;
  return {
    ...(entry.opid === undefined ? {} : { id: entry.opid as string | number }),
    sessionUser: entry.lsid?.uid instanceof Binary ? entry.lsid.uid.toString("hex") : undefined,
    users: named.map((user) => String(user.user)),
    namespace: String(entry.ns ?? ""),
    what: verb ?? String(entry.op ?? entry.type ?? "operation"),
    inTransaction,
    writes: writeOperations.has(String(entry.op)) || verb !== undefined || mergesOrOuts(command),
    active: entry.active !== false,
  };
}

function mergesOrOuts(command: Document): boolean {
  const pipeline = command.pipeline as Document[] | undefined;
  return Array.isArray(pipeline) && pipeline.some((stage) => "$out" in stage || "$merge" in stage);
}

/** Those that could still write in one of the databases for one of the users, or for nobody the server names. */
export function relevantOperations(
  operations: readonly ParsedOperation[],
  users: readonly string[],
  databases: readonly string[],
): RunningOperation[] {
  const sessionUsers = new Set(users.map(sessionUserOf));
  return operations.filter((operation) => {
    const named = operation.users.length > 0 || operation.sessionUser !== undefined;
    const theirs =
      operation.users.some((user) => users.includes(user)) ||
      (operation.users.length === 0 && sessionUsers.has(operation.sessionUser ?? ""));
    if (named && !theirs) return false;
    // An idle transaction holds writes that its commit brings, and names no collection; an idle connection holds none.
    if (operation.inTransaction) return true;
    return operation.active && operation.writes && (theirs || inScope(operation.namespace, databases));
  });
}

/** `lsid.uid`: the hash of `user@database`. Users of DocumentDB live in `admin`. */
function sessionUserOf(user: string): string {
  return sha256Of(`${user}@admin`);
}

function inScope(namespace: string, databases: readonly string[]): boolean {
  return databases.includes(namespace.split(".")[0] ?? "");
}
