import { expect, test } from "bun:test";
import { parseTasks } from "../tasks/tasks.ts";
import { renamedAfter } from "./applied.ts";
import { makePlan } from "./plan.ts";

function tasksOf(...collections: readonly string[]) {
  return parseTasks(
    `version: 1\ndefaults: {owners: [team-shop]}\ntasks:\n  - {id: shop, database: shop, collections: [${collections.join(", ")}]}\n`,
  );
}

function after(before: readonly string[], base: readonly string[], head: readonly string[]): string[] {
  const [from, to] = [tasksOf(...base), tasksOf(...head)];
  const plan = makePlan({
    base: from,
    head: to,
    baseRevision: { name: "base" },
    headRevision: { name: "head" },
  });
  return renamedAfter(before, plan, to, ({ action }) => action);
}

const returns = "{name: returns, renamedFrom: refunds}";

test("a renamed collection is remembered as long as it is declared and was not loaded", () => {
  expect(after([], ["orders", "refunds"], ["orders", returns])).toEqual(["shop.returns"]);
  expect(after(["shop.returns"], ["orders", returns], ["orders", "returns", "stock"])).toEqual([
    "shop.returns",
  ]);
  expect(after(["shop.returns"], ["orders", "returns"], ["orders"])).toEqual([]);
  const again = "{name: sent-back, renamedFrom: returns}";
  expect(after(["shop.returns"], ["orders", "returns"], ["orders", again])).toEqual(["shop.sent-back"]);
});

test("a collection that was taken out and added again is loaded, and DMS shows it so", () => {
  expect(after([], ["orders"], ["orders", "returns"])).toEqual([]);
  expect(after(["shop.returns"], ["orders"], ["orders", "returns"])).toEqual([]);
});
