import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unzipSync } from "fflate";

const program = join(import.meta.dirname, "terraform-files.ts");
const pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
let checkout: string;

beforeAll(() => {
  checkout = mkdtempSync(join(tmpdir(), "terraform-files-"));
  mkdirSync(join(checkout, "terraform/environments"), { recursive: true });
  writeFileSync(join(checkout, "terraform/environments/dev.tfvars"), 'environment = "dev"\n');
  writeFileSync(
    join(checkout, "terraform/environments/prod.tfvars"),
    'docdb_ca_bundle_file = "../../dist/global-bundle.pem"\n',
  );
});
afterAll(() => rmSync(checkout, { recursive: true, force: true }));

async function run(name: string, bundle?: string) {
  const child = Bun.spawn([process.execPath, program, "--env", name, "--root", checkout], {
    env: { PATH: process.env.PATH, HOME: checkout, ...(bundle ? { ROUNDTRIP_CA_BUNDLE: bundle } : {}) },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code: await child.exited, out, err };
}

const files = () => unzipSync(readFileSync(join(checkout, "dist/create-user-db.zip")));

test("without TLS: the archives alone, nothing is fetched", async () => {
  const { code, out } = await run("dev");
  expect(code).toBe(0);
  expect(out).toContain("without global-bundle.pem");
  expect(Object.keys(unzipSync(readFileSync(join(checkout, "dist/notify.zip"))))).toEqual(["index.mjs"]);
  expect(existsSync(join(checkout, "dist/global-bundle.pem"))).toBe(false);
}, 60_000);

test("where the variables name the CA bundle it lies beside the archive, and in it", async () => {
  const given = join(checkout, "given.pem");
  writeFileSync(given, pem);
  expect((await run("prod", given)).code).toBe(0);
  expect(readFileSync(join(checkout, "dist/global-bundle.pem"), "utf8")).toBe(pem);
  expect(Buffer.from(files()["global-bundle.pem"]!).toString()).toBe(pem);
}, 60_000);

test("a bundle that isn't there, or isn't one, is refused with the way out, and what was there stays", async () => {
  const page = join(checkout, "page.html");
  writeFileSync(page, "<html>sign in</html>");
  for (const bundle of [join(checkout, "nowhere.pem"), page]) {
    const { code, err } = await run("prod", bundle);
    expect([code, err]).toEqual([4, expect.stringContaining("by ROUNDTRIP_CA_BUNDLE")]);
  }
  expect(readFileSync(join(checkout, "dist/global-bundle.pem"), "utf8")).toBe(pem);
}, 60_000);
