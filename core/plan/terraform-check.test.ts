import { describe, expect, test } from "bun:test";
import type { InfrastructureChange } from "../ports.ts";
import { guarded } from "./guarded-types.ts";
import { checkInfrastructure } from "./terraform-check.ts";
import { planOf, tasksOf } from "./testing.ts";

const before = tasksOf("id: a, database: a, collections: [x]", "id: b, database: b, collections: [x]");
const nothing = planOf(before, before);

const change = (
  type: string,
  action: InfrastructureChange["action"],
  identifier?: string,
  attributes: readonly string[] = [],
): InfrastructureChange => ({
  address: `${type}.this["${identifier}"]`,
  type,
  action,
  attributes,
  ...(identifier ? { identifier } : {}),
});
const task = change.bind(undefined, "aws_dms_replication_task");
const endpoint = change.bind(undefined, "aws_dms_endpoint");

describe("an announced change that Terraform makes is no problem", () => {
  const agree = (head: ReturnType<typeof tasksOf>, ...changes: InfrastructureChange[]) =>
    expect(checkInfrastructure(planOf(before, head), "prod", changes)).toEqual([]);

  test("nothing, and nothing", () => agree(before));
  test("a collection added: the task is updated in place", () =>
    agree(
      tasksOf("id: a, database: a, collections: [x, w]", "id: b, database: b, collections: [x]"),
      task("update", "a", ["table_mappings"]),
    ));
  test("a task added and one removed, each with its endpoint", () =>
    agree(
      tasksOf("id: a, database: a, collections: [x]", "id: c, database: c, collections: [x]"),
      task("create", "c"),
      endpoint("create", "documentdb-c"),
      task("delete", "b"),
      endpoint("delete", "documentdb-b"),
    ));
  test("a task of another database: replaced, also as a delete and a create at two addresses", () => {
    const head = tasksOf("id: a, database: c, collections: [x]", "id: b, database: b, collections: [x]");
    const ends = [endpoint("create", "documentdb-c"), endpoint("delete", "documentdb-a")];
    agree(head, task("replace", "a", ["target_endpoint_arn"]), ...ends);
    agree(head, task("delete", "a"), task("create", "a"), ...ends);
  });
  test("what tasks.yaml has no part in: other types, tags of owners, a cluster changed in place", () =>
    agree(
      before,
      change("aws_s3_bucket", "replace", "bucket"),
      task("update", "a", ["tags", "tags_all"]),
      change("aws_docdb_cluster", "update", "main", ["engine_version"]),
      change("aws_docdb_cluster_instance", "create", "main-3"),
    ));
});

test.each(Object.keys(guarded))("an unannounced replacement or deletion of a %s is a problem", (type) => {
  for (const action of ["replace", "delete"] as const) {
    const [problem, ...others] = checkInfrastructure(nothing, "prod", [change(type, action, "x", ["arn"])]);
    expect(problem).toContain(`Terraform ${action}s the ${guarded[type]?.noun} x (forced by arn)`);
    expect(problem).toContain("way out: ");
    expect(others).toEqual([]);
  }
});

test("the words of each problem", () => {
  const head = tasksOf("id: a, database: a, collections: [x, w]", "id: b, database: b, collections: [x]");
  const problems = checkInfrastructure(planOf(before, head), "prod", [
    task("update", "b", ["table_mappings"]),
    change("aws_docdb_cluster", "replace", "main", ["engine"]),
    task("create"),
  ]);
  expect(problems).toEqual([
    `aws_docdb_cluster.this["main"]: Terraform replaces the DocumentDB cluster main (forced by engine); the plan of tasks.yaml never announces that, and all its data goes with it; way out: undo what makes Terraform do it; upgrades are made in place; if it is meant, --accept 'aws_docdb_cluster.this["main"]'`,
    `aws_dms_replication_task.this["b"]: Terraform updates the DMS task b (table_mappings); the plan of tasks.yaml doesn't announce that; way out: change the task in tasks.yaml only; when somebody changed it by hand, roundtrip drift shows what`,
    `aws_dms_replication_task.this["undefined"]: Terraform creates a DMS task whose replication_task_id the plan doesn't say, so nobody can tell whether it was announced; way out: give replication_task_id a value that is known when planning and not sensitive`,
    "DMS task a: the plan of tasks.yaml says modify-and-resume, Terraform does nothing with it; way out: plan Terraform from the same commit as tasks.yaml, with the state of this environment",
  ]);
});

test("milder or harder than announced is a problem, too", () => {
  const wider = tasksOf("id: a, database: a, collections: [x, w]", "id: b, database: b, collections: [x]");
  const plan = planOf(before, wider);
  expect(checkInfrastructure(plan, "prod", [task("replace", "a", ["migration_type"])])[0]).toContain(
    "Terraform replaces the DMS task a (forced by migration_type); the plan of tasks.yaml says modify-and-resume",
  );
  const moved = tasksOf("id: a, database: c, collections: [x]", "id: b, database: b, collections: [x]");
  const problems = checkInfrastructure(planOf(before, moved), "prod", [task("update", "a")]);
  expect(problems).toEqual([
    expect.stringContaining(
      "DMS endpoint documentdb-a: the plan of tasks.yaml says delete, Terraform does nothing",
    ),
    expect.stringContaining(
      "DMS endpoint documentdb-c: the plan of tasks.yaml says create, Terraform does nothing",
    ),
    expect.stringContaining(`says recreate, Terraform does update of aws_dms_replication_task.this["a"]`),
  ]);
});

test("an override of one environment is judged there only", () => {
  const head = tasksOf(
    "id: a, database: a, collections: [x], environments: {dev: {settings: {fullLoad: {commitRate: 5}}}}",
    "id: b, database: b, collections: [x]",
  );
  const plan = planOf(before, head);
  const update = [task("update", "a", ["replication_task_settings"])];
  expect(checkInfrastructure(plan, "dev", update)).toEqual([]);
  expect(checkInfrastructure(plan, "dev", []).length).toBe(1);
  expect(checkInfrastructure(plan, "prod", update).length).toBe(1);
  expect(checkInfrastructure(plan, "prod", [])).toEqual([]);
});

test("a person may let one address pass", () => {
  const instance = change("aws_docdb_cluster_instance", "delete", "main-2");
  expect(checkInfrastructure(nothing, "dev", [instance], [instance.address])).toEqual([]);
  const others = [instance, task("delete", "a")];
  expect(checkInfrastructure(nothing, "dev", others, [instance.address]).length).toBe(1);
});
