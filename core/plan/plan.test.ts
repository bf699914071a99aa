import { expect, test } from "bun:test";
import Ajv2020 from "ajv/dist/2020.js";
import fc from "fast-check";
import schema from "../../schemas/plan.schema.json";
import type { Task, Tasks } from "../tasks/model.ts";
import { renderMarkdown } from "./render-markdown.ts";
import { renderTerminal } from "./render-terminal.ts";
import { planOf, tasksOf } from "./testing.ts";

const valid = new Ajv2020({ allErrors: true, strict: true }).compile(schema);
const orders = "id: orders, database: shop, collections: [orders, items]";
const stock = "id: stock, database: stock, collections: [stock]";

test("adding a collection: that task is modified and resumed, just the new one is loaded, others stay as they are", () => {
  const plan = planOf(tasksOf(orders, stock), tasksOf(orders.replace("items", "items, refunds"), stock));
  expect(plan.summary).toEqual({
    none: 1,
    "modify-and-resume": 1,
    create: 0,
    reload: 0,
    recreate: 0,
    delete: 0,
  });
  expect(plan.tasks[0]).toMatchObject({
    id: "orders",
    action: "modify-and-resume",
    destructive: false,
    collectionsAdded: ["refunds"],
    collectionsRemoved: [],
    collectionsLoaded: ["refunds"],
  });
  expect(plan.environments.map(({ collectionsCreated }) => collectionsCreated)).toEqual(
    Array(3).fill(["shop.refunds"]),
  );
  expect(plan.willNotHappen).toContain("1 other task not stopped, changed or loaded again");
});

test("what is removed is dropped in dev and qa, kept in prod, and prod says so", () => {
  const plan = planOf(tasksOf(orders, stock), tasksOf(orders.replace(", items", "")));
  const [dev, qa, prod] = plan.environments;
  for (const environment of [dev, qa])
    expect(environment).toMatchObject({
      databasesDropped: ["stock"],
      databasesKept: [],
      collectionsDropped: ["shop.items"],
      collectionsKept: [],
    });
  expect(prod).toMatchObject({
    name: "prod",
    databasesDropped: [],
    databasesKept: ["stock"],
    collectionsDropped: [],
    collectionsKept: ["shop.items"],
  });
  expect(plan.endpoints).toEqual([{ id: "documentdb-stock", database: "stock", action: "delete" }]);
  expect(plan.willNotHappen.slice(0, 3)).toEqual([
    "prod: kept on DocumentDB with all data, though no longer replicated: 1 database, stock",
    "prod: kept on DocumentDB with all data, though no longer replicated: 1 collection, shop.items",
    "prod: no database and no collection is dropped",
  ]);
});

test("a rename is a rename: nothing dropped, nothing loaded; done already, it is nothing at all", () => {
  const renamed = tasksOf(
    "id: orders, database: shop, collections: [orders, {name: lines, renamedFrom: items}]",
  );
  const plan = planOf(tasksOf(orders), renamed);
  expect(plan.tasks[0]).toMatchObject({
    collectionsAdded: [],
    collectionsRemoved: [],
    collectionsRenamed: [{ from: "items", to: "lines" }],
    collectionsLoaded: [],
  });
  expect(plan.environments[0]).toMatchObject({
    collectionsDropped: [],
    collectionsCreated: [],
    collectionsRenamed: [{ from: "shop.items", to: "shop.lines" }],
  });
  const again = planOf(tasksOf("id: orders, database: shop, collections: [orders, lines]"), renamed);
  expect(again.tasks[0]!.action).toBe("none");
  // The old name was never there: then it is a new collection, loaded like any other.
  const unknown = planOf(tasksOf("id: orders, database: shop, collections: [orders]"), renamed);
  expect(unknown.tasks[0]).toMatchObject({ collectionsAdded: ["lines"], collectionsLoaded: ["lines"] });
});

test("a collection that moves between tasks is dropped nowhere and loaded by the task that takes it", () => {
  const plan = planOf(
    tasksOf("id: a, database: d, collections: [x, w]", "id: b, database: d, collections: [z]"),
    tasksOf("id: a, database: d, collections: [x]", "id: b, database: d, collections: [z, w]"),
  );
  expect(plan.environments.flatMap(({ collectionsDropped }) => collectionsDropped)).toEqual([]);
  expect(plan.tasks.map(({ id, collectionsLoaded }) => [id, collectionsLoaded])).toEqual([
    ["a", []],
    ["b", ["w"]],
  ]);
  expect(plan.tasks.some(({ destructive }) => destructive)).toBe(false);
});

