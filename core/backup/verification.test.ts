import { describe, expect, test } from "bun:test";
import {
  type CollectionShape,
  compareIndexes,
  compareOptions,
  shapeOf,
  shapeOfMetadata,
} from "./collection-shape.ts";
import { compareContent } from "./compare-content.ts";
import type { BackupRun, DumpedCollection, Verification } from "./documents.ts";
import {
  bounded,
  isVerificationDue,
  type LevelResult,
  levelsOf,
  reasonsOf,
  verdictOf,
} from "./verification.ts";

function result(level: 1 | 2 | 3, verdict: LevelResult["verdict"], ...findings: string[]): LevelResult {
  return { level, verdict, findings, seconds: 1 };
}

describe("the verdict", () => {
  test("is PROVEN only when each level that was asked for is", () => {
    expect(verdictOf([1, 2], [result(1, "PROVEN"), result(2, "PROVEN")])).toBe("PROVEN");
    expect(verdictOf([1, 3], [result(1, "PROVEN")])).toBe("UNKNOWN");
    expect(verdictOf([1, 3], [result(1, "PROVEN"), result(3, "UNKNOWN")])).toBe("UNKNOWN");
    expect(verdictOf([1, 3], [result(1, "DIFFERS"), result(3, "UNKNOWN")])).toBe("DIFFERS");
    expect(verdictOf([], [])).toBe("UNKNOWN");
  });

  test("has its reasons in one line", () => {
    const levels = [result(1, "PROVEN", "fine"), result(2, "DIFFERS", "a", "b"), result(3, "UNKNOWN", "c")];
    expect(reasonsOf({ levels })).toBe("level 2 DIFFERS: a (and 1 more); level 3 UNKNOWN: c");
  });

  test("keeps a hundred findings and says how many more there are", () => {
    expect(bounded(Array.from({ length: 150 }, (_, index) => `${index}`)).slice(-2)).toEqual([
      "99",
      "… and 50 more",
    ]);
  });

  test("levels are read in any order, each once; anything else is refused", () => {
    expect(levelsOf("3,1, 1")).toEqual([1, 3]);
    for (const wrong of ["", "0", "1,4", "1;2", "all"]) expect(levelsOf(wrong)).toBeUndefined();
  });
});

describe("a verification is due", () => {
  const backup = { finishedAt: "2026-11-21T00:10:00.000Z" };
  const levels = [1, 2, 3] as const;
  const at = (time: string) => ({ now: new Date(`2026-11-21T${time}Z`), afterMinutes: 30, levels });
  const run: BackupRun = {
    version: 1,
    kind: "verification",
    state: "failed",
    startedAt: "2026-11-21T00:41:00.000Z",
  };
  const seen = { levels: [result(1, "DIFFERS"), result(2, "UNKNOWN")] } as unknown as Verification;

  test("so many minutes behind the end of the backup, and once", () => {
    expect(isVerificationDue(backup, {}, at("00:39:59"))).toBe(false);
    expect(isVerificationDue(backup, {}, at("00:40:00"))).toBe(true);
    const whole = { ...seen, levels: [...seen.levels, result(3, "UNKNOWN")] };
    expect(isVerificationDue(backup, { verification: whole }, at("09:00:00"))).toBe(false);
  });

  test("also when a person had only some of the levels looked at", () => {
    expect(isVerificationDue(backup, { verification: seen }, at("09:00:00"))).toBe(true);
  });

  test("an hour after a try that failed, at once after one that was killed", () => {
    expect(isVerificationDue(backup, { run }, at("01:40:59"))).toBe(false);
    expect(isVerificationDue(backup, { run }, at("01:41:00"))).toBe(true);
    expect(isVerificationDue(backup, { run: { ...run, state: "running" } }, at("00:42:00"))).toBe(true);
  });
});

