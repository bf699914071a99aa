/** What a restore left on the scratch server, against what was dumped. */
import type { CollectionInfo, MongoClient } from "mongodb";
import { RawScan } from "../../adapters/mongo/raw-scan.ts";
import {
  type CollectionShape,
  compareIndexes,
  compareOptions,
  shapeOf,
  shapeOfMetadata,
} from "../../core/backup/collection-shape.ts";
import { compareCollections, namespaceOf } from "../../core/backup/compare-content.ts";
import { ContentDigest } from "../../core/backup/content-digest.ts";
import type { BackupManifest, DumpedCollection } from "../../core/backup/documents.ts";
import type { ServiceContext } from "../runtime/definition.ts";
import { Progress } from "../runtime/progress.ts";
import { markDatabase } from "./scratch.ts";

const bucketsPrefix = "system.buckets.";

/**
 * What isn't restored into a scratch server, as mongorestore's patterns: users and roles would become the server's own,
 * `config` is the server's, and the mark is the verification's.
 */
export const notRestored: readonly string[] = ["admin.system.*", "config.*", `${markDatabase}.*`];

export function isRestored({ database, name }: Pick<DumpedCollection, "database" | "name">): boolean {
  if (database === "config" || database === markDatabase) return false;
  return !(database === "admin" && name.startsWith("system."));
}

interface Found extends Omit<DumpedCollection, "metadata"> {
  readonly shape: CollectionShape;
}

/**
 * Reads every document on the scratch server, and the options of its collections. A line for each difference. Fails with
 * what the driver throws.
 * @param twice documents of a collection, by its namespace, that the dump holds twice: only one of each can be there
 */
export async function compareDocuments(
  service: ServiceContext,
  client: MongoClient,
  { id: backupId, collections }: Pick<BackupManifest, "id" | "collections">,
  twice: ReadonlyMap<string, number>,
): Promise<string[]> {
  const expected = collections.filter(isRestored);
  const documents = expected.reduce((sum, one) => sum + one.documents, 0);
  const progress = new Progress(service, "documents", documents, { backupId, stage: "compare" });
  const found: Found[] = [];
  for (const database of await databasesOn(client)) {
    const listed: CollectionInfo[] = await client
      .db(database)
      .listCollections({}, { nameOnly: false })
      .toArray();
    for (const info of listed.filter(({ name }) => holdsContent(database, name))) {
      found.push(await read(client, database, info, { progress, signal: service.signal }));
    }
  }
  const shapes = new Map(found.map((one) => [namespaceOf(one), one.shape]));
  return [
    ...compareCollections(
      expected,
      found.map((one) => withTwice(one, expected, twice.get(namespaceOf(one)) ?? 0)),
      "on the scratch server",
    ),
    ...expected.flatMap((one) => {
      const shape = shapes.get(namespaceOf(one));
      return shape ? compareOptions(namespaceOf(one), shapeOfMetadata(one.metadata), shape) : [];
    }),
  ];
}

/** Which of two documents was restored is not known here: their number is what can be compared. */
function withTwice(found: Found, expected: readonly DumpedCollection[], count: number): Found {
  const dumped = expected.find((one) => namespaceOf(one) === namespaceOf(found));
  if (count === 0 || !dumped) return found;
  return { ...found, documents: found.documents + count, bytes: dumped.bytes, content: dumped.content };
}

/**
 * Compares the indexes on the scratch server, once they are built; of a collection that `isChanged` says had them changed
 * while it was dumped they are said and not judged.
 */
export async function compareBuiltIndexes(
  client: MongoClient,
  dumped: readonly DumpedCollection[],
  isChanged: (namespace: string) => boolean,
): Promise<{ differences: string[]; notCompared: string[] }> {
  const differences: string[] = [];
  const notCompared: string[] = [];
  for (const one of dumped.filter(isRestored)) {
    const expected = shapeOfMetadata(one.metadata);
    const namespace = namespaceOf(one);
    if (isChanged(namespace))
      notCompared.push(`${namespace}: its indexes or options were changed while it was dumped`);
    else if (expected.type !== "view") {
      const name = one.name.startsWith(bucketsPrefix) ? one.name.slice(bucketsPrefix.length) : one.name;
      const indexes = await client.db(one.database).collection(name).listIndexes().toArray();
      differences.push(...compareIndexes(namespace, expected, shapeOf(expected.type, {}, indexes)));
    }
  }
  return { differences, notCompared };
}

async function databasesOn(client: MongoClient): Promise<string[]> {
  const { databases } = await client.db("admin").command({ listDatabases: 1, nameOnly: true });
  return (databases as { name: string }[])
    .map(({ name }) => name)
    .filter((name) => name !== "local" && name !== "config" && name !== markDatabase);
}

/** Views and time series have collections of the server's own behind them, which are no content. */
function holdsContent(database: string, name: string): boolean {
  if (database === "admin" && name.startsWith("system.")) return false;
  return name !== "system.views" && !name.startsWith(bucketsPrefix);
}

interface Reading {
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

async function read(
  client: MongoClient,
  database: string,
  info: CollectionInfo,
  reading: Reading,
): Promise<Found> {
  const type = info.type ?? "collection";
  // The archive has a time series by the collection that holds its documents.
  const name = type === "timeseries" ? bucketsPrefix + info.name : info.name;
  const shape = shapeOf(type, info.options as Record<string, unknown>, []);
  const content = type === "view" ? emptyContent : await scan(client, database, name, reading);
  return { database, name, shape, ...content };
}

const emptyContent = { documents: 0, bytes: 0, content: String(new ContentDigest()) };

async function scan(
  client: MongoClient,
  database: string,
  collection: string,
  { progress, signal }: Reading,
): Promise<Omit<DumpedCollection, "metadata" | "database" | "name">> {
  const digest = new ContentDigest();
  let documents = 0;
  let bytes = 0;
  await using documentsOf = new RawScan(client, { database, collection });
  for (let batch = await documentsOf.next(); batch.length > 0; batch = await documentsOf.next()) {
    signal.throwIfAborted();
    for (const document of batch) {
      digest.add(document);
      bytes += document.length;
    }
    documents += batch.length;
    progress.add(batch.length);
  }
  return { documents, bytes, content: String(digest) };
}
