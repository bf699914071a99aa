/** Stock mongodump, mongorestore and bsondump against the stand-in. Skipped where the tools aren't there. */
import { describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  DBRef,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  MongoClient,
  ObjectId,
  Timestamp,
} from "mongodb";
import { startDatabase } from "./testing.ts";

const bundled = join(import.meta.dir, "../../.tools/bin");
const bin = existsSync(join(bundled, "mongodump")) ? bundled : undefined;
const tool = (name: string): string => (bin ? join(bin, name) : (Bun.which(name) ?? name));
const present = bin !== undefined || Bun.which("mongodump") !== null;
if (!present) console.warn("skipped: mongodump isn't on PATH nor in .tools/bin");

async function run(name: string, ...args: string[]): Promise<string> {
  const child = Bun.spawn([tool(name), ...args], { stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code !== 0) throw new Error(`${name} ended with ${code}: ${err}`);
  return out + err;
}

function everyType(id: number): Record<string, unknown> {
  return {
    _id: id,
    double: new Double(1.5),
    integral: new Double(3),
    nan: Number.NaN,
    string: "tëxt \u0000 end",
    document: { "0": 1, a: { b: [] } },
    array: [1, "two", { three: 3 }],
    binary: new Binary(Buffer.from([1, 2, 3]), 0),
    old: new Binary(Buffer.from([9, 8]), 2),
    uuid: new Binary(Buffer.alloc(16, 7), 4),
    custom: new Binary(Buffer.from([5]), 0x80),
    id: new ObjectId(),
    yes: true,
    no: false,
    date: new Date(-1),
    nothing: null,
    regex: new BSONRegExp("a.*b", "imsx"),
    reference: new DBRef("other", new ObjectId(), "base"),
    code: new Code("function () {}"),
    scoped: new Code("x", { x: 1 }),
    symbol: new BSONSymbol("sym"),
    int: new Int32(-7),
    timestamp: new Timestamp({ t: 5, i: 6 }),
    long: Long.fromString("9007199254740993"),
    decimal: Decimal128.fromString("-1.200E+10"),
    least: new MinKey(),
    most: new MaxKey(),
  };
}

async function rawDocuments(client: MongoClient, name: string): Promise<string[]> {
  const documents: string[] = [];
  for await (const raw of client
    .db("shop")
    .collection(name)
    .find({}, { raw: true, sort: { _id: 1 } })) {
    documents.push(Buffer.from(raw as unknown as Uint8Array).toString("hex"));
  }
  return documents;
}

async function seed(client: MongoClient): Promise<void> {
  const db = client.db("shop");
  await db
    .collection<{ _id: number }>("all_types")
    .insertMany(Array.from({ length: 50 }, (_, index) => everyType(index) as { _id: number }));
  await db.collection("orders").createIndex({ customer: 1, when: -1 }, { unique: true, name: "by_customer" });
  await db
    .collection("orders")
    .insertMany(Array.from({ length: 500 }, (_, index) => ({ customer: index, when: new Date(index) })));
  await db.createCollection("recent", {
    viewOn: "orders",
    pipeline: [{ $match: { customer: { $gt: 490 } } }],
  });
  await db.createCollection("log", { capped: true, size: 100_000 });
  await db.command({
    createRole: "clerk",
    privileges: [{ resource: { db: "shop", collection: "orders" }, actions: ["find"] }],
    roles: [],
  });
  await db.command({ createUser: "ann", pwd: "secret", roles: ["clerk"] });
}

async function checkRestored(from: MongoClient, to: MongoClient): Promise<void> {
  expect(await rawDocuments(to, "all_types")).toEqual(await rawDocuments(from, "all_types"));
  expect(await rawDocuments(to, "orders")).toEqual(await rawDocuments(from, "orders"));
  expect(await to.db("shop").collection("orders").indexes()).toEqual(
    await from.db("shop").collection("orders").indexes(),
  );
  expect(await to.db("shop").collection("recent").countDocuments()).toBe(9);
  const names = (await to.db("shop").listCollections().toArray())
    .map(({ name, type }) => `${name}:${type}`)
    .filter((name) => name !== "counters:collection")
    .sort();
  expect(names).toEqual([
    "all_types:collection",
    "log:collection",
    "orders:collection",
    "recent:view",
    "system.views:collection",
  ]);
}

describe.skipIf(!present)("stock database tools", () => {
  test("an archive with gzip carries every BSON type, indexes, views, users and roles over with equal bytes", async () => {
    await using source = await startDatabase();
    await using target = await startDatabase();
    const directory = mkdtempSync(join(tmpdir(), "dump-"));
    const from = new MongoClient(source.uri);
    const to = new MongoClient(target.uri);
    try {
      await seed(from);
      const archive = join(directory, "all.archive");
      await run("mongodump", `--uri=${source.uri}`, `--archive=${archive}`, "--gzip");
      await run("mongorestore", `--uri=${target.uri}`, `--archive=${archive}`, "--gzip", "--drop");
      await checkRestored(from, to);
      const ann = new MongoClient(
        target.uri.replace(/\/\/[^@]*@/, "//ann:secret@").replace("authSource=admin", "authSource=shop"),
      );
      expect(await ann.db("shop").collection("orders").countDocuments()).toBe(500);
      await ann.close();
    } finally {
      await from.close();
      await to.close();
      rmSync(directory, { recursive: true, force: true });
    }
  }, 60_000);

  test("--oplog catches writes made during the dump, --oplogReplay applies them, --oplogLimit stops before a time", async () => {
    await using source = await startDatabase();
    await using target = await startDatabase();
    await using limited = await startDatabase();
    const directory = mkdtempSync(join(tmpdir(), "dump-"));
    const from = new MongoClient(source.uri);
    const to = new MongoClient(target.uri);
    const half = new MongoClient(limited.uri);
    try {
      await seed(from);
      const counters = from.db("shop").collection<{ _id: string; n: number }>("counters");
      await counters.insertOne({ _id: "c", n: 0 });
      let writing = true;
      const writer = (async () => {
        for (let n = 1; writing; n++)
          await counters.updateOne({ _id: "c" }, { $set: { n }, $push: { list: n } } as never);
      })();
      await run("mongodump", `--uri=${source.uri}`, `--out=${directory}`, "--oplog");
      writing = false;
      await writer;
      const entries = (await run("bsondump", join(directory, "oplog.bson")))
        .split("\n")
        .filter((line) => line.startsWith("{"));
      expect(entries.length).toBeGreaterThan(0);
      await run("mongorestore", `--uri=${target.uri}`, `--dir=${directory}`, "--oplogReplay");
      await checkRestored(from, to);
      const last = JSON.parse(entries.filter((line) => line.includes("shop.counters")).at(-1) ?? "{}") as {
        ts?: { $timestamp: { t: number; i: number } };
      };
      const restored = await to
        .db("shop")
        .collection<{ _id: string; n: number; list: number[] }>("counters")
        .findOne({ _id: "c" });
      expect(restored!.list).toEqual(Array.from({ length: restored!.n }, (_, index) => index + 1));
      const { t, i } = last.ts!.$timestamp;
      await run(
        "mongorestore",
        `--uri=${limited.uri}`,
        `--dir=${directory}`,
        "--oplogReplay",
        `--oplogLimit=${t}:${i}`,
      );
      const earlier = await half
        .db("shop")
        .collection<{ _id: string; n: number }>("counters")
        .findOne({ _id: "c" });
      expect(earlier!.n).toBe(restored!.n - 1);
    } finally {
      await Promise.all([from.close(), to.close(), half.close()]);
      rmSync(directory, { recursive: true, force: true });
    }
  }, 60_000);
});
