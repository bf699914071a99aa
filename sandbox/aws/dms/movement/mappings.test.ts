import { expect, test } from "bun:test";
import fc from "fast-check";
import { MappingError, parseMappings, patternOf, Selector } from "./mappings.ts";

function rules(...each: [action: string, schema: string, table: string][]): Selector {
  const list = each.map(([action, schema, table], index) => ({
    "rule-type": "selection",
    "rule-id": String(index + 1),
    "rule-name": `rule ${index + 1}`,
    "rule-action": action,
    "object-locator": { "schema-name": schema, "table-name": table },
  }));
  return new Selector(parseMappings(JSON.stringify({ rules: list })));
}

test("an underscore under include matches a sibling, in brackets it doesn't", () => {
  expect(rules(["include", "shop", "order_items"]).selects("shop", "orderXitems")).toBe(true);
  const escaped = rules(["include", "shop", "order[_]items"]);
  expect(escaped.selects("shop", "orderXitems")).toBe(false);
  expect(escaped.selects("shop", "order_items")).toBe(true);
});

test("an explicit rule means exactly its name", () => {
  const explicit = rules(["explicit", "shop", "order_items"]);
  expect(explicit.selects("shop", "order_items")).toBe(true);
  expect(explicit.selects("shop", "orderXitems")).toBe(false);
});

test("exclude beats include, case counts, sets and ranges match one character", () => {
  const selector = rules(["include", "shop%", "%"], ["exclude", "shop%", "tmp[a-c]%"]);
  expect(selector.selects("shop2", "orders")).toBe(true);
  expect(selector.selects("Shop2", "orders")).toBe(false);
  expect(selector.selects("shop2", "tmpb1")).toBe(false);
  expect(selector.selects("shop2", "tmpd1")).toBe(true);
});

test("system databases and collections are never selected", () => {
  const all = rules(["include", "%", "%"]);
  for (const [schema, table] of [
    ["local", "oplog.rs"],
    ["admin", "x"],
    ["config", "x"],
    ["shop", "system.views"],
  ] as const) {
    expect(all.selects(schema, table)).toBe(false);
  }
});

test("a name with every wildcard put in brackets matches itself alone", () => {
  const names = fc.stringMatching(/^[a-zA-Z0-9_%.$()-]{1,20}$/);
  fc.assert(
    fc.property(names, names, (name, other) => {
      const escaped = patternOf(name.replace(/[%_]/g, "[$&]"));
      expect(escaped.test(name)).toBe(true);
      expect(escaped.test(other)).toBe(other === name);
    }),
  );
});

test("source filters are refused, they don't exist for MongoDB", () => {
  const rule = {
    "rule-type": "selection",
    "rule-id": "1",
    "rule-name": "1",
    "rule-action": "include",
    "object-locator": { "schema-name": "a", "table-name": "b" },
    filters: [{ "filter-type": "source" }],
  };
  expect(() => parseMappings(JSON.stringify({ rules: [rule] }))).toThrow(MappingError);
});

test("the databases are known unless a wildcard leaves them open", () => {
  expect(rules(["include", "shop[_]eu", "%"], ["explicit", "a_b", "c"]).databases()).toEqual([
    "shop_eu",
    "a_b",
  ]);
  expect(rules(["include", "shop_eu", "%"]).databases()).toBeUndefined();
  expect(rules(["include", "shop[ab]", "%"]).databases()).toBeUndefined();
  expect(rules(["include", "shop", "%"], ["exclude", "%", "tmp"]).databases()).toEqual(["shop"]);
});
