import { EJSON } from "bson";
import { type Document, type MongoClient, MongoServerError } from "mongodb";
import { splitNamespace } from "../../../core/apply/change.ts";
import type { Definition } from "../../../core/apply/target.ts";

const namespaceNotFound = 26;
const namespaceExists = 48;
const majority = { writeConcern: { w: "majority" } } as const;

/** Options and indexes of a collection as canonical extended JSON; `undefined` when there is none. */
export async function readDefinition(
  client: MongoClient,
  namespace: string,
): Promise<Definition | undefined> {
  const { database, collection } = splitNamespace(namespace);
  const [info] = await client
    .db(database)
    .listCollections({ name: collection }, { nameOnly: false, promoteValues: false })
    .toArray();
  if (!info) return undefined;
  const indexes = await client
    .db(database)
    .collection(collection, { promoteValues: false })
    .listIndexes()
    .toArray();
  const options = "options" in info ? (info.options as Document) : {};
  return { options: plain(options), indexes: indexes.map(plain) };
}

function plain(document: Document): Record<string, unknown> {
  return EJSON.serialize(document, { relaxed: false }) as Record<string, unknown>;
}

function fromPlain(document: Readonly<Record<string, unknown>>): Document {
  return EJSON.deserialize(document as Document, { relaxed: false });
}

/** Creates the collection with options and indexes; what is there already stays. */
export async function createCollection(
  client: MongoClient,
  namespace: string,
  definition: Definition,
): Promise<void> {
  const { database, collection } = splitNamespace(namespace);
  const db = client.db(database);
  const create = { create: collection, ...fromPlain(definition.options), ...majority };
  await db.command(create).catch(unless(namespaceExists));
  const indexes = definition.indexes.filter(({ name }) => name !== "_id_").map(withoutNamespace);
  if (indexes.length > 0) await db.command({ createIndexes: collection, indexes, ...majority });
}

/** Servers before 4.4 list the namespace, and take none. */
function withoutNamespace(index: Readonly<Record<string, unknown>>): Document {
  const { ns: _, ...rest } = fromPlain(index);
  return rest;
}

export async function dropCollection(client: MongoClient, namespace: string): Promise<void> {
  const { database, collection } = splitNamespace(namespace);
  await client
    .db(database)
    .command({ drop: collection, ...majority })
    .catch(unless(namespaceNotFound));
}

export async function renameCollection(client: MongoClient, from: string, to: string): Promise<void> {
  const command = { renameCollection: from, to, dropTarget: true, ...majority };
  await client.db("admin").command(command).catch(unless(namespaceNotFound));
}

/** The state wanted is there already. */
function unless(code: number): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof MongoServerError) || error.code !== code) throw error;
  };
}
