import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { Double, Int32 } from "bson";
import { type Document, MongoClient } from "mongodb";
import type { Difference } from "../../core/verdict/matcher.ts";
import { Sandbox } from "../../sandbox/up/sandbox.ts";
import { compareCollection } from "./compare.ts";
import { compareDatabases } from "./compare-databases.ts";

setDefaultTimeout(60_000);

let sandbox: Sandbox;
let client: MongoClient;
beforeAll(async () => {
  sandbox = await Sandbox.start({ only: ["database"] });
  client = await new MongoClient(sandbox.addresses.mongodb!).connect();
});
afterAll(async () => {
  await client?.close();
  await sandbox?.[Symbol.asyncDispose]();
});

let pairs = 0;

/** Two collections of one name can't be in one database: the sides are read through clients that rename it. */
async function compare(left: Document[], right: Document[], options: { waitingBytesMax?: number } = {}) {
  const [source, target] = [`source${++pairs}`, `target${pairs}`];
  if (left.length > 0) await client.db(source).collection("c").insertMany(left);
  if (right.length > 0) await client.db(target).collection("c").insertMany(right);
  const differences: Difference[] = [];
  const counts = await compareCollection({
    source: { client: inDatabase(source) },
    target: { client: inDatabase(target), readConcern: "majority" },
    database: "any",
    collection: "c",
    batchSize: 100,
    ...options,
    onDifference: (difference) => differences.push(difference),
  });
  return { counts, keys: differences.map(({ key }) => key).sort() };
}

/** The same client, whose every database is this one. */
function inDatabase(name: string): MongoClient {
  return new Proxy(client, {
    get: (target, property) => {
      if (property === "db") return () => target.db(name);
      const value = Reflect.get(target, property, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

const numbered = (count: number, from = 0) =>
  Array.from({ length: count }, (_, n) => ({ _id: from + n, v: "x" }) as never);

test("failback 23: both ways: only here, only there, and different are found among thousands", async () => {
  const left = numbered(2500);
  const right = [...numbered(2000), ...numbered(499, 2001), { _id: "more" } as never];
  (right as Document[])[7] = { _id: 7, v: "y" };
  const { counts, keys } = await compare(left, right);
  expect(counts).toEqual({ source: 2500, target: 2500, equal: 2498, differing: 3 });
  expect(keys).toEqual(["n2000", "n7", "smore"]);
});

test("a collection that one side lacks is empty there", async () => {
  expect((await compare(numbered(3), [])).counts).toEqual({ source: 3, target: 0, equal: 0, differing: 3 });
  expect((await compare([], [])).counts).toEqual({ source: 0, target: 0, equal: 0, differing: 0 });
});

test("when memory does not hold what waits, both sides are read in parts, and the answer is the same", async () => {
  const { counts, keys } = await compare(numbered(3000), numbered(3000, 1500), { waitingBytesMax: 100_000 });
  expect(counts).toEqual({ source: 3000, target: 3000, equal: 1500, differing: 3000 });
  expect(new Set(keys).size).toBe(3000);
});

test("1 and 1.0 differ, in the _id and in a field", async () => {
  const { keys } = await compare(
    [{ _id: new Int32(1) as never }, { _id: 2 as never, v: new Int32(1) }],
    [{ _id: new Double(1) as never }, { _id: 2 as never, v: new Double(1) }],
  );
  expect(keys).toEqual(["n1", "n2"]);
});

test("by connection strings: a database compared with itself is equal, and every document was read", async () => {
  await client.db("self").collection("c").insertMany(numbered(50));
  const uri = sandbox.addresses.mongodb!;
  const compared = await compareDatabases(uri, uri, [{ name: "self", collections: ["c", "none"] }]);
  expect(compared).toEqual([
    { database: "self", collection: "c", source: 50, target: 50, equal: 50, differing: 0, ids: [] },
    { database: "self", collection: "none", source: 0, target: 0, equal: 0, differing: 0, ids: [] },
  ]);
});
