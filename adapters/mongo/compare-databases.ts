import { deserialize, EJSON } from "bson";
import { MongoClient } from "mongodb";
import { compareCollection } from "./compare.ts";

export interface ComparedPair {
  readonly database: string;
  readonly collection: string;
  readonly source: number;
  readonly target: number;
  readonly equal: number;
  readonly differing: number;
  /** `_id`s of the first differing documents, as canonical extended JSON. */
  readonly ids: readonly string[];
}

const idsMax = 20;

/**
 * Two databases document by document, by their connection strings: what a drill or a person holds against a verdict.
 * Knows no log, no tail and no conflict; whatever differs is reported. Built on the comparison alone.
 */
export async function compareDatabases(
  sourceUri: string,
  targetUri: string,
  scope: readonly { readonly name: string; readonly collections: readonly string[] }[],
): Promise<ComparedPair[]> {
  const source = new MongoClient(sourceUri, { retryWrites: false, readPreference: "primary" });
  const target = new MongoClient(targetUri, { retryWrites: false, readPreference: "primary" });
  const pairs: ComparedPair[] = [];
  try {
    for (const { name: database, collections } of scope) {
      for (const collection of collections) {
        const ids: string[] = [];
        const counts = await compareCollection({
          source: { client: source },
          target: { client: target },
          database,
          collection,
          onDifference: ({ id }) => {
            if (ids.length >= idsMax) return;
            const { _id } = deserialize(id, { promoteValues: false, bsonRegExp: true });
            ids.push(EJSON.stringify(_id, { relaxed: false }));
          },
        });
        pairs.push({ database, collection, ...counts, ids });
      }
    }
    return pairs;
  } finally {
    await Promise.allSettled([source.close(), target.close()]);
  }
}
