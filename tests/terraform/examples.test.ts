import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { zipSync } from "fflate";
import { TestTerraform, terraformProgram, whyNoTerraform } from "../support/terraform.ts";

setDefaultTimeout(120_000);

const repository = join(import.meta.dirname, "../..");
/** Has variables one must give: tests/terraform/replication.test.ts applies it. */
const appliedElsewhere = "replication";
const examples = readdirSync(join(repository, "terraform/examples")).filter(
  (name) => name !== appliedElsewhere,
);

/** Examples that call a module. */
const shownBy = (module: string) =>
  [...examples, appliedElsewhere].filter((name) =>
    readFileSync(join(repository, "terraform/examples", name, "main.tf"), "utf8").includes(
      `"../../modules/${module}"`,
    ),
  );

describe.skipIf(!terraformProgram)(`Terraform examples${whyNoTerraform}`, () => {
  let world: TestTerraform;
  let copy: string;
  beforeAll(async () => {
    world = await TestTerraform.start();
    copy = world.copy(join(repository, "terraform"), "repository/terraform");
    const root = join(copy, "..");
    for (const name of ["tasks.yaml", "runbooks/documents"])
      cpSync(join(repository, name), join(root, name), { recursive: true });
    mkdirSync(join(root, "dist"));
    const handler = new TextEncoder().encode("export const handler = async () => ({});");
    for (const name of ["create-user-db", "notify"])
      writeFileSync(join(root, `dist/${name}.zip`), zipSync({ "index.mjs": handler }));
    for (const name of ["orders/dev/master", "orders/dev/replication", "orders/dev/slack"])
      await world.call("secretsmanager", "secretsmanager.CreateSecret", {
        Name: name,
        SecretString: JSON.stringify({ username: "administrator", password: "any" }),
      });
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });

  test.each(examples)("%s validates, and its plan only makes things", async (name) => {
    const folder = join(copy, "examples", name);
    await world.succeed(folder, "init");
    await world.succeed(folder, "validate");
    const plan = await world.plan(folder);
    expect(new Set(Object.values(plan))).toEqual(new Set(name === "task-config" ? [] : ["create"]));
  });
});

describe("terraform/README.md", () => {
  const page = readFileSync(join(repository, "terraform/README.md"), "utf8");
  const rows = new Map(
    [...page.matchAll(/^\| \[([a-z0-9-]+)\]\(modules\/.*\| (.*) \|$/gm)].map(([, module, last]) => [
      module!,
      last!,
    ]),
  );

  test("has a row for each module", () => {
    expect([...rows.keys()].sort()).toEqual(readdirSync(join(repository, "terraform/modules")).sort());
  });

  test.each([...rows])("%s: its example calls it", (module, last) => {
    const example = /^\[([a-z0-9-]+)\]\(examples\//.exec(last)?.[1];
    expect({ module, example, callers: shownBy(module) }).toEqual({
      module,
      example,
      callers: expect.arrayContaining([example]),
    });
  });
});