test("an override reaches one environment only, and defaults reach every task", () => {
  const plan = planOf(
    tasksOf(orders),
    tasksOf(`${orders}, environments: {dev: {running: false, settings: {fullLoad: {commitRate: 5}}}}`),
  );
  const [task] = plan.tasks;
  expect(task!.reasons.map(({ rule, environments }) => [rule, environments])).toEqual([
    ["full-load-speed", ["dev"]],
    ["running-stopped", ["dev"]],
  ]);
  expect(task!.environments).toEqual([
    { name: "qa", action: "none" },
    { name: "prod", action: "none" },
  ]);
  expect(task!.run).toEqual([{ name: "dev", change: "stop" }]);
  const defaulted: Tasks = {
    ...tasksOf(orders, stock),
    defaults: { settings: { fullLoad: { commitRate: 5 } } },
  };
  expect(planOf(tasksOf(orders, stock), defaulted).summary["modify-and-resume"]).toBe(2);
});

test("a first plan creates everything, destructive lines come first in any other", () => {
  const first = planOf(undefined, tasksOf(orders, `${stock}, running: false`));
  expect(first.summary.create).toBe(2);
  expect(first.tasks[1]!.reasons[0]!.change).toBe(
    "new task with 1 collection: stock; not started in dev, qa, prod",
  );
  const plan = planOf(
    tasksOf(
      "id: a, database: a, collections: [c]",
      "id: b, database: b, collections: [c, d]",
      "id: z, database: z, collections: [c]",
    ),
    tasksOf(
      "id: a, database: a, collections: [c, e]",
      "id: b, database: b, collections: [c]",
      "id: m, database: m, collections: [c]",
    ),
  );
  expect(plan.tasks.map(({ id, action }) => `${action} ${id}`)).toEqual([
    "delete z",
    "modify-and-resume b",
    "create m",
    "modify-and-resume a",
  ]);
});

test("the digest is of what will happen: not of comments, order of keys or names, but of tree, tasks and changes", () => {
  const [base, head] = [tasksOf(orders), tasksOf(orders, stock)];
  const { digest } = planOf(base, head);
  expect(
    planOf(base, tasksOf("database: shop, collections: [orders, items], id: orders", stock)).digest,
  ).toBe(digest);
  expect(planOf(base, head, "a".repeat(40)).digest).not.toBe(digest);
  expect(planOf(tasksOf(orders.replace(", items", "")), head).digest).not.toBe(digest);
  expect(planOf(base, tasksOf(orders, `${stock}, owners: [x]`)).digest).not.toBe(digest);
});

const names = fc.uniqueArray(fc.constantFrom(..."abcdefgh"), { minLength: 1, maxLength: 5 });
const anyTasks: fc.Arbitrary<Tasks> = fc
  .uniqueArray(fc.record({ id: fc.constantFrom(..."pqrstu"), database: fc.constantFrom("d", "e"), names }), {
    selector: ({ id }) => id,
    minLength: 1,
  })
  .map((tasks) => {
    const taken = new Set<string>();
    const free = (database: string) => (name: string) =>
      !taken.has(`${database}.${name}`) && taken.add(`${database}.${name}`);
    const rows: Task[] = tasks.map(({ id, database, names: list }) => ({
      id,
      database,
      collections: list.filter(free(database)).map((name) => ({ name })),
    }));
    return { version: 1, tasks: rows.filter(({ collections }) => collections.length > 0) };
  });

