/** Write statements as raw BSON: images reach the server as the bytes the log holds, field order, types and all. */

import type { Write } from "../../../core/apply/target.ts";
import { documentOf } from "../../../core/bson/build.ts";
import { BsonType, elementsOf, valueBytes } from "../../../core/bson/raw.ts";

/** What the server takes for one statement: 16 MB and 16 KB for what is around the document. */
const statementBytesMax = 16 * 1024 * 1024 + 16 * 1024;

/** `{q: …, u: …, upsert: true}`, written in place: this runs once for every change. */
export function replaceStatement(id: Uint8Array, post: Uint8Array): Uint8Array {
  const query = queryOf(id);
  const length = 4 + 3 + query.length + 3 + post.length + 9 + 1;
  const bytes = Buffer.allocUnsafe(length);
  let offset = bytes.writeInt32LE(length, 0);
  offset = bytes.writeUInt8(BsonType.object, offset);
  offset += bytes.write("q\0", offset, "latin1");
  bytes.set(query, offset);
  offset += query.length;
  offset = bytes.writeUInt8(BsonType.object, offset);
  offset += bytes.write("u\0", offset, "latin1");
  bytes.set(post, offset);
  offset += post.length;
  offset = bytes.writeUInt8(BsonType.boolean, offset);
  offset += bytes.write("upsert\0", offset, "latin1");
  offset = bytes.writeUInt8(1, offset);
  bytes.writeUInt8(0, offset);
  return bytes;
}

const one = Uint8Array.of(1, 0, 0, 0);

/** `{q: …, limit: 1}`. */
export function deleteStatement(id: Uint8Array): Uint8Array {
  return documentOf([
    { name: "q", type: BsonType.object, value: queryOf(id) },
    { name: "limit", type: BsonType.int32, value: one },
  ]);
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
  return post !== null && queryOf(id).length + post.length + 64 > statementBytesMax;
}
