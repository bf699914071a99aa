import { expect, test } from "bun:test";
import { loadProgress, progressInWords, tableInWords } from "./load-progress.ts";

const table = (name: string, state: string, fullLoadRows: number) => ({
  schema: "shop",
  table: name,
  state,
  fullLoadRows,
  inserts: 0,
  updates: 0,
  deletes: 0,
});

test("tables are done, waited for or broken; a state unknown here is waited for", () => {
  const progress = loadProgress(
    [
      table("a", "Table completed", 10),
      table("b", "Full load", 5),
      table("c", "Table error", 1),
      table("d", "Table does not exist", 0),
      table("e", "Something new", 0),
    ],
    undefined,
  );
  const names = (list: readonly { table: string }[]) => list.map((each) => each.table).join();
  expect([names(progress.done), names(progress.waiting), names(progress.broken)]).toEqual([
    "a,d",
    "b,e",
    "c",
  ]);
  expect(progress.rows).toBe(16);
});

test("progress says rows, percent, tables and the time left; without a total no percent is invented", () => {
  const tables = [table("a", "Table completed", 1000), table("b", "Full load", 200)];
  expect(progressInWords(loadProgress(tables, 4000), 10)).toBe(
    "1,200 of 4,000 rows (30 %), 1 of 2 tables, about 5 min left",
  );
  expect(progressInWords(loadProgress(tables, 4000), 0)).toBe("1,200 of 4,000 rows (30 %), 1 of 2 tables");
  expect(progressInWords(loadProgress(tables, undefined), 10)).toBe("1,200 rows, 1 of 2 tables");
  expect(progressInWords(loadProgress(tables, 100), 10)).toBe("1,200 of 100 rows (100 %), 1 of 2 tables");
  expect(tableInWords(tables[0]!)).toBe("shop.a: Table completed, 1,000 rows");
  expect(tableInWords(table("x", "Table does not exist", 0))).toBe("shop.x: not there at the source");
});
