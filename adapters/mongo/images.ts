import { deserialize } from "bson";
import type { Document, MongoClient } from "mongodb";
import { splitNamespace } from "../../core/apply/change.ts";
import { documentOf } from "../../core/bson/build.ts";
import { documentKey } from "../../core/bson/equality-key.ts";
import { BsonType, elementsOf, findElement, valueBytes } from "../../core/bson/raw.ts";
import { RawScan } from "./raw-scan.ts";

/**
 * A value as the driver can send it: objects become maps, which keep the order of fields whatever their names
 * (JavaScript objects put whole numbers first).
 */
export function sendable(type: number, bytes: Uint8Array): unknown {
  if (type === BsonType.object) {
    return new Map([...elementsOf(bytes)].map((each) => [each.name, sendable(each.type, valueBytes(each))]));
  }
  const document = documentOf([{ name: "value", type, value: bytes }]);
  return deserialize(document, { promoteValues: false, promoteBuffers: false, bsonRegExp: true }).value;
}

/** The documents a collection holds under these `_id`s (`{_id: …}` each), raw, by their equality key. */
export async function readImages(
  client: MongoClient,
  namespace: string,
  ids: readonly Uint8Array[],
  readConcern?: "majority",
): Promise<Map<string, Uint8Array>> {
  const values = ids.map((id) => {
    const element = findElement(id, "_id")!;
    return sendable(element.type, valueBytes(element));
  });
  const filter: Document = { _id: { $in: values } };
  const images = new Map<string, Uint8Array>();
  await using scan = new RawScan(client, {
    ...splitNamespace(namespace),
    filter,
    ...(readConcern && { readConcern }),
  });
  while (true) {
    const documents = await scan.next();
    if (documents.length === 0) return images;
    for (const document of documents) images.set(documentKey(document) ?? "", document);
  }
}
