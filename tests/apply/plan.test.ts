/** `roundtrip plan --terraform DIR`, as plan.yml has it: the real Terraform beside tasks.yaml, looking only. */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { Plan } from "../../core/plan/model.ts";
import { renderMarkdown } from "../../core/plan/render-markdown.ts";
import planSchema from "../../schemas/plan.schema.json";
import { ApplyWorld } from "../support/apply-world.ts";
import { terraformProgram, whyNoTerraform } from "../support/terraform.ts";
import { terraformRoot } from "../support/terraform-root.ts";

const yaml = (collections: string) =>
  `version: 1\ntasks:\n  - {id: shop, database: shop, collections: [${collections}]}\n`;
const task = 'module.replication.module.dms.aws_dms_replication_task.this["shop"]';

function validated(text: string): Plan {
  const ajv = new Ajv2020({ allErrors: true });
  addFormats(ajv);
  const validate = ajv.compile(planSchema);
  const plan: unknown = JSON.parse(text);
  expect(validate(plan) ? "" : ajv.errorsText(validate.errors)).toBe("");
  return plan as Plan;
}

describe.skipIf(!terraformProgram)(`plan beside Terraform${whyNoTerraform}`, () => {
  test("each change by name, agreeing with tasks.yaml; nothing kept, changed or told; a Terraform that can't plan is UNKNOWN", async () => {
    await using world = await ApplyWorld.start();
    await world.source.db("shop").collection("orders").insertOne({ a: 1 });
    const { folder, variables, environment: terraform } = await terraformRoot(world);
    const withTerraform = ["--terraform", folder, "--var-file", variables];
    world.commit(yaml("orders"));
    expect((await world.run([...withTerraform, "--unreviewed"], { terraform })).code).toBe(0);
    world.commit(yaml("orders, notes"));
    await world.requests();

    Object.assign(process.env, terraform);
    const leftBefore = readdirSync(tmpdir()).filter((name) => name.startsWith("roundtrip-terraform-"));
    const plan = (...more: string[]) =>
      world.roundtrip("plan", "--env", "dev", "--head", "HEAD", "--json", ...more);
    const ran = await plan(...withTerraform);
    const planned = validated(ran.stdout);
    expect(planned.terraform).toEqual({
      environment: "dev",
      changes: { create: 0, update: 1, replace: 0, delete: 0 },
      resources: [{ address: task, action: "update", attributes: ["table_mappings"] }],
      problems: [],
      accepted: [],
    });
    const comment = renderMarkdown(planned);
    expect(comment).toContain("Terraform in dev: 1 to update; it agrees with this plan");
    expect(comment).toContain("<summary>Terraform, losses first</summary>");
    expect(`${ran.stdout}${ran.stderr}`).not.toContain('"password"');
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith("roundtrip-terraform-"))).toEqual(
      leftBefore,
    );
    expect(existsSync(join(folder, ".terraform"))).toBe(false);
    const asked = await world.requests();
    expect(asked.filter((request) => / (Create|Modify|Delete|Put|Stop|Start|Reload)/.test(request))).toEqual(
      [],
    );

    writeFileSync(join(folder, "broken.tf"), 'output "x" { value = var.nobody_declared }\n');
    const broken = await plan(...withTerraform);
    expect(broken.code).toBe(14);
    const unknown = validated(broken.stdout);
    expect(unknown.terraform?.unknown).toContain("way out:");
    expect(unknown.digest).toBe(planned.digest);
    const said = renderMarkdown(unknown);
    expect(said).toContain("Terraform in dev: UNKNOWN, it could not plan");
    expect(said).toContain("- Terraform could not plan, so it is not known what it would do: ");
  }, 180_000);
});
