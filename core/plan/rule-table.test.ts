/** Each row of the rule table, reached by a change of the file. */
import { expect, test } from "bun:test";
import type { TaskAction } from "./model.ts";
import { type RuleName, ruleTable } from "./rule-table.ts";
import { planOf, tasksOf } from "./testing.ts";

const task = (more = "", collections = "c, d") =>
  `id: a, database: shop, collections: [${collections}]${more}`;
const other = (collections = "x") => `id: z, database: shop, collections: [${collections}]`;
const lob = (text: string) => `, settings: {lob: {${text}}}`;

interface Row {
  readonly base: readonly string[];
  readonly head: readonly string[];
  readonly action: TaskAction;
  readonly change: string;
  readonly loaded?: readonly string[];
}

const rows: Readonly<Record<RuleName, Row>> = {
  "task-added": {
    base: [other()],
    head: [task(), other()],
    action: "create",
    change: "new task with 2 collections: c, d",
    loaded: ["c", "d"],
  },
  "task-removed": {
    base: [task(), other()],
    head: [other()],
    action: "delete",
    change: "task removed, with 2 collections: c, d",
  },
  "database-changed": {
    base: [task()],
    head: [task().replace("shop", "mall")],
    action: "recreate",
    change: "database: shop → mall",
    loaded: ["c", "d"],
  },
  "endpoint-changed": {
    base: [task()],
    head: [task()],
    action: "recreate",
    change: "target endpoint: documentdb-shop → the-other",
    loaded: ["c", "d"],
  },
  "collection-added": {
    base: [task()],
    head: [task("", "c, d, e")],
    action: "modify-and-resume",
    change: "added: e",
    loaded: ["e"],
  },
  "collection-removed": {
    base: [task()],
    head: [task("", "c")],
    action: "modify-and-resume",
    change: "removed: d",
  },
  "collection-moved-in": {
    base: [task("", "c"), other("d, x")],
    head: [task(), other()],
    action: "modify-and-resume",
    change: "taken over from another task: d",
    loaded: ["d"],
  },
  "collection-moved-out": {
    base: [task(), other()],
    head: [task("", "c"), other("d, x")],
    action: "modify-and-resume",
    change: "handed to another task: d",
  },
  "collection-renamed": {
    base: [task()],
    head: [task("", "c, {name: e, renamedFrom: d}")],
    action: "modify-and-resume",
    change: "renamed: d → e",
  },
  "lob-widened": {
    base: [task(lob("mode: limited, maxKilobytes: 1"))],
    head: [task()],
    action: "reload",
    change: "lob: limited, up to 1 KB → full, pieces of 64 KB",
    loaded: ["c", "d"],
  },
  "lob-narrowed": {
    base: [task()],
    head: [task(lob("mode: limited, maxKilobytes: 1"))],
    action: "modify-and-resume",
    change: "lob: full, pieces of 64 KB → limited, up to 1 KB",
  },
  "lob-chunk": {
    base: [task()],
    head: [task(lob("mode: full, chunkKilobytes: 32"))],
    action: "modify-and-resume",
    change: "lob: full, pieces of 64 KB → full, pieces of 32 KB",
  },
  "target-preparation": {
    base: [task()],
    head: [task(", environments: {dev: {settings: {targetPreparation: drop-tables}}}")],
    action: "modify-and-resume",
    change: "targetPreparation: do-nothing → drop-tables",
  },
  "full-load-speed": {
    base: [task()],
    head: [task(", settings: {fullLoad: {commitRate: 7}}")],
    action: "modify-and-resume",
    change: "commitRate: 10000 → 7",
  },
  "parallel-load": {
    base: [task()],
    head: [task("", "c, {name: d, parallelLoad: {partitions: 4}}")],
    action: "modify-and-resume",
    change: 'parallelLoad of d: none → {"partitions":4}',
  },
  "load-order": {
    base: [task()],
    head: [task("", "c, {name: d, loadOrder: 4}")],
    action: "modify-and-resume",
    change: "loadOrder of d: none → 4",
  },
  "running-started": {
    base: [task(", running: false")],
    head: [task()],
    action: "none",
    change: "running: false → true",
  },
  "running-stopped": {
    base: [task()],
    head: [task(", running: false")],
    action: "none",
    change: "running: true → false",
  },
  "owners-changed": {
    base: [task(", owners: [x]")],
    head: [task(", owners: [y, z]")],
    action: "none",
    change: "owners: x → y, z",
  },
};

test.each(Object.entries(rows))("%s", (name, { base, head, action, change, loaded = [] }) => {
  const rule = name as RuleName;
  const after = tasksOf(...head);
  const target = rule === "endpoint-changed" ? { ...after, targetEndpoints: { shop: "the-other" } } : after;
  const plan = planOf(tasksOf(...base), target);
  const found = plan.tasks.find(({ id }) => id === "a")!;
  const { why, destructive } = ruleTable[rule];
  expect(found.action).toBe(action);
  expect(found.reasons.map((reason) => [reason.rule, reason.action, reason.change, reason.why])).toEqual([
    [rule, action, change, why],
  ]);
  expect(found.destructive).toBe(destructive);
  expect(found.collectionsLoaded).toEqual([...loaded]);
  // Adding a collection leaves every task alone that doesn't get or lose one.
  if (!rule.startsWith("collection-moved"))
    for (const untouched of plan.tasks.filter(({ id }) => id === "z"))
      expect(untouched).toMatchObject({ action: "none", reasons: [], collectionsLoaded: [] });
});
