import { expect, test } from "bun:test";
import { tailRange } from "./tail-range.ts";

const first = { t: 100, i: 1 };

test("failback 17: the tail begins a margin before the earliest checkpoint", () => {
  const tasks = [
    { id: "late", checkpoint: { raw: "b", timestamp: { t: 900, i: 4 } }, tables: ["shop.late"] },
    { id: "early", checkpoint: { raw: "a", timestamp: { t: 800, i: 4 } } },
  ];
  const { from, boundary, carriedThrough } = tailRange(tasks, 30, first);
  expect(from).toEqual({ t: 770, i: 0 });
  expect(carriedThrough).toEqual({ "shop.late": { t: 900, i: 4 }, "*": { t: 800, i: 4 } });
  expect(boundary).toContain("DMS task early");
});

test("failback 17: a checkpoint of unknown form counts by the stop, or by the whole oplog, and is named", () => {
  const stopped = { id: "a", checkpoint: { raw: "??" }, stoppedAt: "1970-01-01T00:13:20.000Z" };
  expect(tailRange([stopped], 30, first)).toMatchObject({ from: { t: 770, i: 0 }, carriedThrough: {} });
  expect(tailRange([stopped], 30, first).boundary).toContain("of unknown form (??)");
  const nothing = { id: "b" };
  expect(tailRange([stopped, nothing], 30, first).from).toEqual({ t: 70, i: 0 });
  expect(tailRange([], 30, first).from).toEqual(first);
  expect(tailRange([], 30, first).boundary).toContain("whole oplog");
});
