/** Oplog entries of a committed transaction: one applyOps, or a chain of them when it is large. */
import { Binary } from "../engine/value.ts";
import type { Session } from "../server/sessions.ts";
import type { Ts } from "../storage/timestamp.ts";
import { documentKeyOf, type WriteRecord, type WriteUnit } from "../storage/write-unit.ts";
import { BsonWriter } from "../wire/writer.ts";

/** An entry stays below the largest document a client can read; single operations are smaller by far or alone. */
const ENTRY_BYTES = 12_582_912;
const OPERATION_OVERHEAD = 300;

function writeOperation(writer: BsonWriter, position: number, record: WriteRecord): void {
  const { collection, operation, body, after } = record;
  const at = writer.beginObject(String(position));
  writer.string("op", operation);
  writer.string("ns", collection.ns);
  writer.value("ui", new Binary(collection.uuid, 4));
  writer.document("o", body);
  if (operation !== "d") writer.document("o2", documentKeyOf(after!));
  writer.end(at);
}

function applyOps(
  records: readonly WriteRecord[],
  last: boolean,
  total: number,
  single: boolean,
): Uint8Array {
  const writer = new BsonWriter(4096);
  const start = writer.begin();
  const list = writer.beginArray("applyOps");
  for (const [position, record] of records.entries()) writeOperation(writer, position, record);
  writer.end(list);
  if (!last) writer.boolean("partialTxn", true);
  else if (!single) writer.long("count", total);
  writer.end(start);
  return new Uint8Array(writer.bytes());
}

function groups(records: readonly WriteRecord[]): WriteRecord[][] {
  const made: WriteRecord[][] = [[]];
  let bytes = 0;
  for (const record of records) {
    const size = record.body.length + OPERATION_OVERHEAD;
    if (bytes > 0 && bytes + size > ENTRY_BYTES) {
      made.push([]);
      bytes = 0;
    }
    made.at(-1)!.push(record);
    bytes += size;
  }
  return made;
}

/**
 * Logs a transaction's changes and keeps the pre-images their collections ask for.
 * @returns the timestamp of the commit: that of the last entry
 */
export function logTransaction(
  unit: WriteUnit,
  session: Session,
  number: bigint,
  records: readonly WriteRecord[],
): Ts {
  let previous: Ts = 0;
  const all = groups(records);
  for (const [index, group] of all.entries()) {
    const last = index === all.length - 1;
    previous = unit.log({
      operation: "c",
      ns: "admin.$cmd",
      uuid: undefined,
      body: applyOps(group, last, records.length, all.length === 1),
      key: undefined,
      retry: { lsid: session.lsid, transactionNumber: number, statement: undefined, previous },
    });
  }
  for (const [position, record] of records.entries()) {
    if (!record.before || !record.collection.preImages) continue;
    unit.storage.keepPreImage(previous, position, record.collection.uuid, record.before);
  }
  return previous;
}
