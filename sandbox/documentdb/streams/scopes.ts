/** Where change streams are enabled, with DocumentDB's wildcard rules: "" stands for every database or collection. */

export interface Scope {
  readonly database: string;
  readonly collection: string;
  /** Cluster time from which its changes are recorded, as a decimal text of the 64 bits. */
  readonly since: string;
}

function covers(scope: Scope, database: string, collection: string): boolean {
  if (scope.database !== "" && scope.database !== database) return false;
  return scope.collection === "" || scope.collection === collection;
}

/** Whether a change of `database.collection` at `time` was recorded: a scope covering it was on by then. */
export function isRecorded(
  scopes: readonly Scope[],
  database: string,
  collection: string,
  time: bigint,
): boolean {
  return scopes.some((scope) => covers(scope, database, collection) && BigInt(scope.since) <= time);
}

/** The scopes after `modifyChangeStreams`. Enabling what is enabled keeps its history; disabling removes that scope alone. */
export function modifyScopes(
  scopes: readonly Scope[],
  change: { database: string; collection: string; enable: boolean; time: bigint },
): Scope[] {
  const same = (scope: Scope) => scope.database === change.database && scope.collection === change.collection;
  if (!change.enable) return scopes.filter((scope) => !same(scope));
  if (scopes.some(same)) return [...scopes];
  return [
    ...scopes,
    { database: change.database, collection: change.collection, since: String(change.time) },
  ];
}
