import { documentOf } from "../bson/build.ts";
import { equalityKey } from "../bson/equality-key.ts";
import { documentIn, findElement, textIn, valueBytes } from "../bson/raw.ts";
import type { ChangeEvent, RawValue } from "../changes/event.ts";

/** A change as the log holds it, taken apart only as far as applying needs. Bytes are slices of the log's object. */
export interface Change {
  readonly sequence: number;
  /** `operationType`: insert, update, replace, delete, drop, rename, dropDatabase, invalidate, or one not known yet. */
  readonly operation: string;
  readonly database: string;
  readonly namespace: string;
  /** `{_id: <value>}` of the document; absent on DDL. */
  readonly id?: Uint8Array;
  /** The `_id` under the server's own equality. */
  readonly key?: string;
  /** The document after the change, or at the later time its lookup ran; absent when the lookup found none. */
  readonly post?: Uint8Array;
  /** Namespace a rename leads to. */
  readonly to?: string;
}

export interface Namespace {
  readonly database: string;
  readonly collection: string;
}

/** The database name holds no dot, so the first one parts it from the collection's. */
export function splitNamespace(namespace: string): Namespace {
  const dot = namespace.indexOf(".");
  return { database: namespace.slice(0, dot), collection: namespace.slice(dot + 1) };
}

/** Takes an event of the log apart; throws BsonError when its document is no BSON. */
export function changeOf(sequence: number, event: ChangeEvent): Change {
  const { operationType: operation, database, collection, raw } = event;
  const namespace = `${database}.${collection}`;
  const post = event.fullDocument === "present" ? documentIn(findElement(raw, "fullDocument")) : undefined;
  // The image's own `_id` wins: a late lookup may find the same key inserted anew with another numeric type.
  const id = (post && idOf(post)) ?? event.id;
  const change = { sequence, operation, database, namespace };
  if (!id) return operation === "rename" ? { ...change, ...renameTarget(raw) } : change;
  return {
    ...change,
    id: documentOf([{ name: "_id", type: id.type, value: id.bytes }]),
    key: equalityKey(id),
    ...(post && { post }),
  };
}

function idOf(document: Uint8Array): RawValue | undefined {
  const id = findElement(document, "_id");
  return id && { type: id.type, bytes: valueBytes(id) };
}

function renameTarget(raw: Uint8Array): { to?: string } {
  const to = documentIn(findElement(raw, "to"));
  const database = to && textIn(findElement(to, "db"));
  const collection = to && textIn(findElement(to, "coll"));
  return database && collection ? { to: `${database}.${collection}` } : {};
}
