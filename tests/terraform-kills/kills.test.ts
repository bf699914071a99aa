import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { Random } from "../../scripts/drill/random.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { terraformProgram, whyNoTerraform } from "../support/terraform.ts";
import { deathsOf, lastSave, type Point, pointIn, pointOf } from "./points.ts";
import { record } from "./worlds.ts";

/**
 * A sample of what `make terraform-kills` does whole: the first apply of a whole environment, killed at a request to AWS.
 * TERRAFORM_SEED replays it.
 */
const seed = Number(process.env.TERRAFORM_SEED ?? Date.now() % 100_000);

describe.skipIf(!terraformProgram)(`the stack's first apply, killed${whyNoTerraform}`, () => {
  test("Terraform, or what started it, killed at a request to AWS: the next run ends in the same state, nothing is made twice or forgotten", async () => {
    console.log(`TERRAFORM_SEED=${seed}`);
    const random = new Random(seed);
    const recording = await record(join(temporaryFolder("terraform-kills"), "worlds"));
    const points: Point[] = [
      pointOf(lastSave, recording),
      pointOf(random.pick(deathsOf(recording, "parent", ["before", "after"])), recording),
      pointIn(random.pick(recording.worlds), recording),
    ];
    for (const { name, run } of points) {
      const { reached, said } = await run().catch((error: Error) => {
        throw new Error(`${name}\n${error.message}`, { cause: error });
      });
      console.log(`${name}: ${said}`);
      expect({ name, reached }).toEqual({ name, reached: true });
    }
  }, 900_000);
});
