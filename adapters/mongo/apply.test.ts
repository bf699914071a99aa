import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { BSON, type Document, Double, Int32, Long } from "bson";
import { MongoClient } from "mongodb";
import type { Write } from "../../core/apply/target.ts";
import { documentKey } from "../../core/bson/equality-key.ts";
import { readOplogEntry } from "../../core/oplog/entry.ts";
import { Sandbox } from "../../sandbox/up/sandbox.ts";
import { systemClock } from "../clock.ts";
import { MongoTarget } from "./apply.ts";
import { RawScan } from "./raw-scan.ts";

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

let collections = 0;
function fresh(): { namespace: string; collection: string; target: MongoTarget; declared: string[] } {
  const collection = `c${++collections}`;
  const declared: string[] = [];
  const declare = async (namespace: string, command: string) => {
    declared.push(`${command} ${namespace}`);
  };
  return {
    namespace: `apply.${collection}`,
    collection,
    target: new MongoTarget({ client, clock: systemClock, declare }),
    declared,
  };
}

function put(namespace: string, post: Uint8Array, recreate = false): Write {
  const id = BSON.serialize({ _id: BSON.deserialize(post, { promoteValues: false })._id });
  return { namespace, key: documentKey(post)!, id, sequence: 1, post, recreate };
}

function deletion(namespace: string, id: unknown): Write {
  const bytes = BSON.serialize({ _id: id });
  return { namespace, key: documentKey(bytes)!, id: bytes, sequence: 1, post: null, recreate: false };
}

async function stored(collection: string): Promise<Uint8Array[]> {
  await using scan = new RawScan(client, { database: "apply", collection, sort: { _id: 1 } });
  return scan.next();
}

const ordered = (entries: [string, unknown][]) => BSON.serialize(new Map(entries));

test("failback 18: an image reaches the server as its own bytes: numeric names, order, types, repeated names", async () => {
  const { namespace, collection, target } = fresh();
  const twice = Buffer.concat([
    BSON.serialize({ _id: 2, a: 1 }).subarray(0, -1),
    BSON.serialize({ a: "b" }).subarray(4),
  ]);
  twice.writeInt32LE(twice.length);
  const posts = [
    ordered([
      ["_id", 1],
      ["10", "ten"],
      ["2", "two"],
      [
        "a",
        new Map([
          ["1", 0],
          ["0", 1],
        ]),
      ],
      ["d", new Double(1)],
    ]),
    twice,
    ordered([
      [
        "_id",
        new Map([
          ["b", 1],
          ["a", 2],
        ]),
      ],
      ["l", Long.fromNumber(1)],
    ]),
  ];
  expect(await target.write(posts.map((post) => put(namespace, post)))).toEqual([]);
  expect(await target.write(posts.map((post) => put(namespace, post)))).toEqual([]);
  const found = await stored(collection);
  expect(found.map((bytes) => Buffer.from(bytes).toString("hex"))).toEqual(
    posts.map((bytes) => Buffer.from(bytes).toString("hex")),
  );
});

test("failback 18: deletes, and documents inserted anew with another type of _id", async () => {
  const { namespace, collection, target } = fresh();
  const old = [{ _id: new Int32(1) }, { _id: new Int32(2) }, { _id: new Int32(3) }];
  await target.write(old.map((document) => put(namespace, BSON.serialize(document))));
  const typed = BSON.serialize({ _id: new Double(1), a: 1 });
  expect(
    await target.write([
      put(namespace, typed, true),
      deletion(namespace, new Double(2)),
      deletion(namespace, 9),
    ]),
  ).toEqual([]);
  expect((await stored(collection)).map((bytes) => Buffer.from(bytes))).toEqual(
    [typed, BSON.serialize({ _id: 3 })].map((bytes) => Buffer.from(bytes)),
  );
});

