/** pymongo, a driver written by others in another language, against the database stand-in. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DatabaseHandle, startDatabase } from "../../sandbox/up/database.ts";

const suite = join(import.meta.dirname, "suite");
const python = join(import.meta.dirname, "../../.tools/python/bin/python");
const isMissing = !hasPymongo() && process.env.REQUIRE_ALL !== "1";
const moduleTimeoutMs = 120_000;

function hasPymongo(): boolean {
  return existsSync(python) && Bun.spawnSync([python, "-c", "import pymongo"]).exitCode === 0;
}

const title = isMissing ? "pymongo (skipped: no pymongo in .tools/python; see make setup)" : "pymongo";

describe.skipIf(isMissing)(title, () => {
  const directory = mkdtempSync(join(tmpdir(), "pymongo-"));
  let database: DatabaseHandle;

  beforeAll(async () => {
    database = await startDatabase({ dir: join(directory, "data") });
  });

  afterAll(async () => {
    await database?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  for (const name of modules()) {
    test(
      name.replaceAll("_", " "),
      async () => {
        const child = Bun.spawn(
          [python, "-B", "-W", "error::DeprecationWarning", "-m", "unittest", "-v", `test_${name}`],
          {
            cwd: suite,
            env: { ...process.env, MONGODB_URI: database.ready.uri },
            stdout: "pipe",
            stderr: "pipe",
          },
        );
        const [output, code] = await Promise.all([new Response(child.stderr).text(), child.exited]);
        if (code !== 0) console.log(output);
        expect(output).toMatch(/Ran [1-9]\d* tests? in/);
        expect(code).toBe(0);
      },
      moduleTimeoutMs,
    );
  }
});

function modules(): string[] {
  const names = readdirSync(suite).map((file) => file.match(/^test_(\w+)\.py$/)?.[1]);
  return names.filter((name) => name !== undefined).sort();
}
