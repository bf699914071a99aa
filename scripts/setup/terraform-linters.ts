import { existsSync, readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { needed } from "./needed.ts";
import { say } from "./run.ts";

const root = join(import.meta.dirname, "../..");
const folder = join(root, ".tools/terraform-linters");
/** The one place with the versions: go.mod has tflint and its ruleset, requirements.txt checkov. */
const pinsFolder = join(root, "tools/terraform-linters");
const tflintModule = "github.com/terraform-linters/tflint";

const places = {
  tflint: join(folder, "bin/tflint"),
  checkov: join(folder, "checkov/bin/checkov"),
} as const;

/** Where tflint looks for its ruleset of AWS. */
export const tflintPlugins = join(folder, "plugins");

const pins = () =>
  ["go.mod", "go.sum", "requirements.txt"]
    .map((file) => readFileSync(join(pinsFolder, file), "utf8"))
    .join("");
/** Written last, so half an installation, or one of other versions, is none. */
const stamp = join(folder, "pins");

/** Where a linter of Terraform is, in the version that is pinned; undefined where it isn't installed. */
export function terraformLinter(name: keyof typeof places): string | undefined {
  const installed = existsSync(stamp) && readFileSync(stamp, "utf8") === pins();
  return installed ? places[name] : undefined;
}

/**
 * tflint and its ruleset by Go, checkov from PyPI in a virtual environment of its own (it pins an old boto3); each got once
 * a version. Says what there is.
 */
export async function ensureTerraformLinters(): Promise<string> {
  if (terraformLinter("tflint") === undefined) {
    const started = performance.now();
    say("  building tflint with its ruleset of AWS, installing checkov into .tools (once)");
    await rm(folder, { recursive: true, force: true });
    await mkdir(tflintPlugins, { recursive: true });
    await Promise.all([buildTflint(), installCheckov()]);
    await writeFile(stamp, pins());
    say(`  tflint and checkov took ${Math.round((performance.now() - started) / 1000)} s`);
  }
  return "tflint, checkov";
}

async function buildTflint(): Promise<void> {
  // Neither inlined nor with debug information: that takes a third of the compiler's time away, and each run is over in seconds.
  const flags = ["-gcflags=all=-l -dwarf=false", "-ldflags=-s -w"];
  const built = [
    [tflintModule, places.tflint],
    [`${tflintModule}-ruleset-aws`, join(tflintPlugins, "tflint-ruleset-aws")],
  ] as const;
  for (const [module, place] of built)
    await needed("go", ["build", ...flags, "-o", place, module], {
      cwd: pinsFolder,
      env: { GOFLAGS: "-mod=readonly", CGO_ENABLED: "0" },
    });
}

async function installCheckov(): Promise<void> {
  const environment = join(folder, "checkov");
  await needed("python3", ["-m", "venv", environment]);
  const pip = ["install", "--quiet", "--disable-pip-version-check"];
  await needed(join(environment, "bin/pip"), [...pip, "-r", join(pinsFolder, "requirements.txt")]);
}
