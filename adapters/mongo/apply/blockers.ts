import type { Document, MongoClient } from "mongodb";
import { splitNamespace } from "../../../core/apply/change.ts";
import type { Blocker, Collision } from "../../../core/apply/target.ts";
import { wrap } from "../../../core/bson/build.ts";
import { documentKey } from "../../../core/bson/equality-key.ts";
import { elementsOf, findElement, valueBytes } from "../../../core/bson/raw.ts";
import { sendable } from "../images.ts";

/** A unique value is held by one document, an array's values by several. */
const blockersMax = 100;

/**
 * The documents that hold what a colliding write wants, by the value the server named. With a collation other than
 * the simple one the server names a sort key instead: none is found, and the conflict stays open.
 */
export async function findBlockers(client: MongoClient, collision: Collision): Promise<Blocker[]> {
  const { write, keyValue } = collision;
  if (!keyValue) return [];
  const { database, collection } = splitNamespace(write.namespace);
  const target = client.db(database).collection(collection);
  const index = await indexOf(await target.listIndexes().toArray(), collision);
  const filter: Document = { $and: [equalities(keyValue), index?.partialFilterExpression ?? {}] };
  const options = { raw: true, limit: blockersMax, ...(index?.collation && { collation: index.collation }) };
  const found = (await target.find(filter, options).toArray()) as unknown as Uint8Array[];
  return found.flatMap((image) => {
    const key = documentKey(image);
    const id = findElement(image, "_id");
    return key === undefined || !id || key === write.key ? [] : [{ key, id: wrap(id, "_id"), image }];
  });
}

async function indexOf(indexes: readonly Document[], { message }: Collision): Promise<Document | undefined> {
  const name = /index: (\S+)/.exec(message)?.[1];
  return indexes.find((index) => index.name === name);
}

/** `{<field>: {$eq: <value>}, …}`; maps keep the order of a value's own fields. */
function equalities(keyValue: Uint8Array): Map<string, Document> {
  return new Map(
    [...elementsOf(keyValue)].map((element) => [
      element.name,
      new Map([["$eq", sendable(element.type, valueBytes(element))]]) as unknown as Document,
    ]),
  );
}
