import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { RoundtripError } from "../errors.ts";
import { checkInfrastructure } from "./terraform-check.ts";
import { readTerraformDrift, readTerraformPlan } from "./terraform-plan.ts";
import { planOf, tasksOf } from "./testing.ts";

/** Written by Terraform 1.11.4: create, update, replace, delete, import, moved and forgotten, with a sensitive variable. */
const fixture = await Bun.file(`${import.meta.dir}/fixtures/terraform-data.plan.json`).text();

const planned = (...changes: readonly object[]) =>
  JSON.stringify({ format_version: "1.2", planned_values: {}, resource_changes: changes });
const task = (change: object, rest: object = {}) => ({
  address: 'module.dms.aws_dms_replication_task.this["shop"]',
  mode: "managed",
  type: "aws_dms_replication_task",
  change,
  ...rest,
});

test("a plan Terraform wrote: what is moved, forgotten or left alone is left out", () => {
  const read = readTerraformPlan(fixture).map(({ address, action, attributes }) => [
    address,
    action,
    attributes.join(),
  ]);
  expect(read).toEqual([
    ["terraform_data.changed", "update", "input,output"],
    ["terraform_data.created", "create", ""],
    ["terraform_data.imported", "update", "input,output"],
    ['terraform_data.removed["b"]', "delete", ""],
    ["terraform_data.replaced", "replace", "triggers_replace"],
  ]);
  expect(fixture).toContain("planted-secret-two");
  expect(JSON.stringify(readTerraformPlan(fixture))).not.toContain("planted-secret");
});

test("each list of actions, either order of a replacement", () => {
  const actionOf = (...actions: string[]) =>
    readTerraformPlan(planned(task({ actions, before: {}, after: {} }))).map(({ action }) => action);
  expect(actionOf("create", "delete")).toEqual(["replace"]);
  expect(actionOf("delete", "create")).toEqual(["replace"]);
  expect(actionOf("no-op")).toEqual([]);
  expect(actionOf("read")).toEqual([]);
  expect(actionOf("forget")).toEqual([]);
  expect(actionOf("create", "forget")).toEqual(["create"]);
  expect(() => actionOf("explode")).toThrow("actions this version doesn't know");
  expect(() => actionOf()).toThrow("actions this version doesn't know");
});

test("the identifier is the object that is lost; one that changes is a delete and a create", () => {
  const change = {
    actions: ["delete", "create"],
    before: { replication_task_id: "old" },
    after: { replication_task_id: "new" },
    replace_paths: [["replication_task_id"], ["settings", 0, "x"]],
  };
  expect(readTerraformPlan(planned(task(change)))).toMatchObject([
    { action: "delete", identifier: "old", attributes: ["replication_task_id", "settings"] },
    { action: "create", identifier: "new" },
  ]);
  const unknown = { ...change, after: {}, after_unknown: { replication_task_id: true } };
  expect(readTerraformPlan(planned(task(unknown)))).toMatchObject([{ action: "replace", identifier: "old" }]);
});

test("the left-over of a replacement that was cut short is named as such; data sources are left out", () => {
  const gone = { actions: ["delete"], before: { replication_task_id: "shop" }, after: null };
  expect(readTerraformPlan(planned(task(gone, { deposed: "1234abcd" })))).toMatchObject([
    { address: 'module.dms.aws_dms_replication_task.this["shop"] (deposed)', action: "delete" },
  ]);
  expect(readTerraformPlan(planned(task(gone, { mode: "data" })))).toEqual([]);
});

test("an identifier that is unknown or sensitive is not given, whatever form the mark has", () => {
  const identifierWith = (marks: object) =>
    readTerraformPlan(
      planned(task({ actions: ["create"], before: null, after: { replication_task_id: "shop" }, ...marks })),
    )[0]?.identifier;
  expect(identifierWith({})).toBe("shop");
  expect(identifierWith({ after_sensitive: { table_mappings: true } })).toBe("shop");
  expect(identifierWith({ after_sensitive: true })).toBeUndefined();
  expect(identifierWith({ after_sensitive: { replication_task_id: true } })).toBeUndefined();
  expect(identifierWith({ after_sensitive: { replication_task_id: {} } })).toBeUndefined();
  expect(identifierWith({ after_unknown: { replication_task_id: true } })).toBeUndefined();
});

