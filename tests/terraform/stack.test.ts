import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv2020 from "ajv/dist/2020.js";
import { StackWorld } from "../support/stack-world.ts";
import { terraformProgram, whyNoTerraform } from "../support/terraform.ts";

setDefaultTimeout(180_000);

const repository = join(import.meta.dirname, "../..");
// dev's story stands in empty-account.test.ts.
const environments = ["qa", "prod"] as const;

describe.skipIf(!terraformProgram)(`terraform/stack, applied${whyNoTerraform}`, () => {
  for (const environment of environments)
    test(`${environment}: made, nothing left to do, its document published, no password that AWS can hold in its state; destroyed only where it may be`, async () => {
      await using own = await StackWorld.start(environment);
      await own.apply();
      expect(await own.plan()).toEqual({});
      const document = await own.document();
      const schema = JSON.parse(
        readFileSync(join(repository, "schemas/environment.schema.json"), "utf8"),
      ) as object;
      const validate = new Ajv2020({ strict: false }).compile(schema);
      expect({ valid: validate(document), errors: validate.errors }).toEqual({ valid: true, errors: null });
      const tasks = document.replicationTasks as { id: string }[];
      expect(tasks.map(({ id }) => id).sort()).toEqual(["billing", "shop-customers", "shop-orders"]);
      const state = (await own.world.succeed(own.stack, "state", "pull")).stdout;
      expect(state).not.toContain("held-in-secret");
      const destroyed = await own.run("destroy");
      if (environment === "qa") {
        expect(destroyed).toMatchObject({ exitCode: 0, stderr: "" });
        return;
      }
      expect(destroyed).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining("Instance cannot be destroyed"),
      });
      expect(await own.plan()).toEqual({});
      // Who takes the guard away still meets the cluster's own.
      await own.world.succeed(own.stack, "state", "rm", "terraform_data.prod_stays[0]");
      expect(await own.run("destroy")).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining("Cannot delete protected Cluster"),
      });
    });

  test("a stack whose only host had an address of its own keeps that host; both are in the document, by their roles", async () => {
    await using own = await StackWorld.start("qa");
    await own.apply();
    const before = await own.hosts();
    await own.world.succeed(own.stack, "state", "mv", 'module.hosts["failback"]', "module.failback_host");
    expect(await own.plan()).toEqual({});
    await own.apply();
    expect(await own.hosts()).toEqual(before);
    expect(await own.document()).toMatchObject({
      instanceId: before.failback!.instance_id,
      operationsInstanceId: before.operations!.instance_id,
    });
    expect(before.failback!.instance_id).not.toBe(before.operations!.instance_id);
  });
});