test("any two revisions: the plan keeps its schema, and accounts for every collection exactly once", () => {
  fc.assert(
    fc.property(anyTasks, anyTasks, (base, head) => {
      const plan = planOf(base, head);
      if (!valid(plan)) throw new Error(JSON.stringify(valid.errors));
      const namespaces = (tasks: Tasks) =>
        new Set(
          tasks.tasks.flatMap(({ database, collections }) =>
            collections.map(({ name }) => `${database}.${name}`),
          ),
        );
      const [before, after] = [namespaces(base), namespaces(head)];
      const gone = [...before].filter((name) => !after.has(name));
      for (const environment of plan.environments) {
        const listed = [...environment.collectionsDropped, ...environment.collectionsKept];
        const databases = new Set([...environment.databasesDropped, ...environment.databasesKept]);
        expect([...listed, ...gone.filter((name) => databases.has(name[0]!))].sort()).toEqual(
          [...gone].sort(),
        );
      }
      // What is loaded is what has no checkpoint: new to its task, or its task is new.
      for (const task of plan.tasks)
        if (task.action === "modify-and-resume")
          expect(task.collectionsLoaded).toEqual(task.collectionsAdded);
      expect(plan.tasks.length).toBe(new Set([...base.tasks, ...head.tasks].map(({ id }) => id)).size);
    }),
  );
});

test("a revision compared with itself changes nothing, anywhere", () => {
  fc.assert(
    fc.property(anyTasks, (tasks) => {
      const plan = planOf(tasks, structuredClone(tasks));
      expect(plan.summary.none).toBe(tasks.tasks.length);
      expect(plan.endpoints).toEqual([]);
      expect(plan.willNotHappen.length).toBe(2);
    }),
  );
});

test("the terminal says destructive things first and names every environment's part", () => {
  const plan = planOf(tasksOf(orders, stock), tasksOf(orders.replace("items", "refunds")));
  const { digest } = plan;
  expect(renderTerminal(plan)).toBe(`Plan: base → head
  1 to delete, 1 to modify-and-resume, 0 unchanged
  digest ${digest}

Destructive
  dev, qa: 1 database dropped with everything in it, also collections not listed here: stock
  dev, qa: 1 collection dropped: shop.items
  - delete            stock (database stock)
      task removed, with 1 collection: stock
        the DMS task is stopped and deleted; its checkpoint is lost, coming back means a full load
  ~ modify-and-resume orders (database shop)
      added: refunds
        DMS changes a task only while it is stopped; it goes on from its checkpoint; then just the new collections are loaded, the others are not
      removed: items
        DMS changes a task only while it is stopped; it goes on from its checkpoint, without the collection; changes to it are no longer carried
      loaded in full: refunds

On DocumentDB
  dev, qa, prod: 1 collection created: shop.refunds
  1 target endpoint deleted: documentdb-stock

Will not happen
  prod: kept on DocumentDB with all data, though no longer replicated: 1 database, stock
  prod: kept on DocumentDB with all data, though no longer replicated: 1 collection, shop.items
  prod: no database and no collection is dropped
  in 1 task to modify-and-resume, no collection is loaded again but those listed
`);
});

test.each([500, 1500])(
  "a comment of %d changed tasks with long names stays below GitHub's limit and drops no destructive line silently",
  (count) => {
    const long = "n".repeat(150);
    const row = (index: number, collections: string) =>
      `id: task-${index}-${"x".repeat(100)}, database: database_${index}_${"y".repeat(30)}, collections: [${collections}]`;
    const both = Array.from({ length: count }, (_, index) => index);
    const base = tasksOf(...both.map((index) => row(index, `${long}1, ${long}2`)));
    const head = tasksOf(...both.slice(20).map((index) => row(index, `${long}1, ${long}3`)));
    const text = renderMarkdown(planOf(base, head));
    expect(Buffer.byteLength(text)).toBeLessThan(65_536);
    expect(text).toContain("20 to delete");
    for (const index of both.slice(0, 20)) expect(text).toContain(`**delete** \`task-${index}-`);
    const told = text.match(/^- ⚠️/gm)!.length;
    const rest = Number(/(\d+) more tasks are in the plan's JSON/.exec(text)?.[1] ?? 0);
    expect(told + rest).toBe(count);
    expect(text.match(/<details>/g)?.length).toBe(text.match(/<\/details>/g)?.length);
  },
);

test("names can't make markup, mentions or end a code span in a comment", () => {
  const name = "a`b|<img src=x>@team ![x](y)";
  const plan = planOf(
    tasksOf(orders),
    tasksOf(`id: orders, database: shop, collections: [orders, items, ${JSON.stringify(name)}]`),
  );
  const text = renderMarkdown(plan);
  expect(text).not.toMatch(/<img|@team|!\[x\]/);
  expect(text).toContain("&#64;team");
});
