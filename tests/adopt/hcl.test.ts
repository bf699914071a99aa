import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { attribute, block, comment, type HclItem, type HclValue, hclText } from "../../core/adopt/hcl.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { terraformProgram, whyNoTerraform } from "../support/terraform.ts";

setDefaultTimeout(120_000);

/** What Terraform keeps as it is: well-formed, in the form of Unicode it turns every text into. */
const texts = fc
  .oneof(
    fc.string({ unit: "binary" }),
    fc
      .array(fc.constantFrom("$", "%", "{", "}", '"', "\\", "\n", "a", "~", "é"), { maxLength: 12 })
      .map((each) => each.join("")),
  )
  .map((text) => text.replaceAll("\0", "").normalize("NFC"))
  .filter((text) => text.isWellFormed());

const values: fc.Arbitrary<HclValue> = fc.letrec<{ value: HclValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    texts,
    fc.integer(),
    fc.boolean(),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(texts, tie("value"), { maxKeys: 4 }).map((each) => ({ ...each })),
  ),
})).value;

function run(folder: string, ...parameters: string[]): { code: number; stdout: string; stderr: string } {
  const ran = Bun.spawnSync([terraformProgram!, ...parameters], {
    cwd: folder,
    env: { ...process.env, TF_CLI_ARGS: "-no-color", CHECKPOINT_DISABLE: "1" },
  });
  return { code: ran.exitCode, stdout: ran.stdout.toString(), stderr: ran.stderr.toString() };
}

describe.skipIf(!terraformProgram)(`Terraform's language, read by Terraform${whyNoTerraform}`, () => {
  test("300 values of any kind come back as they were written", () => {
    const folder = temporaryFolder("adopt-hcl");
    const sample = fc.sample(values, 300);
    const items: HclItem[] = sample.flatMap((value, index) => [
      ...(index % 7 === 0 ? [comment(`Value ${index}`)] : []),
      block("output", [`value_${index}`], attribute("value", value), attribute("description", "one")),
    ]);
    writeFileSync(join(folder, "main.tf"), hclText(items));
    run(folder, "init");
    const applied = run(folder, "apply", "-auto-approve");
    expect(applied).toMatchObject({ code: 0 });
    const outputs = JSON.parse(run(folder, "output", "-json").stdout) as Record<string, { value: unknown }>;
    for (const [index, value] of sample.entries())
      expect(outputs[`value_${index}`]?.value).toEqual(value as object);
  });
});
