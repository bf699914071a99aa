import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { LiveTask } from "../live/live-state.ts";
import { effectiveTask } from "../tasks/effective.ts";
import { tableMappings } from "../tasks/mappings.ts";
import type { Tasks } from "../tasks/model.ts";
import { dmsTaskSettings } from "../tasks/task-settings.ts";
import { divergences, remainingPlan, type StandingDms, taskDifference } from "./standing.ts";
import { checkInfrastructure } from "./terraform-check.ts";
import { planOf, tasksOf } from "./testing.ts";

/** DMS as Terraform makes it of a tasks file, every task running. */
function dmsOf(tasks: Tasks, only: readonly string[] = tasks.tasks.map(({ id }) => id)): StandingDms {
  const made = tasks.tasks.filter(({ id }) => only.includes(id));
  const live = made.map((task): [string, LiveTask] => {
    const { endpoint, settings } = effectiveTask(tasks, task, "dev");
    return [
      task.id,
      {
        id: task.id,
        arn: `arn:${task.id}`,
        status: "running",
        tables: [],
        mappings: tableMappings(task, settings.partitions),
        settings: dmsTaskSettings(settings),
        sourceEndpointArn: "arn:source",
        targetEndpointArn: `arn:${endpoint}`,
        replicationInstanceArn: "arn:instance",
      },
    ];
  });
  const endpoints = made.map((task) => effectiveTask(tasks, task, "dev").endpoint);
  return { tasks: new Map(live), endpoints: new Map(endpoints.map((id) => [id, `arn:${id}`])) };
}

function with_(dms: StandingDms, id: string, change: Partial<LiveTask>): StandingDms {
  const tasks = new Map(dms.tasks);
  tasks.set(id, { ...tasks.get(id)!, ...change });
  return { ...dms, tasks };
}

const base = tasksOf(
  "id: shop, database: shop, collections: [orders]",
  "id: billing, database: billing, collections: [invoices]",
);
const head = tasksOf(
  "id: shop, database: shop, collections: [orders, notes]",
  "id: billing, database: billing, collections: [invoices]",
);
const plan = planOf(base, head);

describe("what differs between DMS and a revision", () => {
  test("nothing, when DMS was made of it", () => {
    for (const id of ["shop", "billing"])
      expect(taskDifference(base, id, "dev", dmsOf(base))).toBeUndefined();
  });

  test("mappings, settings, endpoint and existence, in words", () => {
    expect(taskDifference(base, "shop", "dev", dmsOf(head))).toBe("mappings: also shop.notes");
    expect(taskDifference(head, "shop", "dev", dmsOf(base))).toBe("mappings: without shop.notes");
    const other = with_(dmsOf(base), "shop", { targetEndpointArn: "arn:elsewhere", settings: {} });
    expect(taskDifference(base, "shop", "dev", other)).toStartWith(
      "another endpoint than documentdb-shop; settings: TargetMetadata.SupportLobs not set, expected true",
    );
    expect(taskDifference(base, "shop", "dev", dmsOf(base, []))).toBe("no DMS task of that name");
    expect(taskDifference(undefined, "shop", "dev", dmsOf(base))).toBe("a DMS task of that name");
    expect(taskDifference(undefined, "shop", "dev", dmsOf(base, []))).toBeUndefined();
  });
});

describe("divergence", () => {
  const of = (live: StandingDms) => divergences(plan, "dev", [base, head], head, live);

  test("none before, none after, none where half of it was done", () => {
    expect(of(dmsOf(base))).toEqual([]);
    expect(of(dmsOf(head))).toEqual([]);
    const billing = tasksOf(
      "id: shop, database: shop, collections: [orders]",
      "id: billing, database: billing, collections: [invoices, payments]",
    );
    const both = planOf(base, billing);
    expect(divergences(both, "dev", [base, billing], billing, dmsOf(base))).toEqual([]);
  });

  test("a task somebody changed by hand is named with what differs", () => {
    const changed = with_(dmsOf(base), "billing", { mappings: { rules: [] } });
    expect(of(changed)).toEqual([
      {
        id: "billing",
        expected: "the task as it was last applied",
        got: "mappings: without billing.invoices",
      },
    ]);
  });

  test("a task the plan leaves alone must run where tasks.yaml says so; one it changes may stand still", () => {
    const stopped = { status: "stopped", stopReason: "NORMAL" };
    expect(of(with_(dmsOf(base), "shop", stopped))).toEqual([]);
    expect(of(with_(dmsOf(base), "billing", stopped))).toEqual([
      { id: "billing", expected: "running, as tasks.yaml says", got: "stopped; NORMAL" },
    ]);
  });

  test("an adopted task may differ as it did when it was adopted, and in no other way", () => {
    const rules = (...names: string[]) => ({
      rules: names.map((name, index) => ({
        "rule-type": "selection",
        "rule-id": String(index),
        "object-locator": { "schema-name": "billing", "table-name": name },
        "rule-action": "explicit",
      })),
    });
    const adopted = { billing: "mappings: also billing.old" };
    const among = (...names: string[]) =>
      divergences(
        plan,
        "dev",
        [base, head],
        head,
        with_(dmsOf(base), "billing", { mappings: rules(...names) }),
        adopted,
      );
    expect(among("invoices", "old")).toEqual([]);
    expect(among("invoices", "old", "other")).toHaveLength(1);
    expect(among("old")).toHaveLength(1);
  });

  test("what an unfinished apply before this one left is no divergence", () => {
    const before = tasksOf(
      "id: shop, database: shop, collections: [orders, returns]",
      "id: billing, database: billing, collections: [invoices]",
    );
    expect(of(dmsOf(before))).toHaveLength(1);
    expect(divergences(plan, "dev", [base, head, before], head, dmsOf(before))).toEqual([]);
  });
});