describe("refused, in words that hold nothing of the document", () => {
  const refusals: readonly (readonly [string, string])[] = [
    ["planted-secret", "14 characters that are not JSON"],
    ["[]", "JSON that is not an object"],
    ['{"format_version": "2.0"}', "no format_version, or one that isn't 1.x"],
    ['{"format_version": "1.0", "values": {}}', "(a state, perhaps)"],
    ['{"format_version": "1.2", "planned_values": {}, "errored": true}', "a plan that ended in an error"],
    ['{"format_version": "1.2", "planned_values": {}, "complete": false}', "a partial plan"],
    ['{"format_version": "1.2", "resource_changes": [7]}', "resource_changes[0] without a change"],
    ['{"format_version": "1.2", "planned_values": {}, "resource_changes": {}}', "that is not a list"],
  ];
  for (const [text, words] of refusals)
    test(words, () => expect(() => readTerraformPlan(text)).toThrow(words));
});

test("drift is read from its own list", () => {
  const drift = JSON.stringify({
    format_version: "1.2",
    planned_values: {},
    resource_drift: [task({ actions: ["delete"], before: { replication_task_id: "shop" }, after: null })],
  });
  expect(readTerraformDrift(drift)).toMatchObject([{ action: "delete", identifier: "shop" }]);
  expect(readTerraformPlan(drift)).toEqual([]);
});

test("characters that would turn a line are spelled out", () => {
  const change = { actions: ["create"], before: null, after: { replication_task_id: "a\u202eb\nc" } };
  expect(readTerraformPlan(planned(task(change)))[0]?.identifier).toBe("aU+202EbU+000Ac");
});

const secret = "planted-secret";

/** A resource change with secrets at random places, each covered by a mark there or on the way to it. */
const change = fc
  .record({
    actions: fc.constantFrom(["create"], ["update"], ["delete"], ["delete", "create"], ["create", "delete"]),
    type: fc.constantFrom("aws_dms_replication_task", "aws_dms_endpoint", "aws_docdb_cluster", "aws_other"),
    whole: fc.boolean(),
    places: fc.array(
      fc.constantFrom(
        "replication_task_id",
        "endpoint_id",
        "cluster_identifier",
        "name",
        "identifier",
        "master_password",
      ),
    ),
    deep: fc.boolean(),
  })
  .map(({ actions, type, whole, places, deep }) => {
    const values: Record<string, unknown> = {
      id: whole ? secret : "id",
      nested: { list: [deep ? secret : "x"] },
    };
    const marks: Record<string, unknown> = { nested: { list: [deep] } };
    for (const place of places) {
      values[place] = `${secret}-${place}`;
      marks[place] = true;
    }
    const sensitive = whole ? true : marks;
    return {
      address: `${type}.this`,
      mode: "managed",
      type,
      change: {
        actions,
        before: values,
        after: { ...values, nested: { list: [`${deep ? secret : "y"}2`] } },
        before_sensitive: sensitive,
        after_sensitive: sensitive,
        replace_paths: [["nested", "list", 0]],
      },
    };
  });

test("sensitive values never get into changes, problems or errors (10,000 plans, whole and torn)", () => {
  const plan = planOf(
    tasksOf("id: a, database: a, collections: [x]"),
    tasksOf("id: a, database: a, collections: [x, w]"),
  );
  fc.assert(
    fc.property(
      fc.array(change, { maxLength: 4 }),
      fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
      (changes, cut) => {
        const whole = JSON.stringify({
          variables: { password: { value: secret } },
          format_version: "1.2",
          planned_values: { outputs: { password: { sensitive: true, value: secret } } },
          resource_changes: changes,
          prior_state: { values: { outputs: { password: { sensitive: true, value: secret } } } },
        });
        const text = cut === null ? whole : whole.slice(0, Math.floor(whole.length * cut));
        let said: string;
        try {
          const read = readTerraformPlan(text);
          said = JSON.stringify([read, checkInfrastructure(plan, "prod", read)]);
        } catch (error) {
          if (!(error instanceof RoundtripError)) throw error;
          said = `${error.message} ${error.stack} ${String(error.cause)}`;
        }
        expect(said).not.toContain(secret);
      },
    ),
    { numRuns: 10_000 },
  );
});
