import type { OplogOperation } from "./entry.ts";

/** Commands the restore runs itself, declared before: DDL names no session in the oplog. */
export interface DeclaredCommand {
  readonly namespace: string;
  readonly command: string;
}

/** What one of the restore's own DDL commands leaves in the oplog. */
const traces: Readonly<Record<string, readonly string[]>> = {
  drop: ["drop"],
  renameCollection: ["renameCollection"],
  createIndexes: ["createIndexes", "startIndexBuild", "commitIndexBuild", "abortIndexBuild"],
};

export interface OwnWrites {
  /** Hex ids of the restore's sessions, of every run. */
  readonly sessions: ReadonlySet<string>;
  readonly commands: readonly DeclaredCommand[];
}

/**
 * True for an operation in scope that the restore did not do (invariants.md 22). Creating a collection is nobody's
 * write: it changes no document, and the comparison of catalogs sees what it made.
 */
export function isForeign(operation: OplogOperation, own: OwnWrites): boolean {
  if (operation.session !== undefined) return !own.sessions.has(operation.session);
  if (operation.kind !== "c") return true;
  if (operation.command === "create") return false;
  return !own.commands.some(
    ({ namespace, command }) =>
      namespace === operation.namespace && traces[command]?.includes(operation.command ?? ""),
  );
}

/** True when an operation touches a collection of the scope, or a whole database of it. */
export function isInScope(operation: OplogOperation, namespaces: ReadonlySet<string>): boolean {
  if (namespaces.has(operation.namespace)) return true;
  if (operation.kind !== "c" || !operation.namespace.endsWith(".")) return false;
  return [...namespaces].some((namespace) => namespace.startsWith(operation.namespace));
}
