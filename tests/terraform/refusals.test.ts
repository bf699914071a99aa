import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { declarationsOf } from "../../scripts/terraform-docs/declarations.ts";
import { TestTerraform, terraformProgram, whyNoTerraform } from "../support/terraform.ts";

setDefaultTimeout(300_000);

const repository = join(import.meta.dirname, "../..");
const modules = readdirSync(join(repository, "terraform/modules")).map((name) => `modules/${name}`);
/** REFUSALS=all sweeps every module and root, in some three minutes; otherwise one is looked at. */
const folders = process.env.REFUSALS === "all" ? [...modules, "bootstrap", "stack"] : ["modules/s3"];

const aRun = /^run "(\w+)" \{\n[\s\S]*?^\}\n/gm;

/**
 * Puts each run that expects a refusal into a file of its own and takes the expectation away: then Terraform says what it
 * refused by, where it would only have said that it did.
 */
function revealRefusals(tests: string): void {
  for (const file of readdirSync(tests).filter((name) => name.endsWith(".tftest.hcl"))) {
    const text = readFileSync(join(tests, file), "utf8");
    const runs = [...text.matchAll(aRun)];
    const settings = text.replace(aRun, "");
    const setups = runs.filter(([block]) => /^ {2}module \{/m.test(block)).map(([block]) => block);
    rmSync(join(tests, file));
    for (const [block, name] of runs.filter(([each]) => each.includes("expect_failures")))
      writeFileSync(
        join(tests, `${name}.tftest.hcl`),
        [settings, ...setups, block.replace(/^ *expect_failures.*$/m, "")].join("\n"),
      );
  }
}

/** An error message as it is written, as a pattern of what Terraform says: what is put in may be anything. */
function patternOf(message: string): RegExp {
  const parts = message.replaceAll('\\"', '"').split(/\$\{(?:[^{}]|\{[^}]*\})*\}/);
  return new RegExp(parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("[\\s\\S]*?"));
}

describe.skipIf(!terraformProgram)(`refusals${whyNoTerraform}`, () => {
  let world: TestTerraform;
  let copy: string;
  beforeAll(async () => {
    world = await TestTerraform.start();
    copy = world.copy(join(repository, "terraform"), "repository/terraform");
    for (const name of ["tasks.yaml", "runbooks/documents", "services/units"])
      cpSync(join(repository, name), join(copy, "..", name), { recursive: true });
    for (const name of ["master", "documentdb", "mongodb", "mongodb-dms", "shop"])
      await world.call("secretsmanager", "secretsmanager.CreateSecret", {
        Name: `roundtrip/dev/${name}`,
        SecretString: JSON.stringify({ username: name, password: "any" }),
      });
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });

  test.each(folders)("%s: each validation refuses by its own message, not by another's", async (name) => {
    const folder = join(copy, name);
    const files = readdirSync(folder).filter((file) => file.endsWith(".tf"));
    const { variables } = declarationsOf(files.map((file) => readFileSync(join(folder, file), "utf8")));
    const messages = variables.flatMap(({ refusals }) => refusals);
    revealRefusals(join(folder, "tests"));
    await world.succeed(folder, "init", "-backend=false");
    const { stdout } = await world.run(folder, "test", "-json");
    const said = stdout
      .split("\n")
      .filter((line) => line.includes('"diagnostic"'))
      .map((line) => (JSON.parse(line) as { diagnostic?: { detail?: string } }).diagnostic?.detail ?? "")
      .join("\n");
    expect(messages.filter((message) => !patternOf(message).test(said))).toEqual([]);
  });
});
