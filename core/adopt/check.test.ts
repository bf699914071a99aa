import { describe, expect, test } from "bun:test";
import { checkAdoptionPlan } from "./check.ts";

type Json = Record<string, unknown>;

function entry(
  type: string,
  actions: string[],
  before: Json | null,
  after: Json | null,
  more: Json = {},
): Json {
  const { importing, replace_paths, after_unknown = {}, ...rest } = more;
  return {
    address: `module.dms.${type}.this["a"]`,
    mode: "managed",
    type,
    change: { actions, before, after, after_unknown, importing, replace_paths },
    ...rest,
  };
}

const plan = (...resource_changes: Json[]) =>
  JSON.stringify({ format_version: "1.2", complete: true, planned_values: {}, resource_changes });

const task = "aws_dms_replication_task";
const endpoint = "aws_dms_endpoint";
const instance = "aws_dms_replication_instance";
const problemsOf = (...entries: Json[]) => checkAdoptionPlan(plan(...entries)).problems;

describe("may be applied", () => {
  test("imports, moves, letting go and what stays as it is are counted", () => {
    expect(
      checkAdoptionPlan(
        plan(
          entry(task, ["no-op"], {}, {}, { importing: { id: "a" } }),
          entry(instance, ["no-op"], {}, {}, { previous_address: "aws_dms_replication_instance.old" }),
          { ...entry(endpoint, ["forget"], {}, null), address: "module.old.aws_dms_endpoint.x" },
          {
            address: "data.x",
            mode: "data",
            type: "x",
            change: { actions: ["read"], before: null, after: {} },
          },
        ),
      ),
    ).toEqual({ imported: 1, moved: 1, forgotten: 1, harmless: [], problems: [] });
  });

  test("tags, and a flag that wasn't in the state and is false now, reach no task", () => {
    const found = checkAdoptionPlan(
      plan(
        entry(
          task,
          ["update"],
          { start_replication_task: null, tags: {} },
          { start_replication_task: false, tags: { a: "b" } },
        ),
        {
          ...entry(endpoint, ["update"], { tags_all: {} }, { tags_all: { a: "b" } }),
          address: "module.dms.aws_dms_endpoint.source",
        },
      ),
    );
    expect(found.problems).toEqual([]);
    expect(found.harmless).toEqual([
      'module.dms.aws_dms_replication_task.this["a"] (start_replication_task, tags)',
      "module.dms.aws_dms_endpoint.source (tags_all)",
    ]);
  });
});

describe("must not be applied", () => {
  test.each([
    [task, "table_mappings", "a running task is stopped for that, and nothing starts it again"],
    [task, "replication_task_settings", "a running task is stopped"],
    [endpoint, "password", "DMS refuses that while a task of the endpoint runs"],
    [endpoint, "username", "DMS refuses that"],
    [instance, "engine_version", "that restarts the instance"],
    [instance, "apply_immediately", "that restarts the instance"],
    ["aws_lambda_function", "source_code_hash", "no part of the adoption"],
  ])("%s changes its %s", (type, name, words) => {
    const [problem] = problemsOf(entry(type, ["update"], { [name]: "old-secret" }, { [name]: "new-secret" }));
    expect(problem).toStartWith(`module.dms.${type}.this["a"]: Terraform changes ${name}; `);
    expect(problem).toContain(words);
    expect(problem).not.toContain("secret");
  });

  test("start_replication_task from true to false would stop the task", () => {
    expect(
      problemsOf(
        entry(task, ["update"], { start_replication_task: true }, { start_replication_task: false }),
      )[0],
    ).toContain("Terraform changes start_replication_task");
  });

  test("a replacement names what forces it, a creation the block that is missing, a deletion what is lost", () => {
    const paths = { replace_paths: [["endpoint_id"]] };
    const at = (each: Json, address: string) => ({ ...each, address });
    expect(
      problemsOf(
        at(entry(endpoint, ["delete", "create"], { engine_name: "x" }, {}, paths), "a.b"),
        at(entry(task, ["create"], null, { replication_task_id: "shop" }), "a.c"),
        at(entry(task, ["delete"], { replication_task_id: "shop" }, null), "a.d"),
      ),
    ).toEqual([
      "a.b: Terraform replaces the DMS endpoint (forced by endpoint_id), and every task that uses it has to be created anew and loads in full; way out: write the id and values it has, as roundtrip adopt did",
      "a.c: Terraform creates the DMS task shop; way out: an import or moved block for the one that exists, under its id there",
      "a.d: Terraform deletes the DMS task shop, and its checkpoint is lost and its collections are loaded in full; way out: write the id and values it has, as roundtrip adopt did",
    ]);
  });

  test("an address a person accepts passes; one that isn't in the plan is a wrong command line", () => {
    const created = plan(entry(task, ["create"], null, { replication_task_id: "shop-2" }));
    expect(checkAdoptionPlan(created, ['module.dms.aws_dms_replication_task.this["a"]']).problems).toEqual(
      [],
    );
    expect(() => checkAdoptionPlan(created, ["module.dms.x"])).toThrow("module.dms.x");
  });

  test("a state in place of the plan, and a partial plan, are refused", () => {
    expect(() => checkAdoptionPlan('{"format_version":"1.0","values":{}}')).toThrow("a state, perhaps");
    expect(() => checkAdoptionPlan(plan().replace('"complete":true', '"complete":false'))).toThrow(
      "partial plan",
    );
  });
});
