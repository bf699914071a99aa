/** The official driver against the stand-in, under Bun and under Node: the same scenario file in both. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { startDatabase } from "./testing.ts";

const scenario = join(import.meta.dir, "fixtures/driver-scenario.mjs");
const runtimes = { bun: process.execPath, node: Bun.which("node") };

describe("the official driver", () => {
  for (const [name, program] of Object.entries(runtimes)) {
    test.skipIf(program === null)(
      `reads, writes, watches, retries and logs in under ${name}`,
      async () => {
        await using database = await startDatabase();
        const child = Bun.spawn([program!, scenario, database.uri], { stdout: "pipe", stderr: "pipe" });
        const [out, err, code] = await Promise.all([
          new Response(child.stdout).text(),
          new Response(child.stderr).text(),
          child.exited,
        ]);
        expect(err).toBe("");
        expect(code).toBe(0);
        expect(out.trim().split("\n").at(-1)).toBe("all steps done");
      },
      60_000,
    );
  }
});
