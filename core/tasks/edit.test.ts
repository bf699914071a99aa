import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { addCollections, addTask, removeCollection } from "./edit.ts";
import { parseTasks } from "./tasks.ts";

const own = readFileSync(join(import.meta.dirname, "../../tasks.yaml"), "utf8");

const commented = `# head
version: 1   # one
tasks:
  # first
  - id: a      # the id
    database: shop
    collections: # many
    - orders   # big

    - {name: items, loadOrder: 2}   # flow map
    - name: events # block map
      loadOrder: 3 # three
    # tail comment
    owners: [x]

  - id: b
    database: other
    collections: [one, "two", {name: three}] # flow
# end
`;

test("a collection is added behind the last one, every other line stays byte for byte", () => {
  const edited = addCollections(commented, "a", [{ name: "no: plain" }, { name: "refunds" }]);
  expect(edited).toBe(commented.replace("# three\n", '# three\n    - "no: plain"\n    - refunds\n'));
});

test("a list in brackets stays one", () => {
  expect(addCollections(commented, "b", [{ name: "four" }])).toBe(
    commented.replace("{name: three}]", "{name: three}, four]"),
  );
  expect(removeCollection(commented, "b", "one")).toBe(commented.replace("one, ", ""));
  expect(removeCollection(commented, "b", "two")).toBe(commented.replace(', "two"', ""));
  expect(removeCollection(commented, "b", "three")).toBe(commented.replace(", {name: three}", ""));
});

test("a collection is taken out with its own lines and what stands behind it on them", () => {
  expect(removeCollection(commented, "a", "orders")).toBe(commented.replace("    - orders   # big\n", ""));
  expect(removeCollection(commented, "a", "events")).toBe(
    commented.replace("    - name: events # block map\n      loadOrder: 3 # three\n", ""),
  );
});

test("a task is added behind the last one", () => {
  const task = { id: "c", database: "new_db", collections: [{ name: "x" }, { name: "true" }] };
  expect(addTask(commented, task)).toBe(
    commented.replace(
      "# flow\n",
      '# flow\n\n  - id: c\n    database: new_db\n    collections:\n      - x\n      - "true"\n',
    ),
  );
});

test("line ends of Windows, and a file without a last line end, are kept", () => {
  const windows = commented.replaceAll("\n", "\r\n");
  expect(addCollections(windows, "a", [{ name: "z" }])).toBe(
    windows.replace("# three\r\n", "# three\r\n    - z\r\n"),
  );
  const bare = "version: 1\ntasks:\n- id: a\n  database: d\n  collections:\n  - c";
  expect(addCollections(bare, "a", [{ name: "z" }])).toBe(`${bare}\n  - z`);
  expect(removeCollection(`${bare}\n  - z`, "a", "z")).toBe(`${bare}\n`);
});

test.each([
  ["an unknown task", () => addCollections(commented, "zz", [{ name: "z" }]), /no such task/],
  [
    "a collection that is there",
    () => addCollections(commented, "a", [{ name: "orders" }]),
    /stands here and at/,
  ],
  ["a name MongoDB refuses", () => addCollections(commented, "a", [{ name: "a$b" }]), /can't be used/],
  ["an unknown collection", () => removeCollection(commented, "a", "zz"), /one of orders, items, events/],
  [
    "the last collection",
    () =>
      removeCollection(removeCollection(removeCollection(commented, "b", "one"), "b", "two"), "b", "three"),
    /the only one of b/,
  ],
  [
    "a database that differs by case",
    () => addTask(commented, { id: "c", database: "Shop", collections: [{ name: "x" }] }),
    /case alone/,
  ],
  [
    "tasks in brackets",
    () =>
      addTask("version: 1\ntasks: [{id: a, database: d, collections: [c]}]", {
        id: "b",
        database: "e",
        collections: [{ name: "x" }],
      }),
    /begin with -/,
  ],
  [
    "a list others share",
    () =>
      addCollections(
        "version: 1\ntasks:\n  - {id: a, database: d, collections: &l [c]}\n  - {id: b, database: e, collections: *l}\n",
        "b",
        [{ name: "x" }],
      ),
    /share/,
  ],
])("%s is refused and nothing is given back", (_, change, message) => {
  expect(change).toThrow(message);
});

test("adding and taking out any names the schema takes gives the first text again", () => {
  const name = fc
    .string({ minLength: 1, maxLength: 30, unit: "grapheme-ascii" })
    .filter((text) => !/[$\s]|^\.|\.$|\.\.|^system\./.test(text));
  fc.assert(
    fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 5 }), (names) => {
      const tasks = parseTasks(own).tasks[0]!;
      const added = names.filter((text) => tasks.collections.every((other) => other.name !== text));
      fc.pre(added.length > 0);
      const collections = added.map((text) => ({ name: text }));
      let text = addCollections(own, "shop-orders", collections);
      expect(parseTasks(text).tasks[0]!.collections.map((collection) => collection.name)).toEqual([
        ...tasks.collections.map((collection) => collection.name),
        ...added,
      ]);
      for (const gone of added) text = removeCollection(text, "shop-orders", gone);
      expect(text).toBe(own);
    }),
    { numRuns: 25 },
  );
});
