import { expect, test } from "bun:test";
import fc from "fast-check";
import { dmsPattern } from "./dms-pattern.ts";
import { importTasks } from "./import.ts";
import { parseTasks } from "./tasks.ts";

const selection = (schema: string, table: string, more: object = {}) => ({
  "rule-type": "selection",
  "rule-id": "1",
  "rule-name": `${schema}.${table}`,
  "object-locator": { "schema-name": schema, "table-name": table },
  "rule-action": "include",
  filters: [],
  ...more,
});
const task = (id: string, rules: object[], more: object = {}) => ({
  task_id: id,
  "table-mappings": { rules },
  target_endpoint_key: "",
  ...more,
});
const imported = (tasks: object[], source?: Parameters<typeof importTasks>[2]) =>
  importTasks(JSON.stringify(tasks), "old.json", source);
const taskList = (text: string) =>
  parseTasks(text).tasks.map(({ id, database, collections }) => [
    id,
    database,
    collections.map(({ name }) => name),
  ]);
const source = [
  { database: "d", collection: "log_a" },
  { database: "d", collection: "log_b" },
  { database: "d", collection: "log_old" },
  { database: "d", collection: "colX1" },
  { database: "e", collection: "log_a" },
];

test("the seeds' format comes over whole: task, collections, endpoint", () => {
  const { text, losses, notes } = imported([
    task("cuenta-digital-1", [selection("Si_DbCuenta", "coleccion"), selection("Si_DbCuenta", "otra")], {
      target_endpoint_key: "test-docdb-cuenta",
    }),
    task("firmas", [selection("firmas", "x")], { target_endpoint_key: "documentdb-firmas" }),
  ]);
  expect(losses).toEqual([]);
  expect(notes).toEqual([
    'task "cuenta-digital-1" rule "Si_DbCuenta.coleccion": _ in "Si_DbCuenta.coleccion" stood for any character; taken as the name itself',
    'task "cuenta-digital-1" rule "Si_DbCuenta.otra": _ in "Si_DbCuenta.otra" stood for any character; taken as the name itself',
  ]);
  expect(taskList(text)).toEqual([
    ["cuenta-digital-1", "Si_DbCuenta", ["coleccion", "otra"]],
    ["firmas", "firmas", ["x"]],
  ]);
  // The endpoint that is named as it would be anyway needs no line.
  expect(parseTasks(text).targetEndpoints).toEqual({ Si_DbCuenta: "test-docdb-cuenta" });
});

test("a file kept by hand, with a comma too many and mappings as text, is read", () => {
  const mappings = JSON.stringify(JSON.stringify({ rules: [selection("d", "x")] }));
  const { text } = importTasks(`[\n\t{"task_id": "a", "table-mappings": ${mappings}, },\n]`, "old.json");
  expect(taskList(text)).toEqual([["a", "d", ["x"]]]);
});

test("wildcards without the source's names are losses that stand in the file, never guesses", () => {
  const { text, losses } = imported([task("a", [selection("d", "x"), selection("d", "log%")])]);
  expect(losses).toEqual([
    'task "a" rule "d.log%": which collections "d.log%" takes can\'t be told; give --names with the source\'s collections',
  ]);
  expect(text).toContain(`# NOT CARRIED OVER: ${losses[0]}`);
  expect(taskList(text)).toEqual([["a", "d", ["x"]]]);
});

test("with the source's names wildcards become what they took, excludes take away", () => {
  const rules = [
    selection("d", "log%"),
    selection("d", "col_1"),
    selection("%", "log[_]old", { "rule-action": "exclude" }),
  ];
  const { text, losses, notes } = imported([task("a", rules)], source);
  expect(losses).toEqual([]);
  expect(notes).toEqual([
    'task "a" rule "d.log%": "d.log%" becomes the 3 collections it takes now (d.log_a, d.log_b, d.log_old); new ones must be added by name',
    'task "a" rule "d.col_1": "d.col_1" took d.colX1 as well; kept',
    'task "a" rule "%.log[_]old": exclude "%.log[_]old" left out d.log_old',
  ]);
  expect(taskList(text)).toEqual([["a", "d", ["log_a", "log_b", "col_1", "colX1"]]]);
});

test("a task of several databases becomes one task each, and a collection of two tasks stays in the first", () => {
  const { text, notes, losses } = imported(
    [task("a", [selection("%", "log[_]a")]), task("b", [selection("d", "log[_]a"), selection("d", "x")])],
    source,
  );
  expect(losses).toEqual([]);
  expect(taskList(text)).toEqual([
    ["a", "d", ["log_a"]],
    ["a-2", "e", ["log_a"]],
    ["b", "d", ["x"]],
  ]);
  expect(notes.slice(1)).toEqual([
    'task "a" had more than one database; "a-2" is new and carries "e"',
    'task "b": "d.log_a" is left to task "a", which had it before',
  ]);
});

