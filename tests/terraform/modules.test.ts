import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { TestTerraform, terraformProgram, whyNoTerraform } from "../support/terraform.ts";

setDefaultTimeout(180_000);

const repository = join(import.meta.dirname, "../..");
const modules = readdirSync(join(repository, "terraform/modules")).map((name) => `modules/${name}`);

// That each validation has its run is held by tests/house/terraform-variables.test.ts.
describe.skipIf(!terraformProgram)(`Terraform modules and roots${whyNoTerraform}`, () => {
  let world: TestTerraform;
  let copy: string;
  beforeAll(async () => {
    world = await TestTerraform.start();
    copy = world.copy(join(repository, "terraform"), "repository/terraform");
    for (const name of ["tasks.yaml", "runbooks/documents"])
      cpSync(join(repository, name), join(copy, "..", name), { recursive: true });
    // Those the stack looks up before it can say what it refuses.
    for (const name of ["master", "documentdb", "mongodb", "mongodb-dms", "shop"])
      await world.call("secretsmanager", "secretsmanager.CreateSecret", {
        Name: `roundtrip/dev/${name}`,
        SecretString: JSON.stringify({ username: name, password: "any" }),
      });
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });

  test("everything is formatted", async () => {
    const run = await world.run(copy, "fmt", "-check", "-recursive");
    expect({ exitCode: run.exitCode, files: run.stdout }).toEqual({ exitCode: 0, files: "" });
  });

  for (const name of [...modules, "bootstrap", "stack"])
    test(`${name}: validates, and its own tests pass`, async () => {
      const folder = join(copy, name);
      await world.succeed(folder, "init", "-backend=false");
      await world.succeed(folder, "validate");
      const run = await world.succeed(folder, "test");
      expect(run.stdout).toMatch(/Success! \d+ passed, 0 failed\./);
    });
});
