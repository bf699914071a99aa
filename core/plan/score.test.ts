import { describe, expect, test } from "bun:test";
import Ajv2020 from "ajv/dist/2020.js";
import schema from "../../schemas/score.schema.json";
import type { LiveTable, LiveTask } from "../live/live-state.ts";
import type { Tasks } from "../tasks/model.ts";
import { type Observed, scoreInWords, scorePlan } from "./score.ts";
import { planOf, tasksOf } from "./testing.ts";

const table = (name: string, loadedAt: string | undefined, state = "Table completed"): LiveTable => ({
  schema: "shop",
  table: name,
  state,
  fullLoadRows: 1,
  inserts: 0,
  updates: 0,
  deletes: 0,
  ...(loadedAt ? { fullLoadStartedAt: loadedAt } : {}),
});

function task(id: string, tables: readonly LiveTable[], change: Partial<LiveTask> = {}): LiveTask {
  return {
    id,
    arn: `arn:${id}`,
    status: "running",
    tables,
    mappings: tables.map((each) => each.table),
    settings: {},
    sourceEndpointArn: "arn:source",
    targetEndpointArn: "arn:target",
    replicationInstanceArn: "arn:instance",
    startedAt: "1",
    freshlyStartedAt: "1",
    ...change,
  };
}

const billing = "id: billing, database: billing, collections: [invoices]";
const base = tasksOf("id: shop, database: shop, collections: [orders]", billing);
const head = tasksOf("id: shop, database: shop, collections: [orders, notes]", billing);
const before: Observed = {
  tasks: [task("shop", [table("orders", "1")]), task("billing", [])],
  names: ["shop", "shop.orders", "billing", "billing.invoices"],
};
const after: Observed = {
  tasks: [task("shop", [table("orders", "1"), table("notes", "2")], { startedAt: "2" }), task("billing", [])],
  names: [...before.names, "shop.notes"],
};

const validate = new Ajv2020({ allErrors: true }).compile(schema);

function score(then: Observed, [from, to]: readonly [Tasks, Tasks] = [base, head], was = before) {
  const found = scorePlan(planOf(from, to), "dev", to, was, then);
  validate(found);
  expect(validate.errors ?? []).toEqual([]);
  return found;
}

function withTask(changed: LiveTask, names = after.names): Observed {
  return { tasks: [changed, ...after.tasks.filter(({ id }) => id !== changed.id)], names };
}

test("the schema refuses what no score says", () => {
  const found = score(after);
  for (const wrong of [{ right: -1 }, { digest: "none" }, { more: 1 }, { tasks: [{ id: "shop" }] }])
    expect(validate({ ...found, ...wrong })).toBe(false);
});

describe("each prediction against what was seen", () => {
  test("what happened as predicted is right, and so is nothing where nothing was predicted", () => {
    const found = score(after);
    expect(found).toMatchObject({ predictions: 3, right: 3 });
    expect(scoreInWords(found)).toBe("3 of 3 predictions right");
    expect(found.tasks.find(({ id }) => id === "shop")?.happened).toEqual({
      action: "modify-and-resume",
      restarted: true,
      loaded: ["notes"],
    });
  });

  test("another collection that was loaded again makes it wrong", () => {
    const reloaded = task("shop", [table("orders", "2"), table("notes", "2")], { startedAt: "2" });
    const found = score(withTask(reloaded));
    expect(scoreInWords(found)).toBe(
      "2 of 3 predictions right; wrong: shop: predicted modify-and-resume with notes loaded, happened modify-and-resume with notes, orders loaded",
    );
  });

  test("a task that was made anew is a recreate, one that began anew a reload", () => {
    const tables = [table("orders", "2"), table("notes", "2")];
    const anew = score(withTask(task("shop", tables, { arn: "arn:other", startedAt: "2" })));
    expect(scoreInWords(anew)).toContain("happened recreate with notes, orders loaded");
    const fresh = score(withTask(task("shop", tables, { startedAt: "2", freshlyStartedAt: "2" })));
    expect(scoreInWords(fresh)).toContain("happened reload with notes, orders loaded");
  });

  test("a task nobody was to touch that was restarted makes it wrong", () => {
    const found = score(withTask(task("billing", [], { startedAt: "2" })));
    expect(scoreInWords(found)).toContain("billing: predicted none, happened started or stopped");
  });

  test("a new collection that MongoDB doesn't have yet can't be loaded: the prediction stands", () => {
    const tables = [table("orders", "1"), table("notes", undefined, "Table does not exist")];
    expect(score(withTask(task("shop", tables, { startedAt: "2" }))).right).toBe(3);
  });

  test("created, deleted, started and stopped", () => {
    const crm = "id: crm, database: crm, collections: [people]";
    const stopped = tasksOf("id: shop, database: shop, collections: [orders], running: false", crm);
    const then: Observed = {
      tasks: [
        task("shop", [table("orders", "1")], { status: "stopped" }),
        task("crm", [table("people", "2")]),
      ],
      names: ["shop", "shop.orders", "crm", "crm.people"],
    };
    const found = score(then, [base, stopped]);
    expect(scoreInWords(found)).toBe("5 of 5 predictions right");
    expect(found.data.map(({ name, predicted }) => `${name} ${predicted}`)).toEqual([
      "crm created",
      "billing dropped",
    ]);
  });

  test("data that was to be dropped and still stands makes it wrong", () => {
    const found = score({ ...after, names: [...after.names, "shop.notes"] }, [head, base], after);
    expect(scoreInWords(found)).toContain("shop.notes: predicted dropped, is there");
  });

  test("prod predicts that removed data is kept", () => {
    const found = scorePlan(planOf(head, base), "prod", base, after, after);
    expect(found.data).toEqual([{ name: "shop.notes", predicted: "kept", happened: "there", right: true }]);
  });
});
