import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { databasesOf, parseTasks } from "./tasks.ts";

test("the repository's own tasks.yaml is valid and realistic", () => {
  const tasks = parseTasks(readFileSync(join(import.meta.dirname, "../../tasks.yaml"), "utf8"));
  const databases = databasesOf(tasks);
  expect(databases.length).toBeGreaterThanOrEqual(3);
  expect(databases.flatMap(({ collections }) => collections).length).toBeGreaterThanOrEqual(9);
  expect(databases.some(({ name }) => name.includes("_"))).toBe(true);
});

test("two tasks of one database give one database in the scope, each collection once, sorted", () => {
  const text = `version: 1
tasks:
  - {id: a, database: shop, collections: [zeta, alpha]}
  - {id: b, database: shop, collections: [beta]}
`;
  expect(databasesOf(parseTasks(text))).toEqual([{ name: "shop", collections: ["alpha", "beta", "zeta"] }]);
});

test.each([
  ["not YAML", "version: [", /tasks.yaml/],
  ["a key twice", "version: 1\nversion: 1\ntasks: []", /twice/],
  [
    "an unknown key",
    "version: 1\nextra: 1\ntasks: [{id: a, database: d, collections: [c]}]",
    /unknown key "extra"/,
  ],
  ["no collection", "version: 1\ntasks: [{id: a, database: d, collections: []}]", /tasks\[0\]\.collections/],
])("%s is refused by name", (_, text, message) => {
  expect(() => parseTasks(text)).toThrow(message);
});
