import { expect, test } from "bun:test";
import { assertLookedAt, readFirstPlan } from "./first-plan.ts";

const about = { environment: "dev", tree: "4f0c", region: "us-east-1" } as const;

function plan(actions: Readonly<Record<string, string[]>>, more: object = {}): string {
  return JSON.stringify({
    format_version: "1.2",
    variables: { environment: { value: "dev" }, region: { value: "us-east-1" } },
    configuration: { root_module: { resources: [{ address: "aws_instance.failback" }] } },
    resource_changes: Object.entries(actions).map(([address, each]) => ({
      address,
      type: address.split(".")[0],
      mode: "managed",
      change: { actions: each, before: {}, after: {} },
    })),
    ...more,
  });
}

const whole = plan({ "aws_instance.failback": ["create"], "aws_iam_role.failback": ["create"] });

test("the digest is the same while the objects are still to be made, partly made, taken over, and made", () => {
  const { digest, losses } = readFirstPlan(whole, about);
  expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(losses).toEqual([]);
  const partly = plan({ "aws_iam_role.failback": ["no-op"], "aws_instance.failback": ["update"] });
  expect(readFirstPlan(partly, about).digest).toBe(digest);
});

test("another commit, another value of a variable, another object is another digest", () => {
  const variables = { environment: { value: "dev" }, region: { value: "us-east-1" }, nodes: { value: 3 } };
  const others = [
    readFirstPlan(whole, { ...about, tree: "4f0d" }),
    readFirstPlan(plan({ "aws_instance.failback": ["create"] }), about),
    readFirstPlan(
      plan({ "aws_instance.failback": ["create"], "aws_iam_role.failback": ["create"] }, { variables }),
      about,
    ),
  ];
  const digests = [readFirstPlan(whole, about), ...others].map(({ digest }) => digest);
  expect(new Set(digests).size).toBe(4);
});

test("what would be deleted or replaced is named, and part of the digest", () => {
  const replaced = plan({
    "aws_instance.failback": ["delete", "create"],
    "aws_iam_role.failback": ["create"],
    "aws_iam_role.old": ["delete"],
  });
  const { digest, losses } = readFirstPlan(replaced, about);
  expect(losses).toEqual(["delete aws_iam_role.old", "replace aws_instance.failback"]);
  expect(digest).not.toBe(readFirstPlan(whole, about).digest);
});

test("variables of another environment or region are refused", () => {
  expect(() => readFirstPlan(whole, { ...about, environment: "qa" })).toThrow(
    "expected variable environment to be qa, got dev",
  );
  expect(() => readFirstPlan(whole, { ...about, region: "eu-west-1" })).toThrow("set AWS_REGION");
});

test("applied is what was looked at; unreviewed only in dev, and nothing that is lost", () => {
  const fresh = readFirstPlan(whole, about);
  const losing = readFirstPlan(plan({ "aws_iam_role.old": ["delete"] }), about);
  assertLookedAt(fresh, "prod", fresh.digest);
  assertLookedAt(losing, "prod", losing.digest);
  assertLookedAt(fresh, "dev", undefined);
  expect(() => assertLookedAt(losing, "dev", fresh.digest)).toThrow(
    `expected the plan ${fresh.digest}, got another one, which does this: delete aws_iam_role.old`,
  );
  expect(() => assertLookedAt(losing, "dev", undefined)).toThrow("delete aws_iam_role.old");
  expect(() => assertLookedAt(fresh, "qa", undefined)).toThrow("--unreviewed, which dev alone allows");
});
