/** A release as the workflow builds it, and what hosts and people on call can hold against it. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256Of } from "../../core/sha256.ts";
import packageJson from "../../package.json";
import { billOfMaterials } from "../../scripts/release/bill-of-materials.ts";
import { architectures, type Release } from "../../scripts/release/model.ts";
import { runtimePath } from "../../scripts/release/runtime.ts";

setDefaultTimeout(120_000);

const root = join(import.meta.dirname, "../..");
const { version } = packageJson;
let work: string;
let folder: string;

function run(command: string, args: readonly string[], cwd = root) {
  const { exitCode, stdout, stderr } = Bun.spawnSync([command, ...args], {
    cwd,
    stdout: "pipe",
    stderr: "pipe",
  });
  return { code: exitCode, out: stdout.toString(), err: stderr.toString() };
}

const release = (...args: string[]) => run(process.execPath, ["scripts/release.ts", ...args]);

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), "release-"));
  folder = join(work, "release");
  const built = release("build", "--folder", folder, "--tag", `v${version}`);
  if (built.code !== 0) throw new Error(built.err);
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

test("everything is there, and sha256sum agrees; one byte more and it does not", () => {
  expect(readdirSync(folder).sort()).toEqual([
    "SHA256SUMS",
    "create-user-db.zip",
    "notify.zip",
    "release.json",
    "roundtrip-linux-arm64",
    "roundtrip-linux-x64",
    "roundtrip-worker-linux-arm64",
    "roundtrip-worker-linux-x64",
    "sbom.cdx.json",
  ]);
  const checked = run("sha256sum", ["--check", "--strict", "SHA256SUMS"], folder);
  expect([checked.code, checked.out.match(/: OK$/gm)?.length]).toEqual([0, 7]);
  const { files, release, commit } = JSON.parse(
    readFileSync(join(folder, "release.json"), "utf8"),
  ) as Release;
  expect([release, commit]).toEqual([version, expect.stringMatching(/^[0-9a-f]{40}$/)]);
  expect(files.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join("")).toBe(
    readFileSync(join(folder, "SHA256SUMS"), "utf8"),
  );
  // As terraform/environments/*.tfvars name it.
  expect(files.map(({ key }) => key)).toContain(`${version}/roundtrip-worker-linux-x64`);
  const bom = readFileSync(join(folder, "sbom.cdx.json"));
  writeFileSync(join(folder, "sbom.cdx.json"), Buffer.concat([bom, Buffer.from("\n")]));
  expect(run("sha256sum", ["--check", "--quiet", "SHA256SUMS"], folder).code).toBe(1);
  writeFileSync(join(folder, "sbom.cdx.json"), bom);
});

test("each program is for its machine, and those of this one say the version", () => {
  const machine = (name: string) => readFileSync(join(folder, name)).readUInt16LE(18);
  for (const name of ["roundtrip", "roundtrip-worker"]) {
    expect([machine(`${name}-linux-x64`), machine(`${name}-linux-arm64`)]).toEqual([0x3e, 0xb7]);
    if (process.arch === "x64") {
      const said = run(join(folder, `${name}-linux-x64`), ["--version"]);
      expect([said.code, said.out]).toEqual([
        0,
        expect.stringMatching(new RegExp(`^${name} ${version} \\([0-9a-f]{12}\\)\n$`)),
      ]);
    }
  }
});

test("the same sources give the same bytes, in another folder and at another time", () => {
  // One program for each machine: building all of it again would take as long as the release itself.
  for (const [architecture, entry, name] of [
    [architectures[0]!, "services/main.ts", "roundtrip-worker-linux-x64"],
    [architectures[1]!, "scripts/roundtrip.ts", "roundtrip-linux-arm64"],
  ] as const) {
    const again = join(work, "elsewhere", name);
    const target = ["--target", architecture.target, "--runtime", runtimePath(architecture)];
    const built = run(process.execPath, [
      "services/build.ts",
      "--entry",
      entry,
      "--outfile",
      again,
      ...target,
    ]);
    expect(built.code).toBe(0);
    expect(sha256Of(readFileSync(again))).toBe(sha256Of(readFileSync(join(folder, name))));
  }
});

test("the bill of materials names what the programs are made of, and nothing of the tests", async () => {
  const text = await billOfMaterials();
  expect(text).toBe(readFileSync(join(folder, "sbom.cdx.json"), "utf8"));
  const bom = JSON.parse(text) as {
    bomFormat: string;
    serialNumber: string;
    components: { name: string; version: string }[];
  };
  expect(bom.bomFormat).toBe("CycloneDX");
  expect(bom.serialNumber).toMatch(
    /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  const names = bom.components.map(({ name }) => name);
  for (const name of Object.keys(packageJson.dependencies)) expect(names).toContain(name);
  expect(names).not.toContain("fast-check");
});

test("a tag that isn't the version is refused, and what was built stays", () => {
  const refused = release("build", "--folder", folder, "--tag", "v9.9.9");
  expect([refused.code, refused.err]).toEqual([6, expect.stringContaining(`expected tag v${version}`)]);
  expect(readdirSync(folder)).toContain("release.json");
  expect(readdirSync(work).filter((name) => name.includes(".partial-"))).toEqual([]);
});
