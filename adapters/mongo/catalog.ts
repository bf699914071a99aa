import { EJSON } from "bson";
import type { CollectionInfo, Document, MongoClient } from "mongodb";
import type { Catalog, CatalogCollection } from "../../core/failback/documents.ts";

/**
 * Collections of the databases with options and indexes, as the server gives them, in relaxed extended JSON.
 * Views and `system.…` collections are left out: they hold no documents of their own that are replicated.
 */
export async function readCatalog(
  client: MongoClient,
  databases: readonly string[],
  takenAt: Date,
): Promise<Catalog> {
  const collections: CatalogCollection[] = [];
  for (const database of databases) {
    const listed: CollectionInfo[] = await client
      .db(database)
      .listCollections({}, { nameOnly: false })
      .toArray();
    const own = listed.filter(({ name, type }) => type !== "view" && !name.startsWith("system."));
    for (const { name, options } of own.sort((left, right) => (left.name < right.name ? -1 : 1))) {
      const indexes = await client.db(database).collection(name).listIndexes().toArray();
      collections.push({
        database,
        name,
        options: plain(options ?? {}),
        indexes: indexes.map(plain),
      });
    }
  }
  return { takenAt: takenAt.toISOString(), collections };
}

function plain(document: Document): Record<string, unknown> {
  return EJSON.serialize(document, { relaxed: true }) as Record<string, unknown>;
}
