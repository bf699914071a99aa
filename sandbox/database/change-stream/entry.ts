/** One oplog entry as a change stream sees it: parts by position, nothing decoded. */
import { rawField } from "../engine/raw.ts";
import type { Chunk } from "../storage/oplog.ts";
import type { OplogOperation } from "../storage/oplog-entry.ts";
import { Mark } from "../storage/oplog-entry.ts";
import type { Ts } from "../storage/timestamp.ts";

export interface EntryView {
  ts: Ts;
  seconds: number;
  increment: number;
  operation: OplogOperation;
  /** Number of the namespace in the oplog's table. */
  namespace: number;
  /** The whole entry. */
  bytes: Uint8Array;
  /** Field `o`. */
  body: Uint8Array;
  /** Field `o2`; undefined when there is none. */
  key: Uint8Array | undefined;
}

function subdocument(bytes: Uint8Array, at: number): Uint8Array {
  const length = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  return bytes.subarray(at, at + length);
}

/** The entry whose marks begin at `at`. */
export function entryAt(chunk: Chunk, at: number, ts: Ts): EntryView {
  const { marks } = chunk;
  const offset = marks[at + Mark.Offset]!;
  const bytes = chunk.bytes.subarray(offset, offset + marks[at + Mark.Length]!);
  const key = marks[at + Mark.Key]!;
  return {
    ts,
    seconds: marks[at + Mark.Seconds]!,
    increment: marks[at + Mark.Increment]!,
    operation: String.fromCharCode(marks[at + Mark.Operation]!) as OplogOperation,
    namespace: marks[at + Mark.Namespace]!,
    bytes,
    body: subdocument(bytes, marks[at + Mark.Body]!),
    key: key === 0 ? undefined : subdocument(bytes, key),
  };
}

/** The bytes of a field's value; undefined when the document has no such field. */
export function fieldBytes(document: Uint8Array, name: string): Uint8Array | undefined {
  const field = rawField(document, name);
  return field && document.subarray(field.start, field.end);
}

/** Milliseconds since 1970 of the entry's `wall`. */
export function wallOf(entry: Uint8Array): bigint {
  const field = rawField(entry, "wall")!;
  return new DataView(entry.buffer, entry.byteOffset + field.start, 8).getBigInt64(0, true);
}

/** True for an update that says what changed, false for one that replaces the document. */
export function isDelta(body: Uint8Array): boolean {
  return body[5] === 0x24 && body[6] === 0x76 && body[7] === 0;
}
