import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { declarationsOf } from "../../scripts/terraform-docs/declarations.ts";

const terraform = join(import.meta.dirname, "../../terraform");
const below = (folder: string) => readdirSync(join(terraform, folder)).map((name) => `${folder}/${name}`);
const folders = ["bootstrap", "stack", ...below("modules"), ...below("examples")];

function textsOf(folder: string, ending: string): string[] {
  const path = join(terraform, folder);
  if (!existsSync(path)) return [];
  const files = readdirSync(path).filter((file) => file.endsWith(ending));
  return files.map((file) => readFileSync(join(path, file), "utf8"));
}

/** Variables with more validations than runs that expect this variable to be refused, with both numbers. */
function withoutRefusal(files: readonly string[], tests: readonly string[]): string[] {
  return declarationsOf(files).variables.flatMap(({ name, refusals }) => {
    const runs = tests.flatMap((text) => [
      ...text.matchAll(new RegExp(`expect_failures = \\[var\\.${name}[\\],]`, "g")),
    ]).length;
    return runs >= refusals.length
      ? []
      : [`${name}: ${refusals.length} validations, ${runs} refusals tested`];
  });
}

describe.each(folders)("terraform/%s", (folder) => {
  test("each variable has a type, it and each output a description", () => {
    const { variables, outputs } = declarationsOf(textsOf(folder, ".tf"));
    expect(variables.length + outputs.length).toBeGreaterThan(0);
    const bare = variables.filter(({ type, description }) => type === "" || description === "");
    expect([...bare, ...outputs.filter(({ description }) => description === "")]).toEqual([]);
  });

  test("each validation has a run that it refuses", () => {
    expect(withoutRefusal(textsOf(folder, ".tf"), textsOf(`${folder}/tests`, ".tftest.hcl"))).toEqual([]);
  });
});

describe("what is looked for is found", () => {
  const variable = `variable "port" {
  description = "Port."
  type        = number

  validation {
    condition     = var.port > 0
    error_message = "port must be above 0."
  }
  validation {
    condition     = var.port < 65536
    error_message = "port must be below 65536."
  }
}
`;
  const refusal = (name: string) => `run "a" {\n  expect_failures = [var.${name}]\n}\n`;

  test("a validation nobody tests", () => {
    expect(withoutRefusal([variable], [])).toEqual(["port: 2 validations, 0 refusals tested"]);
    expect(withoutRefusal([variable], [refusal("port"), refusal("ports")])).toEqual([
      "port: 2 validations, 1 refusals tested",
    ]);
    expect(withoutRefusal([variable], [refusal("port"), refusal("port")])).toEqual([]);
  });

  test("a variable in another form than terraform fmt's is no variable less: it is refused", () => {
    expect(() => declarationsOf([variable.replace('variable "port"', 'variable  "port"')])).toThrow(
      "1 variable blocks, but 0",
    );
    expect(() => declarationsOf([variable.replace('= "port must be above 0."', "= local.message")])).toThrow(
      "2 validations, 1 error messages",
    );
  });
});
