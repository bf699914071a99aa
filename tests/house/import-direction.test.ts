import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "../..");
const biome = join(root, "node_modules/.bin/biome");

/** A project of its own with the house's biome.json, in which a file may import what it must not. */
let project = "";

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), "import-direction-"));
  copyFileSync(join(root, "biome.json"), join(project, "biome.json"));
  // biome.json reads .gitignore, which it looks for in a repository.
  spawnSync("git", ["init", "--quiet", project]);
  writeFileSync(join(project, ".gitignore"), "");
});

afterAll(() => rmSync(project, { recursive: true, force: true }));

/** Lints one file with that import, and says whether the direction's rule spoke. */
function refuses(file: string, imported: string): boolean {
  return refusesText(file, `import { thing } from "${imported}";\n\nthing();\n`, "noRestrictedImports");
}

/** Lints one file of that text, and says whether that rule spoke. */
function refusesText(file: string, text: string, rule: string): boolean {
  const path = join(project, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  const args = ["lint", "--diagnostic-level=error", "--colors=off", path];
  const { status, stdout, stderr } = spawnSync(biome, args, { cwd: project, encoding: "utf8" });
  const said = `${stdout}${stderr}`;
  const refused = said.includes(`lint/style/${rule}`);
  if (!refused && (status !== 0 || !said.includes("Checked 1 file"))) throw new Error(said);
  return refused && status !== 0;
}

describe("imports that point outward are refused", () => {
  test.each([
    ["core/failback/probe.ts", "../../adapters/aws/object-store.ts"],
    ["core/failback/probe.ts", "../../services/runtime/service.ts"],
    ["core/failback/probe.ts", "../../sandbox/aws/server.ts"],
    ["core/probe.ts", "node:fs"],
    ["core/probe.ts", "node:fs/promises"],
    ["core/probe.ts", "node:child_process"],
    ["core/probe.ts", "mongodb"],
    ["core/probe.ts", "@aws-sdk/client-s3"],
    ["adapters/aws/probe.ts", "../../services/runtime/service.ts"],
    ["adapters/aws/probe.ts", "../../runbooks/catalog.ts"],
    ["adapters/aws/probe.ts", "../../scripts/roundtrip/command.ts"],
    ["adapters/mongo/probe.ts", "../../sandbox/database/main.ts"],
    ["services/restore/probe.ts", "../../sandbox/database/main.ts"],
    ["services/restore/probe.ts", "../../runbooks/catalog.ts"],
    ["services/restore/probe.ts", "../../scripts/roundtrip/command.ts"],
    ["runbooks/engine/probe.ts", "../../sandbox/aws/server.ts"],
    ["runbooks/engine/probe.ts", "../../scripts/roundtrip/command.ts"],
    ["runbooks/engine/probe.ts", "../../services/runtime/service.ts"],
    ["scripts/roundtrip/probe.ts", "../../sandbox/aws/server.ts"],
    ["sandbox/host/probe.ts", "../../services/runtime/service.ts"],
  ])("%s importing %s", (file, imported) => expect(refuses(file, imported)).toBe(true));
});

describe("imports that point inward are taken", () => {
  test.each([
    ["core/failback/probe.ts", "../errors.ts"],
    ["adapters/aws/probe.ts", "../../core/errors.ts"],
    ["services/restore/probe.ts", "../../adapters/mongo/compare.ts"],
    ["runbooks/engine/probe.ts", "../../core/errors.ts"],
    ["scripts/roundtrip/probe.ts", "../../runbooks/catalog.ts"],
    ["services/restore/probe.test.ts", "../../sandbox/database/testing.ts"],
  ])("%s importing %s", (file, imported) => expect(refuses(file, imported)).toBe(false));
});

describe("core reads no clock and no environment", () => {
  test.each(["process.env.HOME", "Bun.file", "fetch", "setTimeout", "console.log"])("%s", (text) => {
    expect(refusesText("core/probe.ts", `export const probe = ${text};\n`, "noRestrictedGlobals")).toBe(true);
  });

  test("its tests may", () => {
    expect(refusesText("core/probe.test.ts", "export const probe = fetch;\n", "noRestrictedGlobals")).toBe(
      false,
    );
  });
});
