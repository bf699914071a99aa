import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { TestTerraform, terraformProgram, whyNoTerraform } from "../support/terraform.ts";

setDefaultTimeout(180_000);

const terraformFolder = join(import.meta.dirname, "../../terraform");
const modules = readdirSync(join(terraformFolder, "modules"));

describe.skipIf(!terraformProgram)(`Terraform modules${whyNoTerraform}`, () => {
  let world: TestTerraform;
  let copy: string;
  beforeAll(async () => {
    world = await TestTerraform.start();
    copy = world.copy(terraformFolder, "terraform-copy");
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });

  test("everything is formatted", async () => {
    const run = await world.run(copy, "fmt", "-check", "-recursive");
    expect({ exitCode: run.exitCode, files: run.stdout }).toEqual({ exitCode: 0, files: "" });
  });

  for (const name of modules)
    test(`${name}: validates, and its own tests pass`, async () => {
      const folder = join(copy, "modules", name);
      await world.succeed(folder, "init");
      await world.succeed(folder, "validate");
      const run = await world.succeed(folder, "test");
      expect(run.stdout).toMatch(/Success! \d+ passed, 0 failed\./);
    });

  for (const name of modules)
    test(`${name}: each variable has type and description, each validation a test that it refuses`, () => {
      const folder = join(terraformFolder, "modules", name);
      const files = readdirSync(folder).filter((file) => file.endsWith(".tf"));
      const text = files.map((file) => readFileSync(join(folder, file), "utf8")).join("\n");
      const tests = readdirSync(join(folder, "tests"))
        .filter((file) => file.endsWith(".tftest.hcl"))
        .map((file) => readFileSync(join(folder, "tests", file), "utf8"))
        .join("\n");
      const variables = [...text.matchAll(/^variable "(\w+)" \{\n([\s\S]*?)^\}/gm)];
      expect(variables.length).toBe([...text.matchAll(/^variable /gm)].length);
      for (const [, variable, body] of variables) {
        expect({ variable, body }).toEqual({
          variable,
          body: expect.stringMatching(/^ {2}description\s+=/m),
        });
        expect({ variable, body }).toEqual({ variable, body: expect.stringMatching(/^ {2}type\s+=/m) });
        const validations = [...body!.matchAll(/^ {2}validation \{/gm)].length;
        const refusals = [...tests.matchAll(new RegExp(`expect_failures = \\[var\\.${variable}[\\],]`, "g"))]
          .length;
        expect({ variable, enough: refusals >= validations, refusals, validations }).toMatchObject({
          variable,
          enough: true,
        });
      }
    });
});
