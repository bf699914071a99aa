import type { Document } from "mongodb";
import type { RunningOperation } from "../../core/access/ports.ts";

interface ParsedOperation extends RunningOperation {
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
    id: entry.opid as string | number,
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
  return operations.filter((operation) => {
    const theirs = operation.users.some((user) => users.includes(user));
    if (!theirs && operation.users.length > 0) return false;
    // An idle transaction holds writes that its commit brings; an idle connection holds nothing.
    if (operation.inTransaction) return theirs || inScope(operation.namespace, databases);
    return operation.active && operation.writes && (theirs || inScope(operation.namespace, databases));
  });
}

function inScope(namespace: string, databases: readonly string[]): boolean {
  return databases.includes(namespace.split(".")[0] ?? "");
}
