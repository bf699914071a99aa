import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TestTerraform, terraformProgram } from "../support/terraform.ts";
import { productUnitFiles, userDataOf } from "../systemd/first-boot/user-data.ts";

setDefaultTimeout(120_000);

const repository = join(import.meta.dirname, "../..");
const modules = join(repository, "terraform/modules");
const shellcheck = Bun.which("shellcheck");
const obstacle =
  process.env.REQUIRE_ALL === "1" || shellcheck
    ? undefined
    : "no shellcheck on PATH (bun scripts/setup.ts --all)";

/** What shellcheck says of a file; nothing where it finds nothing. */
function complaints(path: string): string {
  const ran = Bun.spawnSync(
    [shellcheck ?? "shellcheck", "--external-sources", "--severity=style", "--format=gcc", path],
    { cwd: repository, stdout: "pipe", stderr: "pipe" },
  );
  return `${ran.stdout}${ran.stderr}`;
}

describe.skipIf(obstacle !== undefined)(
  `shell scripts of hosts${obstacle ? ` (skipped: ${obstacle})` : ""}`,
  () => {
    const scripts = readdirSync(modules, { recursive: true, encoding: "utf8" }).filter((path) =>
      path.endsWith(".sh"),
    );

    test("there are some", () => {
      expect(scripts).toContain("ec2/install/install.sh");
    });

    for (const script of scripts)
      test(`${script}: shellcheck finds nothing`, () => {
        expect(complaints(join(modules, script))).toBe("");
      });

    describe.skipIf(!terraformProgram)("user data, as Terraform makes it", () => {
      let world: TestTerraform;
      let folder: string;
      let userData: string;
      beforeAll(async () => {
        folder = mkdtempSync(join(tmpdir(), "user-data-"));
        world = await TestTerraform.start();
        const artifact = { key: "worker", sha256: "0".repeat(64) };
        userData = await userDataOf(world, {
          region: "us-east-1",
          bucket: "releases",
          environment_parameter: "/roundtrip/dev/environment",
          log_group: "/roundtrip/dev/hosts",
          // Text that a shell, or Terraform, would take for something else.
          units: { ...productUnitFiles(), "odd.service": "# $HOME `date` ' \" \\ ${x} %{y}\n" },
          artifacts: { worker: artifact, database_tools: artifact },
        });
      });
      afterAll(async () => {
        await world[Symbol.asyncDispose]();
        rmSync(folder, { recursive: true });
      });

      test("shellcheck finds nothing", () => {
        const path = join(folder, "user-data.sh");
        writeFileSync(path, userData);
        expect(complaints(path)).toBe("");
      });

      test("has every unit as it is in the repository, and half of EC2's 16 KB to spare", () => {
        for (const text of Object.values(productUnitFiles())) expect(userData).toContain(text);
        expect(userData).toContain("# $HOME `date` ' \" \\ ${x} %{y}\n");
        expect(Bun.gzipSync(userData).length).toBeLessThan(8192);
      });

      test("its scripts are the ones that were looked at", () => {
        for (const name of ["common.sh", "install.sh", "fetch-environment.sh"])
          expect(userData).toContain(readFileSync(join(modules, "ec2/install", name), "utf8"));
      });
    });
  },
);
