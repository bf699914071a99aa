/** The changes of a committed transaction: the operations inside its oplog entries, under the commit's time. */
import { decode } from "../engine/codec.ts";
import { Binary, type Document, isDocument, Timestamp, type Value } from "../engine/value.ts";
import { MARK_WORDS, Mark } from "../storage/oplog-entry.ts";
import type { Storage } from "../storage/storage.ts";
import { packTs, type Ts } from "../storage/timestamp.ts";
import { documentKeyOf } from "../storage/write-unit.ts";
import { encodeReply } from "../wire/writer.ts";
import { type EntryView, entryAt, fieldBytes, isDelta, wallOf } from "./entry.ts";
import type { DocumentChange } from "./event-writer.ts";

/** Operations of the entry, and of the ones before it when the transaction was too large for one. */
function operationsOf(storage: Storage, last: EntryView): Document[] {
  const parts: Document[][] = [];
  let entry: EntryView | undefined = last;
  while (entry) {
    const list = decode(entry.body).get("applyOps");
    parts.push(Array.isArray(list) ? list.filter(isDocument) : []);
    entry = previousOf(storage, entry);
  }
  return parts.toReversed().flat();
}

function previousOf(storage: Storage, entry: EntryView): EntryView | undefined {
  const previous = decode(entry.bytes).get("prevOpTime");
  const time = isDocument(previous) ? previous.get("ts") : undefined;
  if (!(time instanceof Timestamp) || time.high === 0) return undefined;
  return entryOf(storage, packTs(time.high >>> 0, time.low >>> 0));
}

function entryOf(storage: Storage, ts: Ts): EntryView | undefined {
  for (const chunk of storage.oplog.chunksFrom(ts, 1)) {
    const { marks } = chunk;
    for (let at = 0; at < marks.length; at += MARK_WORDS) {
      if (packTs(marks[at + Mark.Seconds]!, marks[at + Mark.Increment]!) === ts)
        return entryAt(chunk, at, ts);
    }
  }
  return undefined;
}

function decodeLong(bytes: Uint8Array | undefined): bigint {
  if (!bytes) return 0n;
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0, true);
}

/** Changes of documents in the order they were made; none for a part of a transaction that isn't its end. */
export function transactionChanges(storage: Storage, entry: EntryView): DocumentChange[] {
  if (fieldBytes(entry.body, "partialTxn")) return [];
  const lsid = fieldBytes(entry.bytes, "lsid");
  const transaction = lsid && { lsid, number: decodeLong(fieldBytes(entry.bytes, "txnNumber")) };
  const wall = wallOf(entry.bytes);
  return operationsOf(storage, entry).flatMap((value, index) => {
    const operation = value.get("op") as string;
    if (operation !== "i" && operation !== "u" && operation !== "d") return [];
    const body = encodeReply(value.get("o") as Document);
    const uuid = value.get("ui");
    return [
      {
        position: { ts: entry.ts, operation: index, fragment: 0, kind: "event" as const },
        seconds: entry.seconds,
        increment: entry.increment,
        wall,
        operation,
        ns: value.get("ns") as string,
        uuid: uuid instanceof Binary ? uuid.buffer.subarray(0, uuid.position) : undefined,
        body,
        key: keyOf(operation, value.get("o2"), body),
        delta: operation === "u" && isDelta(body),
        transaction,
      },
    ];
  });
}

function keyOf(operation: "i" | "u" | "d", second: Value | undefined, body: Uint8Array): Uint8Array {
  if (operation === "d") return body;
  return isDocument(second) ? encodeReply(second) : documentKeyOf(body);
}
