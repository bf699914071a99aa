import { Double, Long } from "bson";
import type { Db, MongoClient } from "mongodb";
import type { Ledger } from "./ledger.ts";
import { everyType, type Model, newDocument, newId } from "./model.ts";
import type { Random } from "./random.ts";
import { type DrillCollection, drillCollections, namespaceOf } from "./scope.ts";
import type { Owned, Revisions } from "./workload.ts";

const batch = 500;

/** Unique secondary indexes, which DMS does not carry over: made on both sides, as the index tool would. */
export async function createIndexes(client: MongoClient): Promise<void> {
  for (const { database, collection, unique } of drillCollections.filter(({ late }) => !late)) {
    const db: Db = client.db(database);
    await db.createCollection(collection).catch(ignoreExisting);
    if (unique)
      await db.collection(collection).createIndex({ email: 1 }, { unique: true, name: "email_unique" });
  }
}

function ignoreExisting(error: unknown): void {
  if ((error as { codeName?: string }).codeName !== "NamespaceExists") throw error;
}

/** Fills MongoDB before the full load; each worker owns a part of the documents. */
export async function seedDocuments(
  client: MongoClient,
  random: Random,
  revisions: Revisions,
  ledger: Ledger,
  docs: number,
  workers: number,
): Promise<Owned[]> {
  const owned: Owned[] = Array.from({ length: workers }, () => new Map());
  const collections = drillCollections.filter(({ late }) => !late);
  for (const [index, target] of collections.entries()) {
    const count = Math.ceil(docs / collections.length);
    for (let from = 0; from < count; from += batch) {
      const models = Array.from({ length: Math.min(batch, count - from) }, (_, at) => {
        const rev = revisions.next();
        return newDocument(random, newId(random, 100_000_000 + index * 1_000_000 + from + at), rev, 200);
      });
      await insert(client, target, models, ledger);
      for (const [at, model] of models.entries()) ownedList(owned[at % workers]!, target).push(model);
    }
  }
  return owned;
}

function ownedList(owned: Owned, target: { database: string; collection: string }): Model[] {
  const namespace = namespaceOf(target);
  const list = owned.get(namespace) ?? [];
  owned.set(namespace, list);
  return list;
}

/** One acknowledged insert of whole documents, recorded. */
export async function insert(
  client: MongoClient,
  target: { database: string; collection: string },
  models: readonly Model[],
  ledger: Ledger,
): Promise<void> {
  const reply = await client
    .db(target.database)
    .command({ insert: target.collection, documents: models, writeConcern: { w: "majority" } });
  if (reply.n !== models.length || reply.writeErrors)
    throw new Error(`insert: ${JSON.stringify(reply.writeErrors)}`);
  for (const model of models) ledger.record(namespaceOf(target), model.get("_id"), model);
}

const nearlySixteenMiB = 16 * 1024 * 1024 - 16 * 1024;

/** What an application does now and then: every BSON type, documents near 16 MB, a collection created on the way. */
export async function unusualWrites(
  client: MongoClient,
  random: Random,
  revisions: Revisions,
  ledger: Ledger,
): Promise<number> {
  const [orders, , , returns] = drillCollections as readonly [
    DrillCollection,
    DrillCollection,
    DrillCollection,
    DrillCollection,
  ];
  const plain = (id: unknown): Model => newDocument(random, id, revisions.next(), 50);
  const typed = Array.from({ length: 5 }, (_, at) => {
    const model = plain(`every-type-${at}`);
    return model.set("types", everyType(random));
  });
  await insert(client, orders, typed, ledger);
  const large = plain("large-one").set("blob", random.hex(16).repeat(nearlySixteenMiB / 16 - 64));
  await insert(client, orders, [large], ledger);
  await client.db(returns.database).createCollection(returns.collection);
  await insert(
    client,
    returns,
    Array.from({ length: 20 }, (_, at) => plain(`return-${at}`)),
    ledger,
  );
  // Equal under the server's own comparison, different in type: 7 is deleted and comes back as 7.0.
  const seven = plain(Long.fromNumber(7));
  await insert(client, orders, [seven], ledger);
  await client
    .db(orders.database)
    .command({ delete: orders.collection, deletes: [{ q: { _id: 7 }, limit: 1 }] });
  ledger.record(namespaceOf(orders), seven.get("_id"), undefined);
  await insert(client, orders, [plain(new Double(7))], ledger);
  return typed.length + 1 + 20 + 3;
}
