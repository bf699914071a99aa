import { afterAll, beforeAll, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { unzipSync } from "fflate";

const root = join(import.meta.dirname, "..");
let folder: string;
let copy: string;

/** A second checkout, below dist/ so that packages can be linked instead of copied. */
beforeAll(() => {
  mkdirSync(join(root, "dist"), { recursive: true });
  folder = mkdtempSync(join(root, "dist/build-test-"));
  copy = join(folder, "another place/checkout");
  mkdirSync(copy, { recursive: true });
  for (const name of ["core", "adapters", "services", "schemas", "scripts", "package.json", "tsconfig.json"])
    cpSync(join(root, name), join(copy, name), { recursive: true });
  execFileSync("cp", ["-al", join(root, "node_modules"), copy]);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function build(
  at: string,
  name: string,
  args: readonly string[] = [],
  variables: Record<string, string> = {},
  program = "build-create-user-db",
) {
  const outfile = join(folder, name);
  const child = Bun.spawn(
    [process.execPath, join(at, `scripts/${program}.ts`), "--outfile", outfile, ...args],
    { cwd: at, stdout: "pipe", stderr: "pipe", env: { ...process.env, ...variables } },
  );
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { out, err, code, bytes: code === 0 ? readFileSync(outfile) : Buffer.alloc(0) };
}

test("two builds in two folders, in two time zones, are the same bytes", async () => {
  const one = await build(root, "one.zip");
  const two = await build(copy, "two.zip", [], { TZ: "Pacific/Auckland" });
  expect([one.err, one.code, two.err, two.code]).toEqual(["", 0, "", 0]);
  expect(one.bytes.length).toBeGreaterThan(100_000);
  expect(one.bytes.equals(two.bytes)).toBe(true);
  const sha256 = new Bun.CryptoHasher("sha256").update(one.bytes).digest("hex");
  expect(one.out).toContain(sha256);
  expect(two.out).toContain(sha256);
}, 60_000);

test("so are two of notify", async () => {
  const one = await build(root, "one-notify.zip", [], {}, "build-notify");
  const two = await build(copy, "two-notify.zip", [], { TZ: "Pacific/Auckland" }, "build-notify");
  expect([one.err, one.code, two.err, two.code]).toEqual(["", 0, "", 0]);
  expect(one.bytes.equals(two.bytes)).toBe(true);
  expect(Object.keys(unzipSync(one.bytes))).toEqual(["index.mjs"]);
}, 60_000);

test("other sources are other bytes", async () => {
  const file = join(copy, "core/provision/response.ts");
  writeFileSync(file, readFileSync(file, "utf8").replace("renamed from", "once called"));
  const [one, two] = [await build(root, "one.zip"), await build(copy, "other.zip")];
  expect(one.bytes.equals(two.bytes)).toBe(false);
}, 60_000);

test("the CA file is in the archive as it was given; without one the build says so", async () => {
  const ca = join(folder, "global-bundle.pem");
  const pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
  writeFileSync(ca, pem);
  const { out, bytes } = await build(root, "ca.zip", ["--ca", ca]);
  expect(Buffer.from(unzipSync(bytes)["global-bundle.pem"]!).toString()).toBe(pem);
  expect(out).toContain("with the CA file");
  expect((await build(root, "no-ca.zip")).out).toContain(
    "without global-bundle.pem, for clusters with TLS off",
  );
}, 60_000);

test("a CA file that isn't there, or isn't one, ends the build with the way out", async () => {
  const missing = await build(root, "x.zip", ["--ca", join(folder, "nowhere.pem")]);
  expect([missing.code, missing.err]).toEqual([
    6,
    expect.stringContaining("truststore.pki.rds.amazonaws.com"),
  ]);
  const other = await build(root, "x.zip", ["--ca", join(root, "package.json")]);
  expect([other.code, other.err]).toEqual([6, expect.stringContaining("expected PEM certificates")]);
}, 60_000);
