/** The test's own database: claimed, filled, read back. */
import type { MongoClient } from "mongodb";
import { RawScan } from "../../adapters/mongo/raw-scan.ts";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import {
  drTestBytes,
  drTestDatabase,
  drTestDocument,
  drTestKeys,
  openDrTestKey,
} from "../../core/backup/dr-test.ts";
import { findElement, numberIn } from "../../core/bson/raw.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { ServiceContext } from "../runtime/definition.ts";

const batchSize = 1000;
const findingsMax = 10;
const indexName = "by_number";
const documentsCollection = "documents";
export const heartbeatsCollection = "heartbeats";

/**
 * Makes sure that the database is the test's, and not there: what a killed test left is dropped. Fails `refused` when it is
 * anybody else's. The record of the test stands in the bucket before anything is written.
 */
export async function claimDatabase(
  { store, clock }: Pick<ServiceContext, "store" | "clock">,
  client: MongoClient,
  id: string,
): Promise<void> {
  const collections = await client.db(drTestDatabase).listCollections({}, { nameOnly: true }).toArray();
  const open = (await readJson<{ id: string }>(store, openDrTestKey))?.value;
  if (collections.length > 0 && !open) throw notOurs(collections.map(({ name }) => name));
  if (open) await store.delete([drTestKeys(open.id).archive]);
  await writeJson(store, openDrTestKey, { version: 1, id, startedAt: clock.now().toISOString() });
  if (collections.length > 0) await client.db(drTestDatabase).dropDatabase();
}

/** Drops the database, then the record that it is the test's. */
export async function releaseDatabase(
  { store }: Pick<ServiceContext, "store">,
  client: MongoClient,
): Promise<void> {
  await client.db(drTestDatabase).dropDatabase();
  await store.delete([openDrTestKey]);
}

/** Writes the documents and an index. */
export async function seed(
  client: MongoClient,
  id: string,
  count: number,
  { signal }: Pick<ServiceContext, "signal">,
): Promise<void> {
  const database = client.db(drTestDatabase);
  await database
    .collection(documentsCollection)
    .createIndex({ number: 1 }, { unique: true, name: indexName });
  for (let from = 0; from < count; from += batchSize) {
    signal.throwIfAborted();
    const documents = Array.from({ length: Math.min(batchSize, count - from) }, (_, index) =>
      drTestDocument(id, from + index),
    );
    await database.collection<{ _id: number }>(documentsCollection).insertMany(documents);
  }
}

/** A line for each document and index that isn't as it was written. Fails with what the driver throws. */
export async function compareDocuments(
  client: MongoClient,
  id: string,
  count: number,
  { signal }: Pick<ServiceContext, "signal">,
): Promise<string[]> {
  const findings: string[] = [];
  let differences = 0;
  const differs = (line: string) => {
    if (++differences <= findingsMax) findings.push(line);
  };
  const seen = new Uint8Array(count);
  await using scan = new RawScan(client, { database: drTestDatabase, collection: documentsCollection });
  for (let batch = await scan.next(); batch.length > 0; batch = await scan.next()) {
    signal.throwIfAborted();
    for (const document of batch) {
      const number = numberIn(findElement(document, "_id")) ?? -1;
      if (number < 0 || number >= count || seen[number] === 1) differs(`document ${number}: nobody wrote it`);
      else {
        seen[number] = 1;
        if (!Buffer.from(document).equals(drTestBytes(id, number)))
          differs(`document ${number}: not the bytes that were written`);
      }
    }
  }
  for (const [number, was] of seen.entries()) if (was === 0) differs(`document ${number}: missing`);
  if (differences > findingsMax) findings.push(`… and ${differences - findingsMax} more`);
  const indexes = await indexesOf(client);
  if (!indexes.includes(indexName)) findings.push(`index ${indexName}: missing`);
  return findings;
}

async function indexesOf(client: MongoClient): Promise<string[]> {
  const listed = client.db(drTestDatabase).collection(documentsCollection).listIndexes().toArray();
  // A collection that isn't there has none.
  return (await listed.catch(() => [])).map(({ name }) => String(name));
}

function notOurs(collections: readonly string[]): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what: `use database ${drTestDatabase} of MongoDB for the test`,
    expected: "no such database, or what an earlier test left",
    got: `collections ${collections.slice(0, 5).join(", ")}, and no record of a test`,
    wayOut: `see whose they are; move them, drop ${drTestDatabase}, and run this again`,
  });
}
