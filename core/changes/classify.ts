import { documentIn, findElement, textIn } from "../bson/raw.ts";
import type { Scope } from "../failback/documents.ts";
import { controlDatabase } from "../failback/layout.ts";
import { type ChangeEvent, catalogOperations, documentOperations } from "./event.ts";
import type { FlagReason, ManifestObject } from "./manifest.ts";

export type EventKind = ManifestObject["kind"];

/** Tells which events a failback carries back: those of the databases and collections frozen in its scope. */
export function createClassifier(scope: Scope): (event: ChangeEvent) => EventKind {
  const databases = new Map(scope.databases.map(({ name, collections }) => [name, new Set(collections)]));
  const inScope = (database: string, collection: string) => {
    const collections = databases.get(database);
    // An event on the whole database concerns every collection in it.
    return collections !== undefined && (collection === "" || collections.has(collection));
  };
  return (event) => {
    if (event.database === controlDatabase) return "control";
    if (inScope(event.database, event.collection)) return "scope";
    if (event.operationType === "rename") {
      const target = documentIn(findElement(event.raw, "to"));
      if (target && inScope(textAt(target, "db"), textAt(target, "coll"))) return "scope";
    }
    return "held";
  };
}

function textAt(document: Uint8Array, name: string): string {
  return textIn(findElement(document, name)) ?? "";
}

/** Why an event needs a second look; `undefined` for nearly all. None of these stops a capture (invariants.md 9). */
export function flagOf(event: ChangeEvent, oversize: boolean): FlagReason | undefined {
  if (!event.readable) return "unreadable";
  if (oversize) return "oversize";
  if (documentOperations.has(event.operationType)) {
    if (!event.id) return "no-document-key";
    // The lookup comes after the event: by then the document may be gone.
    return event.operationType === "update" && event.fullDocument !== "present" ? "lookup-null" : undefined;
  }
  return catalogOperations.has(event.operationType) ? undefined : "unknown-type";
}

/** `_id` and kind of one of Roundtrip's own signals; `undefined` for what isn't one. */
export function signalOf(event: ChangeEvent): { id: string; kind: string } | undefined {
  if (!documentOperations.has(event.operationType) || event.operationType === "delete") return undefined;
  const key = documentIn(findElement(event.raw, "documentKey"));
  const id = key && textIn(findElement(key, "_id"));
  if (!id) return undefined;
  const document = documentIn(findElement(event.raw, "fullDocument"));
  // A heartbeat is updated in place, and its lookup may find nothing.
  const kind =
    (document && textIn(findElement(document, "kind"))) ?? (id.startsWith("heartbeat") ? "heartbeat" : "");
  return { id, kind };
}
