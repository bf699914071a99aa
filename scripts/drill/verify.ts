import { onDemand } from "bson";
import type { MongoClient } from "mongodb";
import { hashOf, type Ledger, type LedgerEntry } from "./ledger.ts";
import { idKey } from "./model.ts";
import { drillCollections, namespaceOf } from "./scope.ts";

/**
 * The drill's own judgement. It shares no code with capture, apply or Roundtrip's verdict: it reads every document of
 * both databases, hashes its bytes, and holds them against each other and against the ledger.
 */
export type Contents = ReadonlyMap<string, string>;

/** Hash of each document of a collection by its `_id`'s type and bytes. */
async function contentsOf(client: MongoClient, database: string, collection: string): Promise<Contents> {
  const contents = new Map<string, string>();
  const cursor = client.db(database).collection(collection).find({}, { raw: true, batchSize: 5000 });
  for await (const document of cursor as AsyncIterable<unknown>) {
    const bytes = document as Uint8Array;
    contents.set(rawIdKey(bytes), hashOf(bytes));
  }
  return contents;
}

/** The same text as `idKey` gives for the decoded `_id`, made from the bytes: a document with one nameless field. */
function rawIdKey(document: Uint8Array): string {
  for (const [type, nameOffset, nameLength, offset, length] of onDemand.parseToElements(document)) {
    const name = Buffer.from(document.buffer, document.byteOffset + nameOffset, nameLength).toString();
    if (name !== "_id") continue;
    const bytes = Buffer.alloc(4 + 2 + length + 1);
    bytes.writeInt32LE(bytes.length, 0);
    bytes[4] = type;
    bytes.set(document.subarray(offset, offset + length), 6);
    return bytes.toString("base64");
  }
  throw new Error("a document without _id");
}

export interface Sides {
  readonly mongodb: MongoClient;
  readonly documentdb: MongoClient;
}

interface Compared {
  readonly name: string;
  readonly mongodb: Contents;
  readonly differing: readonly string[];
}

/** Every collection of the scope, both ways: the ids whose bytes are not equal, or that only one side has. */
export async function compareSides(sides: Sides): Promise<Compared[]> {
  const compared: Compared[] = [];
  for (const { database, collection } of drillCollections) {
    const [mongodb, documentdb] = await Promise.all([
      contentsOf(sides.mongodb, database, collection),
      contentsOf(sides.documentdb, database, collection),
    ]);
    const ids = new Set([...mongodb.keys(), ...documentdb.keys()]);
    const differing = [...ids].filter((id) => mongodb.get(id) !== documentdb.get(id));
    compared.push({ name: namespaceOf({ database, collection }), mongodb, differing });
  }
  return compared;
}

export interface Judgement {
  readonly problems: readonly string[];
  readonly collections: readonly {
    readonly name: string;
    readonly documents: number;
    readonly differing: number;
  }[];
  readonly documents: number;
}

const shownMax = 5;

/**
 * Every document on MongoDB is what the ledgers say (the last ledger that knows it counts), nothing else is there,
 * and DocumentDB differs only where `excused` says so.
 */
export async function judge(
  sides: Sides,
  ledgers: readonly Ledger[],
  excused: (namespace: string, id: string) => boolean,
): Promise<Judgement> {
  const expected = new Map<string, LedgerEntry>();
  for (const ledger of ledgers) {
    for (const entry of ledger.all()) expected.set(`${entry.namespace} ${idKey(entry.id)}`, entry);
  }
  const problems: string[] = [];
  const collections: { name: string; documents: number; differing: number }[] = [];
  for (const { name, mongodb, differing } of await compareSides(sides)) {
    const lost = againstLedger(name, mongodb, expected);
    const unexcused = differing.filter((id) => !excused(name, id));
    if (lost.length > 0)
      problems.push(`${name}: ${lost.length} document(s) not as the ledger says: ${shown(lost)}`);
    if (unexcused.length > 0) {
      problems.push(
        `${name}: ${unexcused.length} document(s) differ between the databases: ${shown(unexcused)}`,
      );
    }
    collections.push({ name, documents: mongodb.size, differing: unexcused.length + lost.length });
  }
  return { problems, collections, documents: collections.reduce((sum, row) => sum + row.documents, 0) };
}

function againstLedger(
  name: string,
  contents: Contents,
  expected: ReadonlyMap<string, LedgerEntry>,
): string[] {
  const wrong: string[] = [];
  for (const [key, entry] of expected) {
    if (entry.namespace !== name) continue;
    const id = key.slice(name.length + 1);
    if (contents.get(id) !== entry.expected) wrong.push(id);
  }
  for (const id of contents.keys()) if (!expected.has(`${name} ${id}`)) wrong.push(id);
  return wrong;
}

function shown(ids: readonly string[]): string {
  return ids.slice(0, shownMax).join(", ") + (ids.length > shownMax ? ", …" : "");
}
