/** Documents behind a change: as they are now, as they were before, as they were right after. */
import { decode, encode } from "../engine/codec.ts";
import { keyOf } from "../engine/keystring.ts";
import { applyOplogUpdate } from "../engine/update/index.ts";
import type { Value } from "../engine/value.ts";
import type { Storage } from "../storage/storage.ts";
import type { DocumentChange } from "./event-writer.ts";

export class Images {
  private readonly storage: Storage;

  constructor(storage: Storage) {
    this.storage = storage;
  }

  /** What the document is at this moment: later than the change, perhaps, or gone. */
  current(ns: string, uuid: Uint8Array | undefined, key: Uint8Array): Uint8Array | undefined {
    const collection = this.storage.catalog.get(ns);
    if (!collection) return undefined;
    if (uuid && Buffer.compare(collection.uuid, uuid) !== 0) return undefined;
    return collection.byKey(keyOf([decode(key).get("_id") as Value]))?.document;
  }

  before(change: DocumentChange): Uint8Array | undefined {
    return this.storage.preImageOf(change.position.ts, change.position.operation);
  }

  after(change: DocumentChange): Uint8Array | undefined {
    const before = this.before(change);
    return before && encode(applyOplogUpdate(decode(before), decode(change.body)));
  }
}
