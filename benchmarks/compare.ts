/** The comparison of two databases against a bare scan of both: the same raw cursors, drained and nothing done. */
import { MongoClient } from "mongodb";
import { compareCollection } from "../adapters/mongo/compare.ts";
import { RawScan } from "../adapters/mongo/raw-scan.ts";
import { Sandbox } from "../sandbox/up/sandbox.ts";
import { benchmarkArguments, measureRatio, report } from "./ratio.ts";

const { rounds, size, json } = benchmarkArguments(100_000);
const database = "shop";
const collection = "orders";

await using sandbox = await Sandbox.start({ only: ["database", "documentdb"] });
const mongodb = await new MongoClient(sandbox.addresses.mongodb!).connect();
const documentdb = await new MongoClient(sandbox.addresses.documentdb!, { retryWrites: false }).connect();
for (const client of [mongodb, documentdb]) await fill(client);

const result = await measureRatio(
  { name: "compare", work: `${size} documents of 1 KB on each side, equal but for 10`, target: 0.8 },
  { name: "compare", prepare: async () => {}, run: compareOnce },
  { name: "bare scan of both sides", prepare: async () => {}, run: scanBoth },
  rounds,
);
report(result, json);
await mongodb.close();
await documentdb.close();

async function fill(client: MongoClient): Promise<void> {
  const text = "x".repeat(950);
  for (let start = 0; start < size; start += 1000) {
    const rows = Array.from({ length: Math.min(1000, size - start) }, (_, n) => ({
      _id: (start + n) as never,
      // Ten documents differ.
      side: client === mongodb && (start + n) % Math.ceil(size / 10) === 0 ? "other" : "same",
      text,
    }));
    await client.db(database).collection(collection).insertMany(rows);
  }
}

async function compareOnce(): Promise<void> {
  const counts = await compareCollection({
    source: { client: documentdb },
    target: { client: mongodb, readConcern: "majority" },
    database,
    collection,
    onDifference: () => {},
  });
  if (counts.differing !== 10 || counts.source !== size || counts.target !== size) {
    throw new Error(`compare: expected 10 of ${size} to differ, got ${JSON.stringify(counts)}`);
  }
}

async function scanBoth(): Promise<void> {
  const counts = await Promise.all([scan(documentdb), scan(mongodb, "majority")]);
  if (counts.some((count) => count !== size))
    throw new Error(`scan: expected ${size}, got ${counts.join(" and ")}`);
}

async function scan(client: MongoClient, readConcern?: "majority"): Promise<number> {
  await using cursor = new RawScan(client, {
    database,
    collection,
    sort: { _id: 1 },
    ...(readConcern && { readConcern }),
  });
  let count = 0;
  while (true) {
    const documents = await cursor.next();
    if (documents.length === 0) return count;
    count += documents.length;
  }
}