test("failback 18: a document of 16 MB under a long _id, too large for an update statement, arrives", async () => {
  const { namespace, collection, target } = fresh();
  const _id = "i".repeat(20_000);
  const room = 16 * 1024 * 1024 - BSON.serialize({ _id, text: "" }).length;
  const post = BSON.serialize({ _id, text: "x".repeat(room) });
  expect(post.length).toBe(16 * 1024 * 1024);
  expect(await target.write([put(namespace, post)])).toEqual([]);
  expect(await target.write([put(namespace, post)])).toEqual([]);
  const [found] = await stored(collection);
  expect(Buffer.compare(found!, post)).toBe(0);
});

test("failback 19: a collision names its blocker, by the index's own filter, and the others go in", async () => {
  const { namespace, collection, target } = fresh();
  await client
    .db("apply")
    .collection(collection)
    .createIndex({ "v.w": 1 }, { unique: true, partialFilterExpression: { on: true } });
  const value = new Map([
    [
      "w",
      new Map([
        ["2", 1],
        ["1", 1],
      ]),
    ],
  ]);
  const holder = ordered([
    ["_id", "holder"],
    ["v", value],
    ["on", true],
  ]);
  const bystander = ordered([
    ["_id", "bystander"],
    ["v", value],
  ]);
  await target.write([put(namespace, holder), put(namespace, bystander)]);
  const wanted = put(
    namespace,
    ordered([
      ["_id", "wanted"],
      ["v", value],
      ["on", true],
    ]),
  );
  const free = put(namespace, BSON.serialize({ _id: "free" }));
  const collisions = await target.write([wanted, free]);
  expect(collisions.map(({ write }) => write)).toEqual([wanted]);
  const blockers = await target.blockers(collisions[0]!);
  expect(blockers.map(({ key, image }) => [key, Buffer.from(image)])).toEqual([
    ["sholder", Buffer.from(holder)],
  ]);
  expect(await stored(collection)).toHaveLength(3);
});

test("failback 22: every entry the restore leaves in the oplog names one of its sessions", async () => {
  const { namespace, target } = fresh();
  const writes = Array.from({ length: 2500 }, (_, n) => put(namespace, BSON.serialize({ _id: n })));
  await target.write(writes);
  await target.write(writes.slice(0, 10).map(({ id }) => deletion(namespace, BSON.deserialize(id)._id)));
  const entries = await client
    .db("local")
    .collection<Document>("oplog.rs")
    .find({ ns: namespace }, { raw: true })
    .toArray();
  const sessions = entries
    .flatMap((entry) => readOplogEntry(entry as unknown as Uint8Array))
    .map(({ session }) => session);
  expect(sessions).toHaveLength(2510);
  expect(new Set(target.sessionIds).isSupersetOf(new Set(sessions as string[]))).toBe(true);
});

test("failback 18: validators are bypassed; what the server itself refuses is thrown", async () => {
  const { namespace, collection, target } = fresh();
  await client.db("apply").createCollection(collection, { validator: { must: { $exists: true } } });
  expect(await target.write([put(namespace, BSON.serialize({ _id: 1 }))])).toEqual([]);
  const wrong = put("local.oplog.rs", BSON.serialize({ _id: 1 }));
  expect(target.write([wrong])).rejects.toThrow();
});

test("failback 20: a collection is created again as it was, and creating, dropping or renaming twice is the same", async () => {
  const { namespace, collection, target, declared } = fresh();
  const db = client.db("apply");
  await db.createCollection(collection, { validator: { a: { $exists: true } } });
  await db.collection(collection).createIndex({ a: 1, b: -1 }, { unique: true, name: "own" });
  const definition = (await target.definition(namespace))!;
  await target.drop(namespace);
  await target.drop(namespace);
  expect(await target.definition(namespace)).toBeUndefined();
  await target.create(namespace, definition);
  await target.create(namespace, definition);
  expect(await target.definition(namespace)).toEqual(definition);
  await target.rename(namespace, `${namespace}-renamed`);
  await target.rename(namespace, `${namespace}-renamed`);
  expect(await target.definition(`${namespace}-renamed`)).toEqual(definition);
  expect(declared).toContain(`drop ${namespace}`);
  expect(declared).toContain(`createIndexes ${namespace}`);
  expect(declared).toContain(`renameCollection ${namespace}`);
});
