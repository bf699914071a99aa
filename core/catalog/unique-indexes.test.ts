import { expect, test } from "bun:test";
import type { Catalog, Scope } from "../failback/documents.ts";
import { missingUniqueIndexes } from "./unique-indexes.ts";

const scope = { databases: [{ name: "shop", collections: ["orders"] }] } as unknown as Scope;
const catalog = (name: string, ...indexes: Record<string, unknown>[]): Catalog => ({
  takenAt: "",
  collections: [{ database: "shop", name, options: {}, indexes }],
});
const byNumber = { name: "number_1", key: { number: 1 }, unique: true };

test("failback 6: a unique index that only MongoDB has is named with its key", () => {
  expect(missingUniqueIndexes(catalog("orders", byNumber), catalog("orders"), scope)).toEqual([
    { namespace: "shop.orders", key: '{"number":1}' },
  ]);
});

test("another name, and fields of the server's own, are no difference; the order of the key is one", () => {
  const other = { name: "other", key: { number: 1 }, unique: true, v: 4, ns: "shop.orders" };
  expect(missingUniqueIndexes(catalog("orders", byNumber), catalog("orders", other), scope)).toEqual([]);
  const forward = { key: { a: 1, b: 1 }, unique: true };
  const backward = { key: { b: 1, a: 1 }, unique: true };
  expect(missingUniqueIndexes(catalog("orders", forward), catalog("orders", backward), scope)).toHaveLength(
    1,
  );
});

test("indexes that are not unique, and collections outside the scope, are not asked for", () => {
  expect(missingUniqueIndexes(catalog("orders", { key: { a: 1 } }), catalog("orders"), scope)).toEqual([]);
  expect(missingUniqueIndexes(catalog("held", byNumber), catalog("orders"), scope)).toEqual([]);
});
