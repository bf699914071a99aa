import { describe, expect, test } from "bun:test";
import type { Rules } from "../resource.ts";
import { type Block, unknown, type Value, type Values } from "../values.ts";
import { fillUnknown, planObject } from "./plan.ts";
import { validate } from "./validate.ts";

const block: Block = {
  attributes: {
    id: { type: "string", optional: true, computed: true },
    name: { type: "string", required: true },
    size: { type: "number", optional: true },
    arn: { type: "string", computed: true },
    zone: { type: "string", optional: true, computed: true },
    secret: { type: "string", optional: true, write_only: true },
    groups: { type: ["set", "string"], optional: true, computed: true },
    policy: { type: "string", optional: true },
  },
  block_types: {
    disk: {
      nesting_mode: "list",
      block: {
        attributes: {
          kind: { type: "string", optional: true },
          volume: { type: "string", computed: true },
        },
      },
    },
  },
};
const empty: Values = {
  id: null,
  name: "a",
  size: null,
  arn: null,
  zone: null,
  secret: null,
  groups: null,
  policy: null,
  disk: [],
};

function plan(prior: Values | null, config: Partial<Record<string, Value>>, rules?: Rules) {
  const configured = { ...empty, ...config } as Values;
  // As Terraform merges: computed attributes that aren't configured come from the prior state.
  const computed = ["id", "arn", "zone", "groups"].filter((name) => configured[name] === null);
  const proposed = {
    ...configured,
    ...Object.fromEntries(computed.map((name) => [name, prior?.[name] ?? null])),
  };
  return planObject({ block, prior, proposed, config: configured, rules });
}

describe("planning by schema", () => {
  test("on creation what AWS decides is unknown, what is configured known, write-only arguments are gone", () => {
    const { planned } = plan(null, { secret: "s", zone: "a", disk: [{ kind: "gp3", volume: null }] });
    expect(planned).toEqual({
      ...empty,
      id: unknown,
      arn: unknown,
      zone: "a",
      groups: unknown,
      disk: [{ kind: "gp3", volume: unknown }],
    });
  });

  test("on a change what AWS decided stays, except what is named as decided again", () => {
    const prior = { ...empty, id: "i", arn: "arn", zone: "b", groups: ["x"] };
    const rules: Rules = { source: "", recomputed: { arn: ["size"] } };
    expect(plan(prior, { size: 2 }, rules).planned).toMatchObject({ id: "i", arn: unknown, zone: "b" });
    expect(plan(prior, {}, rules).planned).toEqual(prior);
  });

  test("arguments that replace do so when they change, a set's order is no change, a condition is looked at", () => {
    const prior = { ...empty, id: "i", arn: "arn", zone: "b", groups: ["x", "y"] };
    const rules: Rules = {
      source: "",
      forceNew: ["name", "groups", "disk.kind"],
      forceNewWhen: [{ name: "size", when: ({ zone }) => zone === "b" }],
    };
    expect(plan(prior, { groups: ["y", "x"] }, rules).requiresReplace).toEqual([]);
    expect(plan(prior, { name: "b", size: 1 }, rules).requiresReplace).toEqual([["name"], ["size"]]);
    expect(plan(prior, { size: 1, zone: "c" }, rules).requiresReplace).toEqual([]);
    expect(plan(prior, { disk: [{ kind: "io2", volume: null }] }, rules).requiresReplace).toEqual([
      ["disk", 0, "kind"],
    ]);
  });

  test("JSON that says the same is no change, and a default stands where nothing is configured", () => {
    const prior = { ...empty, id: "i", policy: '{"a": 1}', size: 3 };
    const rules: Rules = { source: "", json: ["policy"], defaults: { size: 3 } };
    expect(plan(prior, { policy: '{"a":1}' }, rules).planned).toMatchObject({ policy: '{"a": 1}', size: 3 });
    expect(plan(prior, { policy: '{"a":2}' }, rules).planned).toMatchObject({ policy: '{"a":2}' });
  });

  test("what was left open is filled by what was learned, and by nothing where nothing was", () => {
    expect(
      fillUnknown({ id: unknown, name: "a", disk: [{ volume: unknown }] }, { id: "i", name: "other" }),
    ).toEqual({
      id: "i",
      name: "a",
      disk: [{ volume: null }],
    });
  });
});

describe("validating by rules", () => {
  const rules: Rules = { source: "", conflicts: [["zone", "size"]], exactlyOne: [["zone", "policy"]] };
  const problems = (config: Partial<Record<string, Value>>) =>
    validate(block, { ...empty, ...config } as Values, rules).map(({ detail }) => detail);

  test("a value that isn't known yet is neither given nor missing", () => {
    expect(problems({ zone: unknown, policy: unknown, size: unknown })).toEqual([]);
    expect(problems({ zone: "a", policy: unknown, size: unknown })).toEqual([]);
  });

  test("none, two and what excludes each other are refused", () => {
    expect(problems({})).toEqual(['"zone": one of `zone,policy` must be specified']);
    expect(problems({ zone: "a", policy: "{}" })).toEqual([
      '"zone": only one of `zone,policy` must be specified',
    ]);
    expect(problems({ zone: "a", size: 1 })).toEqual(['"size": conflicts with zone']);
  });
});
