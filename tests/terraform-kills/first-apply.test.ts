import { describe, expect, test } from "bun:test";
import { terraformProgram, whyNoTerraform } from "../support/terraform.ts";
import { KilledStack, stateBucket, stateKey } from "./stack.ts";

const backend = [
  `bucket=${stateBucket}`,
  `key=${stateKey}`,
  "region=us-east-1",
  "use_path_style=true",
].flatMap((setting) => ["--backend-config", setting]);

interface Shown {
  readonly applied: boolean;
  readonly digest: string;
  readonly changes: readonly { readonly action: string; readonly address: string }[];
}

describe.skipIf(!terraformProgram)(`roundtrip first-apply${whyNoTerraform}`, () => {
  test("shown, killed on the way, run again with the digest that was looked at: whole, nothing twice; refused once the pipeline has applied", async () => {
    await using stack = await KilledStack.start();
    const firstApply = (...words: string[]) =>
      stack.roundtrip("first-apply", "--env", "dev", ...backend, ...words);
    const before = stack.content();
    const looked = await firstApply("--json");
    expect({ code: looked.code, said: looked.code === 0 ? "" : looked.said }).toEqual({ code: 0, said: "" });
    const plan = JSON.parse(looked.out) as Shown;
    expect(plan.applied).toBe(false);
    expect(plan.changes.every(({ action }) => action === "create")).toBe(true);
    // Looking makes nothing; that somebody looked is written down beside the state.
    const after = stack.content().filter((line) => !line.includes("operations/terraform/"));
    expect(after).toHaveLength(before.length);

    await stack.arm({ operation: "RunInstances", nth: 1, when: "after", victim: "terraform" });
    const killed = await firstApply("--digest", plan.digest);
    expect(killed.code).not.toBe(0);
    const finished = await firstApply("--digest", plan.digest);
    expect({ code: finished.code, said: finished.code === 0 ? "" : finished.said }).toEqual({
      code: 0,
      said: "",
    });
    expect(finished.said).toContain("no process of that run lives");
    expect(finished.said).toContain("aws_security_group.this");
    expect(finished.said).toContain("taken over from a run that could not write it down");
    expect(finished.out).toContain("roundtrip preflight --env dev");
    expect(stack.content().filter((line) => line.startsWith("ec2_instances"))).toHaveLength(2);

    const again = await firstApply();
    expect(again.out).toContain(": nothing left to do.");
    expect(again.out).toContain(plan.digest);

    const applied = {
      version: 1,
      environment: "dev",
      tasksText: "version: 1\ntasks:\n  - {id: shop, database: shop, collections: [orders]}\n",
      commit: "4f".repeat(20),
      tree: "5e".repeat(20),
      digest: `sha256:${"0".repeat(64)}`,
      operationId: "dev-apply-20260101-000000-0000",
      appliedAt: "2026-01-01T00:00:00.000Z",
      by: { actor: "ana" },
    };
    await stack.put("roundtrip-dev-example", "applied/current.json", JSON.stringify(applied));
    const refused = await firstApply("--unreviewed");
    expect(refused.code).toBe(3);
    expect(refused.said).toContain("applied 2026-01-01T00:00:00.000Z by ana");
    expect(refused.said).toContain("roundtrip apply --env dev");
  }, 900_000);
});
