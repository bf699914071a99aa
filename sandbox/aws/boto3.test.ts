import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { startTestAws } from "./test-server.ts";

const python = join(import.meta.dirname, "../../.tools/python/bin/python");
const missing = !existsSync(python) && process.env.REQUIRE_ALL !== "1";

describe("boto3 against the stand-in", () => {
  const name = missing
    ? "skipped: no .tools/python (python -m venv; pip install boto3)"
    : "every service it serves, over every kind of request";
  test.skipIf(missing)(
    name,
    async () => {
      await using aws = await startTestAws();
      const script = Bun.spawn([python, join(import.meta.dirname, "boto3_client.py"), aws.url], {
        env: process.env,
        stdout: "pipe",
        stderr: "pipe",
      });
      const [out, err, code] = await Promise.all([
        new Response(script.stdout).text(),
        new Response(script.stderr).text(),
        script.exited,
      ]);
      expect([code, err]).toEqual([0, ""]);
      expect(JSON.parse(out)).toEqual({
        bodies: true,
        listed: true,
        large: 20 << 20,
        presigned: "a b+c%2F/é",
        tampered: 403,
        expired: 403,
        virtual: "a",
        identity: "arn:aws:iam::123456789012:user/sandbox",
        secret: "{}",
        parameter: "välue",
        lambda: { got: { a: 1 } },
        ec2: [],
        dms: [],
      });
    },
    60_000,
  );
});