test("load order and parallel load come over, what has no place is named", () => {
  const settings = (table: string, more: object) => ({
    "rule-type": "table-settings",
    "rule-id": "9",
    "rule-name": `s-${table}`,
    "object-locator": { "schema-name": "d", "table-name": table },
    ...more,
  });
  const { text, losses } = imported([
    task(
      "a",
      [
        selection("d", "x", { "load-order": "2", filters: [{}] }),
        selection("d", "y", { "rule-action": "explicit" }),
        selection("d", "z", { "rule-action": "explicit_" }),
        settings("x", { "parallel-load": { type: "partitions-auto", "number-of-partitions": 8 } }),
        settings("y", {
          "parallel-load": { type: "ranges", columns: ["_id"], boundaries: [["k"], ["t"]] },
          "lob-settings": {},
        }),
        settings("q", { "parallel-load": { type: "partitions-auto" } }),
        settings("x", { "parallel-load": { type: "partitions-list" } }),
        { "rule-type": "transformation", "rule-name": "t" },
      ],
      { extra: 1 },
    ),
  ]);
  expect(parseTasks(text).tasks[0]!.collections).toEqual([
    { name: "x", loadOrder: 2, parallelLoad: { partitions: 8 } },
    { name: "y", parallelLoad: { boundaries: ["k", "t"] } },
  ]);
  expect(losses).toEqual([
    'task "a": key "extra" has no place in tasks.yaml',
    'task "a" rule "d.x": filters; DMS has none for MongoDB, tasks.yaml neither',
    'task "a" rule "d.z": rule-action "explicit_" is not known',
    'task "a" rule "s-y": lob-settings of "d.y" has no place in tasks.yaml',
    'task "a" rule "s-q": parallel-load of "d.q" is for a collection no rule takes',
    'task "a" rule "s-x": parallel-load of "d.x" is of a kind tasks.yaml doesn\'t have',
    'task "a" rule "t": rule-type "transformation" is not known to tasks.yaml',
  ]);
});

test("ids DMS can't have had are made ones it takes, names MongoDB refuses are named", () => {
  const { text, notes, losses } = imported([
    task("Task_ID", [selection("d", "x")]),
    task("task-id", [selection("d", "y"), selection("d", "system.users")]),
    task("none", []),
  ]);
  expect(notes).toEqual([
    'task "Task_ID" is called "task-id": DMS refuses the old name, or it stood twice',
    'task "task-id" is called "task-id-2": DMS refuses the old name, or it stood twice',
  ]);
  expect(losses[0]).toBe('task "none": no collection is left, so the task is left out');
  expect(losses[1]).toContain("not valid yet: tasks.yaml:");
  expect(text).toContain("id: task-id-2");
});

test.each([
  ["not a list", "{}", /something else/],
  ["not JSON", "[{", /Flow/],
  ["tasks.yaml itself", "version: 1", /something else/],
  ["a task without rules", '[{"task_id": "a", "table-mappings": {}}]', /list of rules/],
])("%s is refused by name", (_, text, message) => {
  expect(() => importTasks(text, "old.json")).toThrow(message);
});

test("a DMS pattern matches what DMS matches", () => {
  const matched = (pattern: string, names: string[]) =>
    names.filter((name) => dmsPattern(pattern).matches(name));
  expect(matched("a_c", ["abc", "a_c", "ac", "abbc"])).toEqual(["abc", "a_c"]);
  expect(matched("a[_]c", ["abc", "a_c"])).toEqual(["a_c"]);
  expect(matched("a%", ["a", "abc", "b"])).toEqual(["a", "abc"]);
  expect(matched("[ab]c", ["ac", "bc", "cc"])).toEqual(["ac", "bc"]);
  expect(matched("[a-d]1", ["a1", "c1", "e1", "-1"])).toEqual(["a1", "c1"]);
  expect(matched("a.b(c)*", ["a.b(c)*", "axb(c)*"])).toEqual(["a.b(c)*"]);
  expect(dmsPattern("a[_]c")).toMatchObject({ literal: "a_c", wild: false });
  expect(dmsPattern("[ab]")).toMatchObject({ wild: true });
  expect(dmsPattern("[ab]").literal).toBeUndefined();
});

test("any pattern can be read, and a plain name matches itself alone", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.string(), (pattern, other) => {
      const read = dmsPattern(pattern);
      read.matches(other);
      if (!/[%_[]/.test(pattern)) {
        expect(read.literal).toBe(pattern);
        expect(read.matches(pattern)).toBe(true);
        expect(read.matches(other)).toBe(other === pattern);
      }
    }),
  );
});
