import { expect, test } from "bun:test";
import {
  canBeLookedFor,
  creationsIn,
  importIdOf,
  refusalsIn,
  unfinishedIn,
  withoutOpenNotes,
} from "./creations.ts";

type Json = Record<string, unknown>;
const tags = { product: "roundtrip", environment: "dev" };

function plan(...changes: (Json & { change: Json })[]): string {
  return JSON.stringify({ resource_changes: changes.map((each) => ({ mode: "managed", ...each })) });
}

function created(type: string, after: Json, more: Json = {}) {
  return {
    address: `${type}.this`,
    type,
    change: { actions: ["create"], after: { tags_all: tags, ...after }, ...more },
  };
}

function imported(actions: string[], before: Json | null, after: Json = { ...tags }, more: Json = {}) {
  const change = {
    actions,
    importing: { id: "orders" },
    before: { tags_all: before },
    after: { tags_all: after },
    ...more,
  };
  return { address: "aws_dms_replication_task.this", type: "aws_dms_replication_task", change };
}

test("what a plan creates, with names and tags; nothing sensitive, nothing unknown, no data source, no update", () => {
  const text = plan(
    created(
      "aws_dms_endpoint",
      { endpoint_id: "shop", password: "never-shown-41", port: 1, arn: null },
      { after_sensitive: { password: true }, after_unknown: { arn: true } },
    ),
    { ...created("aws_ami", { name: "x" }), mode: "data" },
    { ...imported(["update"], tags) },
  );
  const found = creationsIn(text);
  expect(found).toEqual([
    {
      address: "aws_dms_endpoint.this",
      type: "aws_dms_endpoint",
      values: { endpoint_id: "shop", port: 1 },
      tags,
    },
  ]);
  expect(importIdOf(found[0]!)).toBe("shop");
});

test("what AWS names itself has no import id; it is looked for once all that tells it apart is known", () => {
  const [rule, group, unknown] = creationsIn(
    plan(
      created("aws_vpc_security_group_egress_rule", { security_group_id: "sg-1" }),
      created("aws_security_group", { name: "dms", vpc_id: "vpc-1" }),
      created("aws_vpc_security_group_egress_rule", {}, { after_unknown: { security_group_id: true } }),
    ),
  );
  expect([rule, group, unknown].map((each) => importIdOf(each!))).toEqual([undefined, undefined, undefined]);
  expect([rule, group, unknown].map((each) => canBeLookedFor(each!))).toEqual([true, true, false]);
  expect(canBeLookedFor({ ...group!, tags: { product: "roundtrip" } })).toBe(false);
});

test("an object is taken over when it carries this environment's tags and stays what it is", () => {
  expect(refusalsIn(plan(imported(["no-op"], tags), imported(["update"], { ...tags, Name: "x" })))).toEqual(
    [],
  );
});

test("a security group that is taken over may lack its provider's later calls; one that is made, or is no group, doesn't", () => {
  const group = (address: string, change: Json) => ({ address, type: "aws_security_group", change });
  const text = plan(
    group("aws_security_group.taken", { actions: ["no-op"], importing: { id: "sg-1" } }),
    group("aws_security_group.known", { actions: ["no-op"] }),
    group("aws_security_group.made", { actions: ["create"] }),
    imported(["no-op"], tags),
  );
  expect(unfinishedIn(text)).toEqual([
    { address: "aws_security_group.taken", type: "aws_security_group", id: "sg-1" },
  ]);
});

test("one of another environment, one without tags, one that would be replaced are refused by name", () => {
  expect(
    refusalsIn(
      plan(
        imported(["no-op"], { ...tags, environment: "qa" }),
        imported(["update"], null),
        imported(["delete", "create"], tags, tags, { replace_paths: [["migration_type"]] }),
      ),
    ).map(({ words }) => words),
  ).toEqual([
    "aws_dms_replication_task.this: orders exists and does not carry this environment's tags (environment)",
    "aws_dms_replication_task.this: orders exists and does not carry this environment's tags (product, environment)",
    "aws_dms_replication_task.this: orders exists, and Terraform would not keep it (delete,create for migration_type)",
  ]);
});

test("what an import leaves open of a task is no change of it; a task that Terraform would start is", () => {
  const flag = "start_replication_task";
  const left = (before: Json, after: Json, attributes: string[]) => {
    const change = { actions: ["update"], importing: { id: "orders" }, before, after };
    const address = "aws_dms_replication_task.this";
    const type = "aws_dms_replication_task";
    const found = withoutOpenNotes(plan({ address, type, change }), [
      { address, type, action: "update", attributes },
    ]);
    return found.map((each) => each.attributes);
  };
  expect(left({ [flag]: null }, { [flag]: false }, [flag])).toEqual([]);
  expect(left({ [flag]: null }, { [flag]: false }, [flag, "tags"])).toEqual([["tags"]]);
  expect(left({ [flag]: null }, { [flag]: true }, [flag])).toEqual([[flag]]);
});

test("a root without default tags has nothing to recognise its objects by", () => {
  expect(refusalsIn(plan(imported(["no-op"], {}, {})))).toHaveLength(1);
});

test("text that is no plan is refused without being quoted", () => {
  expect(() => creationsIn("secret-text")).toThrow("11 characters that are not JSON");
});
