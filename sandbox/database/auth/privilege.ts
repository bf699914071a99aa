/** Resources and actions: what a privilege names and when it covers a request. Rules of the server's authorization session. */

export type Resource =
  | { readonly kind: "namespace"; readonly database: string; readonly collection: string }
  | { readonly kind: "cluster" }
  | { readonly kind: "any" };

export interface Privilege {
  readonly resource: Resource;
  readonly actions: ReadonlySet<string>;
}

/** What a command needs: every action on the resource. */
export interface Need {
  readonly resource: Resource;
  readonly actions: readonly string[];
}

export const CLUSTER: Resource = { kind: "cluster" };
export const ANY: Resource = { kind: "any" };

export function namespace(database: string, collection: string): Resource {
  return { kind: "namespace", database, collection };
}

export function need(resource: Resource, ...actions: string[]): Need {
  return { resource, actions };
}

/** What a command needs that concerns the whole cluster. */
export const onCluster = (action: string) => (): Need[] => [need(CLUSTER, action)];

function isSystemCollection(name: string): boolean {
  return name.startsWith("system.");
}

/** `local` and `config` hold the server's own collections: a wildcard over all databases doesn't cover them. */
function ownDatabase(database: string): boolean {
  return database === "local" || database === "config";
}

function coversNamespace(
  held: Resource & { kind: "namespace" },
  wanted: Resource & { kind: "namespace" },
): boolean {
  if (held.database === wanted.database && held.collection === wanted.collection) return true;
  if (wanted.collection === "")
    return held.database === "" && held.collection === "" && !ownDatabase(wanted.database);
  const ordinary = !isSystemCollection(wanted.collection);
  if (held.collection === "") {
    if (held.database === "") return ordinary && !ownDatabase(wanted.database);
    return ordinary && held.database === wanted.database;
  }
  return held.database === "" && held.collection === wanted.collection;
}

function covers(held: Resource, wanted: Resource): boolean {
  if (held.kind === "any") return true;
  if (held.kind === "cluster" || wanted.kind === "cluster") return held.kind === wanted.kind;
  if (wanted.kind === "any") return false;
  return coversNamespace(held, wanted);
}

/** True when the privileges together give every action needed. */
export function satisfies(privileges: readonly Privilege[], wanted: Need): boolean {
  return wanted.actions.every((action) =>
    privileges.some(
      (held) =>
        (held.actions.has(action) || held.actions.has("anyAction")) && covers(held.resource, wanted.resource),
    ),
  );
}
