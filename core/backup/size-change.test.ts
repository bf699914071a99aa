import { expect, test } from "bun:test";
import type { DumpedCollection } from "./documents.ts";
import { sizeWarning } from "./size-change.ts";

const collection = (bytes: number): DumpedCollection => ({
  database: "shop",
  name: `of ${bytes}`,
  documents: 1,
  bytes,
  content: "",
  metadata: "",
});
const backup = (...bytes: number[]) => ({ id: `${bytes}`, collections: bytes.map(collection) });

test("half as much again, or half, is usual; a byte more or less is not", () => {
  expect(sizeWarning(backup(1000, 500), backup(1000))).toBeUndefined();
  expect(sizeWarning(backup(1000, 501), backup(1000))).toContain("+50 %");
  expect(sizeWarning(backup(500), backup(1000))).toBeUndefined();
  expect(sizeWarning(backup(499), backup(1000))).toContain("-50 % against 1000");
});

test("the first backup has nothing to be compared with, an empty one had nothing", () => {
  expect(sizeWarning(backup(1), undefined)).toBeUndefined();
  expect(sizeWarning(backup(), backup())).toBeUndefined();
  expect(sizeWarning(backup(1), backup())).toContain("from nothing");
});
