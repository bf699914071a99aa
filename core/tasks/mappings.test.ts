import { expect, test } from "bun:test";
import fc from "fast-check";
import { tableMappings } from "./mappings.ts";
import type { Collection } from "./model.ts";

const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 20, unit: "grapheme" }), {
  minLength: 1,
  maxLength: 30,
});
const collectionsOf = (list: readonly string[]): Collection[] => list.map((name) => ({ name }));

test("adding one collection adds one rule and changes no other, in whatever order the file has them", () => {
  fc.assert(
    fc.property(names, fc.infiniteStream(fc.nat()), (list, random) => {
      const [added, ...rest] = list;
      const shuffled = [...list].sort(() => (random.next().value! % 2) - 0.5);
      const before = tableMappings({ database: "d", collections: collectionsOf(rest) }).rules;
      const after = tableMappings({ database: "d", collections: collectionsOf(shuffled) }).rules;
      expect(after.filter((rule) => rule["object-locator"]["table-name"] !== added)).toEqual([...before]);
      expect(after.length).toBe(before.length + 1);
    }),
  );
});

test("ids and names are unique numbers, and no name is left to match another", () => {
  fc.assert(
    fc.property(names, fc.integer({ min: 1, max: 49 }), (list, partitions) => {
      const { rules } = tableMappings({ database: "d", collections: collectionsOf(list) }, partitions);
      expect(new Set(rules.map((rule) => rule["rule-id"])).size).toBe(rules.length);
      expect(new Set(rules.map((rule) => rule["rule-name"])).size).toBe(rules.length);
      for (const rule of rules) {
        expect(rule["rule-id"]).toMatch(/^[1-9]\d{0,9}$/);
        if (rule["rule-type"] === "selection") expect(rule["rule-action"]).toBe("explicit");
      }
      expect(rules.length).toBe(list.length * (partitions > 1 ? 2 : 1));
    }),
  );
});

test("_ and % stand in the rule as they are, under explicit, and load settings become their own rules", () => {
  const collections = [
    { name: "a_%", loadOrder: 3 },
    { name: "b", parallelLoad: { boundaries: ["m", "t"] } },
    { name: "c", parallelLoad: { partitions: 1 } },
  ];
  const { rules } = tableMappings({ database: "d_1", collections }, 4);
  const [first] = rules;
  expect(first).toEqual({
    "rule-type": "selection",
    "rule-id": first!["rule-id"],
    "rule-name": first!["rule-id"],
    "object-locator": { "schema-name": "d_1", "table-name": "a_%" },
    "rule-action": "explicit",
    "load-order": "3",
  });
  expect(rules.slice(3).map((rule) => [rule["object-locator"]["table-name"], rule["parallel-load"]])).toEqual(
    [
      ["a_%", { type: "partitions-auto", "number-of-partitions": 4 }],
      ["b", { type: "ranges", columns: ["_id"], boundaries: [["m"], ["t"]] }],
    ],
  );
});

test("a rule's id is a promise: it never changes between versions", () => {
  const { rules } = tableMappings({ database: "shop_orders", collections: [{ name: "order_events" }] });
  expect(rules[0]!["rule-id"]).toBe("749103223");
});
