/** `roundtrip apply` behind one whose Terraform was killed: what that one made and could not write down is taken over. */
import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { steerAws } from "../../sandbox/up/aws.ts";
import { ApplyWorld } from "../support/apply-world.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { terraformProgram, terraformWrapper, whyNoTerraform } from "../support/terraform.ts";
import { terraformRoot } from "../support/terraform-root.ts";

const tags = `
provider "aws" {
  default_tags {
    tags = { product = "roundtrip", environment = "dev" }
  }
}
`;

describe.skipIf(!terraformProgram)(`apply behind a killed Terraform${whyNoTerraform}`, () => {
  test("a task that was made and not written down is taken over as the one that was reviewed, and loaded once", async () => {
    await using world = await ApplyWorld.start();
    await world.source.db("shop").collection("orders").insertOne({ a: 1 });
    const { folder, variables, environment } = await terraformRoot(world, tags);
    const bin = join(temporaryFolder("roundtrip-left-behind"), "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "terraform"), terraformWrapper(world.aws));
    chmodSync(join(bin, "terraform"), 0o755);
    const terraform = { ...environment, PATH: `${bin}${delimiter}${process.env.PATH}` };
    const words = ["--terraform", folder, "--var-file", variables, "--unreviewed"];
    world.commit("version: 1\ntasks:\n  - {id: shop, database: shop, collections: [orders]}\n");
    await steerAws(world.aws, "faults", {
      operation: "CreateReplicationTask",
      when: "after",
      action: { kill: "terraform" },
    });
    const killed = await world.run(words, { terraform });
    expect(killed.stderr).toContain("Terraform to succeed, got a signal");
    const made = await world.task("shop");
    const finished = await world.run(words, { terraform });
    expect(finished.stderr).toContain('aws_dms_replication_task.this["shop"] exists (shop): taken over');
    expect(finished.stderr).toContain("✓ shop.orders: 1 document");
    expect(finished.code).toBe(0);
    expect((await world.task("shop")).arn).toBe(made.arn);
  }, 240_000);
});
