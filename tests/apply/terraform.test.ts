/** `roundtrip apply` as people run it: the real Terraform, the modules of this repository, providers over the stand-ins. */
import { describe, expect, test } from "bun:test";
import { ApplyWorld } from "../support/apply-world.ts";
import { terraformProgram, whyNoTerraform } from "../support/terraform.ts";
import { terraformRoot } from "../support/terraform-root.ts";

const yaml = (collections: string) =>
  `version: 1\ntasks:\n  - {id: shop, database: shop, collections: [${collections}]}\n`;

describe.skipIf(!terraformProgram)(`apply with Terraform${whyNoTerraform}`, () => {
  test("the first apply makes everything, the next the collection that roundtrip plan showed", async () => {
    await using world = await ApplyWorld.start();
    await world.source
      .db("shop")
      .collection("orders")
      .insertMany([{ a: 1 }, { a: 2 }]);
    await world.source.db("shop").collection("notes").insertOne({ a: 1 });
    const { folder, variables, environment: terraform } = await terraformRoot(world);
    const apply = (...args: string[]) =>
      world.run(["--terraform", folder, "--var-file", variables, ...args], { terraform });
    world.commit(yaml("orders"));
    const first = await apply("--unreviewed");
    expect(first.stderr).toContain("✓ shop.orders: 2 documents");
    expect(first.code).toBe(0);
    await world.requests();

    world.commit(yaml("orders, notes"));
    const reviewed = JSON.parse(
      (await world.roundtrip("plan", "--env", "dev", "--head", "HEAD", "--json")).stdout,
    );
    const second = await apply("--digest", (reviewed as { digest: string }).digest);
    expect(second.stderr).toContain(
      '✓ update module.replication.module.dms.aws_dms_replication_task.this["shop"] (',
    );
    expect(second.stderr).toContain("✓ shop.notes: 1 document");
    expect(second.stderr).toContain("✓ 2 of 2 predictions right");
    expect(second.code).toBe(0);
    await world.source.db("shop").collection("notes").insertOne({ a: 2 });
    await world.replicated("shop", "notes", 2);
  }, 180_000);
});