describe("what was dumped and what is there", () => {
  const orders: DumpedCollection = {
    database: "shop",
    name: "orders",
    documents: 2,
    bytes: 50,
    content: `2:${"a".repeat(64)}`,
    metadata: "{}",
  };
  const oplog = { entries: 1, last: { t: 5, i: 1 } };

  test("each difference is a line", () => {
    const expected = { collections: [orders], oplog };
    expect(compareContent(expected, expected)).toEqual([]);
    const other = { ...orders, name: "other" };
    expect(compareContent(expected, { collections: [other], oplog })).toEqual([
      "shop.orders: missing in the archive",
      "shop.other: only in the archive",
    ]);
    const changed = { ...orders, documents: 3, bytes: 60, metadata: "{ }" };
    expect(
      compareContent(expected, { collections: [changed], oplog: { entries: 2, last: { t: 5, i: 2 } } }),
    ).toEqual([
      "shop.orders: expected 2 documents, got 3",
      "shop.orders: expected 50 bytes, got 60",
      "shop.orders: options or indexes are not those of the manifest",
      "oplog: expected entries 1, got 2",
      "oplog: expected last 5:1, got 5:2",
    ]);
    const content = { ...orders, content: `2:${"b".repeat(64)}` };
    expect(compareContent(expected, { collections: [content], oplog })).toEqual([
      "shop.orders: expected content 2:aaaaaaaaaaaaaaaa…, got 2:bbbbbbbbbbbbbbbb…",
    ]);
  });

  test("an oplog without entries names the entry before the dump; one that is missing is said", () => {
    const collections = [orders];
    const expected = { collections, oplog: { entries: 0, last: { t: 4, i: 1 } } };
    expect(compareContent(expected, { collections, oplog: { entries: 0 } })).toEqual([]);
    expect(compareContent(expected, { collections })).toEqual(["oplog: expected entries 0, got none"]);
  });

  const metadata = JSON.stringify({
    options: { capped: true, size: { $numberInt: "4096" } },
    indexes: [
      { v: { $numberInt: "2" }, key: { _id: { $numberInt: "1" } }, name: "_id_" },
      { v: { $numberInt: "2" }, key: { a: { $numberInt: "1" }, b: { $numberInt: "-1" } }, name: "a_b" },
    ],
    uuid: "0",
    collectionName: "orders",
    type: "collection",
  });
  const indexes = [
    { name: "a_b", key: { a: 1, b: -1 }, v: 2, ns: "shop.orders" },
    { name: "_id_", key: { _id: 1 }, v: 2 },
  ];

  const compareShapes = (...shapes: [string, CollectionShape, CollectionShape]) => [
    ...compareOptions(...shapes),
    ...compareIndexes(...shapes),
  ];

  test("options and indexes are equal whatever the order of their fields and the type of their numbers", () => {
    const found = shapeOf("collection", { size: 4096, capped: true }, indexes);
    expect(compareShapes("shop.orders", shapeOfMetadata(metadata), found)).toEqual([]);
  });

  test("an index that lacks, has another key order or another option, and another option of the collection differ", () => {
    const found = shapeOf("view", { size: 8192, capped: true }, [
      { ...indexes[0]!, key: { b: -1, a: 1 } },
      { name: "new", key: { c: 1 }, v: 2 },
    ]);
    expect(compareShapes("shop.orders", shapeOfMetadata(metadata), found)).toEqual([
      "shop.orders: type: expected collection, got view",
      'shop.orders: options: expected {"capped":true,"size":4096}, got {"size":8192,"capped":true}',
      'shop.orders: index _id_: expected {"v":2,"key":{"_id":1},"name":"_id_"}, got none',
      'shop.orders: index a_b: expected {"v":2,"key":{"a":1,"b":-1},"name":"a_b"}, got {"name":"a_b","key":{"b":-1,"a":1},"v":2}',
      'shop.orders: index new: expected none, got {"name":"new","key":{"c":1},"v":2}',
    ]);
  });
});
