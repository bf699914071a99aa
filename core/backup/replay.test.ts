import { expect, test } from "bun:test";
import { type Document, serialize } from "bson";
import { isPartOfTransaction, replayStep } from "./replay.ts";

const step = (entry: Document) => replayStep(serialize({ v: 2, ...entry }));
const command = (o: Document) => step({ op: "c", ns: "shop.$cmd", o });

test("documents and most commands are applied as they are", () => {
  for (const op of ["i", "u", "d"]) expect(step({ op, ns: "shop.orders", o: { _id: 1 } })).toBe("apply");
  for (const o of [
    { create: "orders" },
    { drop: "orders" },
    { dropDatabase: 1 },
    { renameCollection: "shop.a", to: "shop.b" },
    { collMod: "orders", validator: {} },
  ])
    expect(command(o)).toBe("apply");
});

test("a piece ends behind what builds an index, also within a transaction", () => {
  expect(command({ createIndexes: "orders", v: 2, key: { a: 1 }, name: "a" })).toBe("apply-and-end");
  expect(command({ commitIndexBuild: "orders", indexes: [] })).toBe("apply-and-end");
  const inner = { op: "c", ns: "shop.$cmd", o: { createIndexes: "new", key: { a: 1 }, name: "a" } };
  const applyOps = [{ op: "i", ns: "shop.orders", o: { _id: 1 } }, inner];
  expect(step({ op: "c", ns: "admin.$cmd", o: { applyOps } })).toBe("apply-and-end");
  expect(step({ op: "c", ns: "admin.$cmd", o: { applyOps: [applyOps[0]] } })).toBe("apply");
});

test("what mongorestore passes over is done by a command", () => {
  for (const name of ["dropIndexes", "deleteIndexes"])
    expect(command({ [name]: "orders", index: "a" })).toBe("command");
  expect(command({ collMod: "orders", index: { name: "ttl", expireAfterSeconds: 5 } })).toBe("command");
});

test("no-ops, the server's own and users are left out", () => {
  expect(step({ op: "n", ns: "", o: { msg: "periodic noop" } })).toBe("skip");
  expect(step({ op: "u", ns: "config.transactions", o: {} })).toBe("skip");
  expect(step({ op: "i", ns: "admin.system.users", o: { _id: "admin.ann" } })).toBe("skip");
  expect(step({ op: "i", ns: "admin.notes", o: { _id: 1 } })).toBe("apply");
  expect(command({ startIndexBuild: "orders" })).toBe("skip");
});

test("an entry that others of its transaction follow is told from the last one", () => {
  const of = (o: Document) => isPartOfTransaction(serialize({ op: "c", ns: "admin.$cmd", o }));
  expect(of({ applyOps: [], partialTxn: true })).toBe(true);
  expect(of({ applyOps: [], prepare: true })).toBe(true);
  expect(of({ applyOps: [], count: 3 })).toBe(false);
  expect(isPartOfTransaction(serialize({ op: "i", ns: "shop.a", o: { partialTxn: true } }))).toBe(false);
});