describe("what is left to do", () => {
  const summary = (live: StandingDms, of = plan, to = head) =>
    remainingPlan(of, "dev", to, live).tasks.map(({ id, action }) => `${id} ${action}`);

  test("all of it before, nothing of it after", () => {
    expect(summary(dmsOf(base))).toEqual(["shop modify-and-resume", "billing none"]);
    expect(summary(dmsOf(head))).toEqual(["shop none", "billing none"]);
  });

  test("a task that was deleted to be replaced is only created", () => {
    const moved = tasksOf(
      "id: shop, database: store, collections: [orders]",
      "id: billing, database: billing, collections: [invoices]",
    );
    const replacing = planOf(base, moved);
    expect(summary(dmsOf(base), replacing, moved)).toContain("shop recreate");
    expect(summary(dmsOf(base, ["billing"]), replacing, moved)).toContain("shop create");
    expect(summary(dmsOf(moved), replacing, moved)).toContain("shop none");
  });

  test("endpoints that stand are not made again, and those that are gone not deleted again", () => {
    const more = tasksOf(
      "id: billing, database: billing, collections: [invoices]",
      "id: crm, database: crm, collections: [people]",
    );
    const both = planOf(base, more);
    const ids = (live: StandingDms) => remainingPlan(both, "dev", more, live).endpoints.map(({ id }) => id);
    expect(ids(dmsOf(base)).sort()).toEqual(["documentdb-crm", "documentdb-shop"]);
    expect(ids(dmsOf(more))).toEqual([]);
  });

  test("interrupted anywhere, what Terraform still does agrees with what is left", () => {
    const ids = ["a", "b", "c", "d"];
    const declared = fc.dictionary(fc.constantFrom(...ids), fc.subarray(["x", "w", "z"], { minLength: 1 }), {
      minKeys: 1,
    });
    const fileOf = (of: Record<string, string[]>) =>
      tasksOf(
        ...Object.entries(of).map(
          ([id, names]) => `id: ${id}, database: ${id}, collections: [${names.join(", ")}]`,
        ),
      );
    fc.assert(
      fc.property(declared, declared, fc.subarray(ids), (from, to, done) => {
        const [before, after] = [fileOf(from), fileOf(to)];
        const [old, made] = [dmsOf(before), dmsOf(after)];
        const side = (id: string) => (done.includes(id) ? made : old);
        const live: StandingDms = {
          tasks: new Map(
            ids.flatMap((id) => (side(id).tasks.has(id) ? [[id, side(id).tasks.get(id)!]] : [])),
          ),
          endpoints: new Map(
            ids.flatMap((id) => {
              const endpoint = `documentdb-${id}`;
              return side(id).endpoints.has(endpoint) ? [[endpoint, `arn:${endpoint}`]] : [];
            }),
          ),
        };
        const whole = planOf(before, after);
        expect(divergences(whole, "dev", [before, after], after, live)).toEqual([]);
        const left = remainingPlan(whole, "dev", after, live);
        const changes = ids.flatMap((id) => {
          const differs = taskDifference(after, id, "dev", live) !== undefined;
          const [there, wanted] = [live.tasks.has(id), made.tasks.has(id)];
          if (!differs) return [];
          const action = !wanted ? "delete" : there ? "update" : "create";
          const task = {
            address: `task.${id}`,
            type: "aws_dms_replication_task",
            action,
            identifier: id,
            attributes: ["table_mappings"],
          } as const;
          const endpoint = {
            address: `endpoint.${id}`,
            type: "aws_dms_endpoint",
            action: action as "create" | "delete",
            identifier: `documentdb-${id}`,
            attributes: [],
          } as const;
          return action === "update" ? [task] : [task, endpoint];
        });
        expect(checkInfrastructure(left, "dev", changes)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
