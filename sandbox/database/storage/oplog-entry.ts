/** Writes oplog entries in the server's own format, field by field in its order, straight into one buffer. */
import type { BsonWriter } from "../wire/writer.ts";
import { type Ts, tsIncrement, tsSeconds } from "./timestamp.ts";

/** `i` insert, `u` update or replacement, `d` delete, `c` command, `n` no-op. */
export type OplogOperation = "i" | "u" | "d" | "c" | "n";

/** What a retryable write adds to its entries. */
export interface RetryInfo {
  /** The session's id document `{id, uid}` as bytes. */
  lsid: Uint8Array;
  transactionNumber: bigint;
  /** Number of the statement; a transaction has none. */
  statement: number | undefined;
  /** Timestamp of the write before it in the same retryable batch; 0 when it is the first. */
  previous: Ts;
}

export interface OplogEntry {
  operation: OplogOperation;
  ns: string;
  uuid: Uint8Array | undefined;
  /** Field `o` as bytes. */
  body: Uint8Array;
  /** Field `o2` as bytes: the document key, or a command's extra information. */
  key: Uint8Array | undefined;
  retry?: RetryInfo | undefined;
  /** The entry stands for changes made by chunk migration or a replay; unused fields stay away. */
  wall: number;
  term: number;
}

/** Marks: eight 32 bit numbers an entry, so that readers find its parts without parsing it. */
export const MARK_WORDS = 8;
export const Mark = {
  Offset: 0,
  Length: 1,
  Seconds: 2,
  Increment: 3,
  Namespace: 4,
  Operation: 5,
  Body: 6,
  Key: 7,
} as const;

function retryHead(writer: BsonWriter, retry: RetryInfo): void {
  writer.document("lsid", retry.lsid);
  writer.long("txnNumber", retry.transactionNumber);
}

function retryTail(writer: BsonWriter, retry: RetryInfo, term: number): void {
  const at = writer.beginObject("prevOpTime");
  writer.timestamp("ts", tsSeconds(retry.previous), tsIncrement(retry.previous));
  writer.long("t", retry.previous === 0 ? -1 : term);
  writer.end(at);
}

/** Appends `entry` to the buffer of its commit and its marks to `marks`. */
export function writeEntry(
  writer: BsonWriter,
  marks: number[],
  entry: OplogEntry,
  ts: Ts,
  namespaceNumber: number,
): void {
  const offset = writer.begin();
  if (entry.retry) retryHead(writer, entry.retry);
  writer.string("op", entry.operation);
  writer.string("ns", entry.ns);
  if (entry.uuid) writer.binary("ui", entry.uuid, 4);
  writer.document("o", entry.body);
  const body = writer.length - entry.body.length - offset;
  let key = 0;
  if (entry.key) {
    writer.document("o2", entry.key);
    key = writer.length - entry.key.length - offset;
  }
  if (entry.retry?.statement !== undefined) writer.int32("stmtId", entry.retry.statement);
  writer.timestamp("ts", tsSeconds(ts), tsIncrement(ts));
  writer.long("t", entry.term);
  writer.long("v", 2);
  writer.date("wall", entry.wall);
  if (entry.retry) retryTail(writer, entry.retry, entry.term);
  writer.end(offset);
  marks.push(
    offset,
    writer.length - offset,
    tsSeconds(ts),
    tsIncrement(ts),
    namespaceNumber,
    entry.operation.charCodeAt(0),
    body,
    key,
  );
}
