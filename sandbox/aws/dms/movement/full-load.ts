/** Loading whole collections from source to target, document by document as bytes. */
import type { Buffer } from "node:buffer";
import type { MongoClient } from "mongodb";
import type { TableRow } from "../model.ts";
import { ignoreMissing, insertLoaded, type Refused } from "./apply.ts";

const BATCH_DOCUMENTS = 1_000;
const BATCH_BYTES = 12_000_000;

export type PrepareMode = "DO_NOTHING" | "DROP_AND_CREATE" | "TRUNCATE_BEFORE_LOAD";

export interface LoadOptions {
  readonly source: MongoClient;
  readonly target: MongoClient;
  readonly mode: PrepareMode;
  readonly signal: AbortSignal;
  readonly onProgress: () => void;
  readonly onRefused: (refused: Refused) => void;
}

/** Plain collections of a database; views and system collections are no tables. */
export async function collectionsOf(client: MongoClient, database: string): Promise<string[]> {
  const listed = await client.db(database).listCollections({}, { nameOnly: true }).toArray();
  return listed
    .filter(({ name, type }) => type !== "view" && !name.startsWith("system."))
    .map(({ name }) => name);
}

async function prepare(target: MongoClient, schema: string, table: string, mode: PrepareMode): Promise<void> {
  if (mode === "DROP_AND_CREATE") await target.db(schema).dropCollection(table).catch(ignoreMissing);
  // Created even when the source is empty; secondary indexes are not carried over.
  await target
    .db(schema)
    .createCollection(table)
    .catch((cause: { code?: unknown }) => {
      if (cause.code !== 48) throw cause;
    });
}

/** Loads one collection and counts in `row`. Stops between batches when the signal is raised (state "Table cancelled"). */
export async function loadTable(row: TableRow, options: LoadOptions): Promise<void> {
  const { source, target, signal } = options;
  const { schema, table } = row;
  await prepare(target, schema, table, options.mode);
  let documents: Buffer[] = [];
  let bytes = 0;
  const flush = async () => {
    if (documents.length === 0) return;
    await insertLoaded(target, schema, table, documents, options.onRefused);
    row.fullLoadRows += documents.length;
    documents = [];
    bytes = 0;
    options.onProgress();
  };
  const cursor = source.db(schema).collection(table).find({}, { raw: true, batchSize: BATCH_DOCUMENTS });
  try {
    for await (const document of cursor) {
      if (signal.aborted) {
        row.state = "Table cancelled";
        return;
      }
      const raw = document as unknown as Buffer;
      documents.push(raw);
      bytes += raw.length;
      if (documents.length >= BATCH_DOCUMENTS || bytes >= BATCH_BYTES) await flush();
    }
    await flush();
    row.state = "Table completed";
  } finally {
    await cursor.close();
  }
}
