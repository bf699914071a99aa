/** The TTL monitor: documents whose date lies too far back are deleted, and logged like any other delete. */
import { decode } from "../engine/codec.ts";
import { DateTime, type Document, type Value } from "../engine/value.ts";
import type { Collection } from "./collection.ts";
import type { Index } from "./index.ts";
import type { Storage } from "./storage.ts";

/** Deletes of one pass over an index are one transaction of at most so many documents. */
const BATCH = 1000;

/** The earliest date among a field's values; documents without one never expire. */
function earliest(document: Document, field: string): bigint | undefined {
  let values: Value[] = [document];
  for (const part of field.split(".")) {
    values = values.flatMap((value) => {
      const inner = value instanceof Map ? value.get(part) : undefined;
      return inner === undefined ? [] : Array.isArray(inner) ? inner : [inner];
    });
  }
  let least: bigint | undefined;
  for (const value of values) {
    if (value instanceof DateTime && (least === undefined || value.milliseconds < least))
      least = value.milliseconds;
  }
  return least;
}

export class TtlMonitor {
  private readonly storage: Storage;
  passes = 0;
  deleted = 0;

  constructor(storage: Storage) {
    this.storage = storage;
  }

  /** One pass over all TTL indexes. */
  run(now: number): void {
    this.passes++;
    for (const collection of this.storage.catalog.all()) {
      for (const index of collection.indexes) {
        if (index.expireAfterSeconds !== undefined)
          this.expire(collection, index, BigInt(now) - BigInt(Math.floor(index.expireAfterSeconds * 1000)));
      }
    }
  }

  private expire(collection: Collection, index: Index, before: bigint): void {
    const field = index.fields[0]!;
    let expired = this.find(collection, index, field, before);
    while (expired.length > 0) {
      const batch = expired;
      this.storage.write((unit) => {
        for (const rid of batch) {
          const row = collection.byRid(rid);
          if (row) unit.remove(collection, row);
        }
      });
      this.deleted += batch.length;
      expired = batch.length < BATCH ? [] : this.find(collection, index, field, before);
    }
  }

  private find(collection: Collection, index: Index, field: string, before: bigint): number[] {
    const found: number[] = [];
    const rows = collection
      .statement("SELECT rid, document FROM $ ORDER BY rid")
      .iterate() as IterableIterator<{ rid: number; document: Uint8Array }>;
    for (const row of rows) {
      const document = decode(row.document);
      const date = earliest(document, field);
      if (date === undefined || date > before || (index.partial && !index.partial(document))) continue;
      found.push(row.rid);
      if (found.length >= BATCH) break;
    }
    return found;
  }
}
