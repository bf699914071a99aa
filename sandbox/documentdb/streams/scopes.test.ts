import { expect, test } from "bun:test";
import { isRecorded, modifyScopes, type Scope } from "./scopes.ts";

function enable(...each: [database: string, collection: string, time: bigint][]): Scope[] {
  return each.reduce<Scope[]>(
    (scopes, [database, collection, time]) =>
      modifyScopes(scopes, { database, collection, enable: true, time }),
    [],
  );
}

test("a collection is covered by its own scope, its database's, or the cluster's", () => {
  expect(isRecorded(enable(["a", "b", 1n]), "a", "b", 5n)).toBe(true);
  expect(isRecorded(enable(["a", "", 1n]), "a", "new", 5n)).toBe(true);
  expect(isRecorded(enable(["", "", 1n]), "x", "y", 5n)).toBe(true);
  expect(isRecorded(enable(["a", "b", 1n]), "a", "c", 5n)).toBe(false);
  expect(isRecorded(enable(["a", "", 1n]), "b", "a", 5n)).toBe(false);
});

test("nothing from before it was enabled is recorded, and enabling again doesn't lose what was", () => {
  const scopes = enable(["a", "b", 10n], ["a", "b", 20n]);
  expect(scopes).toHaveLength(1);
  expect(isRecorded(scopes, "a", "b", 9n)).toBe(false);
  expect(isRecorded(scopes, "a", "b", 10n)).toBe(true);
});

test("disabling takes exactly that scope away; a wider one goes on covering", () => {
  const scopes = enable(["a", "b", 1n], ["a", "", 1n]);
  const left = modifyScopes(scopes, { database: "a", collection: "b", enable: false, time: 2n });
  expect(left.map(({ database, collection }) => [database, collection])).toEqual([["a", ""]]);
  expect(isRecorded(left, "a", "b", 5n)).toBe(true);
  expect(modifyScopes(left, { database: "a", collection: "", enable: false, time: 3n })).toEqual([]);
});
