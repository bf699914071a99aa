import { expect, test } from "bun:test";
import { Binary, BSON, Timestamp } from "bson";
import { readOplogEntry } from "./entry.ts";
import { isForeign, isInScope } from "./foreign.ts";

const ts = new Timestamp({ t: 10, i: 2 });
const session = "ae8dc11701638f24829319a9c3d21447";
const lsid = { id: new Binary(Buffer.from(session, "hex"), 4), uid: new Binary(Buffer.alloc(32)) };
const read = (entry: object) => readOplogEntry(BSON.serialize({ ts, t: 1, v: 2, ...entry }));
const own = {
  sessions: new Set([session]),
  commands: [{ namespace: "shop.orders", command: "createIndexes" }],
};
const scope = new Set(["shop.orders", "shop.items"]);

test("documents' operations are read with their _id and session", () => {
  expect(read({ op: "i", ns: "shop.orders", o: { _id: 1, a: 2 }, lsid })).toEqual([
    {
      at: { t: 10, i: 2 },
      kind: "i",
      namespace: "shop.orders",
      id: BSON.serialize({ _id: 1 }),
      key: "n1",
      session,
    },
  ]);
  expect(
    read({ op: "u", ns: "shop.orders", o: { $v: 2, diff: {} }, o2: { shard: 7, _id: "x" } }),
  ).toMatchObject([{ kind: "u", key: "sx" }]);
  expect(read({ op: "d", ns: "shop.orders", o: { _id: "x" } })).toMatchObject([{ kind: "d", key: "sx" }]);
  expect(read({ op: "n", ns: "", o: { msg: "periodic noop" } })).toEqual([]);
});

test("a transaction's entry gives each of its operations, with the transaction's session", () => {
  const applyOps = [
    { op: "i", ns: "shop.orders", o: { _id: 1 } },
    { op: "d", ns: "other.things", o: { _id: 2 } },
  ];
  const operations = read({ op: "c", ns: "admin.$cmd", o: { applyOps }, lsid });
  expect(operations.map(({ namespace, kind, session: from }) => [namespace, kind, from])).toEqual([
    ["shop.orders", "i", session],
    ["other.things", "d", session],
  ]);
});

test("commands name their collection; a rename changes both ends", () => {
  expect(read({ op: "c", ns: "shop.$cmd", o: { drop: "orders" } })).toMatchObject([
    { namespace: "shop.orders", command: "drop" },
  ]);
  expect(read({ op: "c", ns: "shop.$cmd", o: { dropDatabase: 1 } })).toMatchObject([{ namespace: "shop." }]);
  const rename = { renameCollection: "shop.tmp", to: "shop.items", stayTemp: false };
  expect(read({ op: "c", ns: "shop.$cmd", o: rename }).map(({ namespace }) => namespace)).toEqual([
    "shop.tmp",
    "shop.items",
  ]);
});

test("failback 22: foreign is what no session and no declared command of ours explains", () => {
  const foreign = (entry: object) =>
    read(entry).some((each) => isInScope(each, scope) && isForeign(each, own));
  expect(foreign({ op: "i", ns: "shop.orders", o: { _id: 1 }, lsid })).toBe(false);
  expect(foreign({ op: "i", ns: "shop.orders", o: { _id: 1 } })).toBe(true);
  const other = { id: new Binary(Buffer.alloc(16), 4) };
  expect(foreign({ op: "u", ns: "shop.orders", o: {}, o2: { _id: 1 }, lsid: other })).toBe(true);
  expect(foreign({ op: "i", ns: "shop.elsewhere", o: { _id: 1 } })).toBe(false);
  expect(foreign({ op: "c", ns: "shop.$cmd", o: { drop: "orders" } })).toBe(true);
  expect(foreign({ op: "c", ns: "shop.$cmd", o: { dropDatabase: 1 } })).toBe(true);
  expect(foreign({ op: "c", ns: "shop.$cmd", o: { create: "orders" } })).toBe(false);
  expect(foreign({ op: "c", ns: "shop.$cmd", o: { commitIndexBuild: "orders" } })).toBe(false);
  expect(foreign({ op: "c", ns: "shop.$cmd", o: { createIndexes: "items" } })).toBe(true);
  expect(foreign({ op: "c", ns: "shop.$cmd", o: { collMod: "orders" } })).toBe(true);
});
