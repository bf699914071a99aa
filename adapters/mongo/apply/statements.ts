/** Write statements as raw BSON: images reach the server as the bytes the log holds, field order, types and all. */

import type { Write } from "../../../core/apply/target.ts";
import { documentOf } from "../../../core/bson/build.ts";
import { BsonType, elementsOf, valueBytes } from "../../../core/bson/raw.ts";

/** What the server takes for one statement: 16 MB and 16 KB for what is around the document. */
const statementBytesMax = 16 * 1024 * 1024 + 16 * 1024;

export type StatementKind = "insert" | "update" | "delete";

export const sequenceFields = { insert: "documents", update: "updates", delete: "deletes" } as const;

/**
 * The document sequence of one command, as it goes over the wire: kind, length, name, then a statement for each write.
 * Written in place, because this runs once for every change: an image is copied once here.
 */
export function sequenceOf(kind: StatementKind, writes: readonly Write[]): Buffer {
  const field = sequenceFields[kind];
  const queries = kind === "insert" ? [] : writes.map(({ id }) => queryOf(id));
  const head = 1 + 4 + field.length + 1;
  let length = head;
  for (const [index, write] of writes.entries()) length += lengthOf(kind, queries[index], write);
  const bytes = Buffer.allocUnsafe(length);
  let offset = bytes.writeUInt8(1, 0);
  offset = bytes.writeInt32LE(length - 1, offset);
  offset += bytes.write(`${field}\0`, offset, "latin1");
  for (const [index, { post }] of writes.entries()) {
    const query = queries[index];
    if (kind === "insert" || !query) offset = append(bytes, offset, post!);
    else if (kind === "update") offset = writeReplace(bytes, offset, query, post!);
    else offset = writeDelete(bytes, offset, query);
  }
  return bytes;
}

/** `{q: …, u: …, upsert: true}` around query and image; `{q: …, limit: 1}` around a query. */
const replaceBytes = 4 + 3 + 3 + 9 + 1;
const deleteBytes = 4 + 3 + 11 + 1;

function lengthOf(kind: StatementKind, query: Uint8Array | undefined, { post }: Write): number {
  if (kind === "insert" || !query) return post!.length;
  return kind === "update" ? replaceBytes + query.length + post!.length : deleteBytes + query.length;
}

function writeReplace(bytes: Buffer, start: number, query: Uint8Array, post: Uint8Array): number {
  let offset = bytes.writeInt32LE(replaceBytes + query.length + post.length, start);
  offset = name(bytes, offset, BsonType.object, "q\0");
  offset = append(bytes, offset, query);
  offset = name(bytes, offset, BsonType.object, "u\0");
  offset = append(bytes, offset, post);
  offset = name(bytes, offset, BsonType.boolean, "upsert\0");
  offset = bytes.writeUInt8(1, offset);
  return bytes.writeUInt8(0, offset);
}

function writeDelete(bytes: Buffer, start: number, query: Uint8Array): number {
  let offset = bytes.writeInt32LE(deleteBytes + query.length, start);
  offset = name(bytes, offset, BsonType.object, "q\0");
  offset = append(bytes, offset, query);
  offset = name(bytes, offset, BsonType.int32, "limit\0");
  offset = bytes.writeInt32LE(1, offset);
  return bytes.writeUInt8(0, offset);
}

function name(bytes: Buffer, start: number, type: number, text: string): number {
  const offset = bytes.writeUInt8(type, start);
  return offset + bytes.write(text, offset, "latin1");
}

function append(bytes: Buffer, offset: number, part: Uint8Array): number {
  bytes.set(part, offset);
  return offset + part.length;
}

/** A document as `_id` could be read as an operator (`{$ref: …}`): it is compared with `$eq`. */
function queryOf(id: Uint8Array): Uint8Array {
  if (id[4] !== BsonType.object) return id;
  const [element] = elementsOf(id);
  const equal = documentOf([{ name: "$eq", type: element!.type, value: valueBytes(element!) }]);
  return documentOf([{ name: "_id", type: BsonType.object, value: equal }]);
}

/** A document that no update statement can hold: it is deleted and inserted instead. */
export function exceedsStatement({ id, post }: Write): boolean {
  return post !== null && queryOf(id).length + post.length + replaceBytes > statementBytesMax;
}
