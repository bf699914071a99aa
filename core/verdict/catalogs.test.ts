import { expect, test } from "bun:test";
import type { Catalog, Scope } from "../failback/documents.ts";
import { compareCatalogs } from "./catalogs.ts";

const scope = { databases: [{ name: "shop", collections: ["orders", "items"] }] } as unknown as Scope;
const idIndex = { v: 2, key: { _id: 1 }, name: "_id_" };

function catalog(
  indexes: readonly Record<string, unknown>[],
  options: Record<string, unknown> = {},
  name = "orders",
): Catalog {
  return { takenAt: "", collections: [{ database: "shop", name, options, indexes: [idIndex, ...indexes] }] };
}
const none = new Set<string>();

test("failback 20: an index on one side only is named, with both sides", () => {
  const differences = compareCatalogs(
    {
      documentdb: catalog([{ key: { sku: 1 }, name: "sku_1", unique: true }]),
      mongodb: catalog([]),
      accepted: none,
    },
    scope,
  );
  expect(differences).toEqual([
    { what: 'shop.orders index {"sku":1}: DocumentDB {"unique":true}, MongoDB none', accepted: false },
  ]);
});

test("what engines write differently is equal", () => {
  const documentdb = catalog(
    [
      { v: 4, key: { sku: 1 }, name: "sku_1", ns: "shop.orders", unique: false },
      { v: 4, key: { at: "2dsphere" }, name: "x", "2dsphereIndexVersion": 1 },
    ],
    { capped: false, autoIndexId: true, storageEngine: {} },
  );
  const mongodb = catalog([
    { v: 2, key: { sku: 1 }, name: "other" },
    { v: 2, key: { at: "2dsphere" }, name: "x", "2dsphereIndexVersion": 3 },
  ]);
  expect(compareCatalogs({ documentdb, mongodb, accepted: none }, scope)).toEqual([]);
});

test("key order, uniqueness, filters and validators are differences", () => {
  const left = catalog([
    { key: { a: 1, b: 1 } },
    { key: { c: 1 }, unique: true },
    { key: { d: 1 }, expireAfterSeconds: 5 },
  ]);
  const right = catalog(
    [{ key: { b: 1, a: 1 } }, { key: { c: 1 } }, { key: { d: 1 }, expireAfterSeconds: 6 }],
    {
      validator: { a: 1 },
    },
  );
  const differences = compareCatalogs({ documentdb: left, mongodb: right, accepted: none }, scope);
  expect(differences.map(({ what }) => what.split(":")[0])).toHaveLength(5);
});

test("a collection that one side lacks is one difference, outside the scope it is none", () => {
  const left = catalog([{ key: { a: 1 } }], { validator: {} }, "items");
  const empty = { takenAt: "", collections: [] };
  expect(compareCatalogs({ documentdb: left, mongodb: empty, accepted: none }, scope)).toEqual([
    { what: "shop.items: DocumentDB present, MongoDB none", accepted: false },
  ]);
  const other = catalog([{ key: { a: 1 } }], {}, "elsewhere");
  expect(compareCatalogs({ documentdb: other, mongodb: empty, accepted: none }, scope)).toEqual([]);
});

test("failback 23: a difference older than the failback is accepted, one made meanwhile only by name", () => {
  const hashed = [{ key: { a: "hashed" } }];
  const before = { documentdb: catalog([]), mongodb: catalog(hashed) };
  const same = compareCatalogs({ ...before, before, accepted: none }, scope);
  expect(same).toMatchObject([{ accepted: true }]);
  const dropped = compareCatalogs(
    {
      documentdb: catalog([]),
      mongodb: catalog(hashed),
      before: { documentdb: catalog(hashed), mongodb: catalog(hashed) },
      accepted: none,
    },
    scope,
  );
  expect(dropped[0]?.accepted).toBe(false);
  expect(dropped[0]?.what).toContain("changed on DocumentDB during");
  const removed = compareCatalogs(
    {
      documentdb: catalog(hashed),
      mongodb: catalog([]),
      before: { documentdb: catalog(hashed), mongodb: catalog(hashed) },
      accepted: none,
    },
    scope,
  );
  expect(removed[0]?.accepted).toBe(false);
  expect(removed[0]?.what).toContain("changed on MongoDB since");
  const accepted = new Set(dropped.map(({ what }) => what));
  expect(
    compareCatalogs(
      {
        documentdb: catalog([]),
        mongodb: catalog(hashed),
        before: { documentdb: catalog(hashed), mongodb: catalog(hashed) },
        accepted,
      },
      scope,
    ),
  ).toMatchObject([{ accepted: true }]);
});
