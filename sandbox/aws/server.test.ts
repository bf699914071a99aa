import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { awsVariables, withVariables } from "./test-server.ts";

interface Ready {
  readonly ready: true;
  readonly url: string;
  readonly pid: number;
}

class StandIn implements AsyncDisposable {
  readonly process: Bun.Subprocess<"pipe", "pipe", "inherit">;

  constructor(dir: string, more: readonly string[] = []) {
    const main = join(import.meta.dirname, "main.ts");
    this.process = Bun.spawn([process.execPath, main, "--dir", dir, ...more], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    });
  }

  async ready(): Promise<Ready> {
    let text = "";
    for await (const chunk of this.process.stdout) {
      text += new TextDecoder().decode(chunk);
      if (text.includes("\n")) return JSON.parse(text.slice(0, text.indexOf("\n"))) as Ready;
    }
    throw new Error(`the stand-in ended before it was ready: ${text}`);
  }

  async kill(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.process.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

describe("the stand-in as a process", () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "aws-process-"));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  test("kill -9 in the middle of writes loses nothing acknowledged; it comes back on its port", async () => {
    const home = join(dir, "killed");
    await using first = new StandIn(home);
    const { url, pid } = await first.ready();
    expect(pid).toBe(first.process.pid);
    using _variables = withVariables(awsVariables(url));
    const s3 = new S3Client({ maxAttempts: 1 });
    await s3.send(new CreateBucketCommand({ Bucket: "durable" }));
    const acknowledged: string[] = [];
    let running = true;
    const writer = async (worker: number) => {
      for (let index = 0; running; index += 1) {
        const Key = `${worker}/${index}`;
        const put = s3.send(new PutObjectCommand({ Bucket: "durable", Key, Body: Key }));
        if (
          !(await put.then(
            () => true,
            () => false,
          ))
        )
          return;
        acknowledged.push(Key);
      }
    };
    const writers = [writer(1), writer(2), writer(3)];
    while (acknowledged.length < 60) await Bun.sleep(5);
    await first.kill();
    running = false;
    await Promise.all(writers);

    await using second = new StandIn(home);
    expect((await second.ready()).url).toBe(url);
    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: "durable" }));
    const keys = new Set(Contents?.map(({ Key }) => Key));
    expect(acknowledged.filter((key) => !keys.has(key))).toEqual([]);
    for (const Key of acknowledged) {
      const got = await s3.send(new GetObjectCommand({ Bucket: "durable", Key }));
      expect(await got.Body?.transformToString()).toBe(Key);
    }
  }, 30_000);

  test("SIGTERM ends it at once, with code 0", async () => {
    await using standIn = new StandIn(join(dir, "terminated"));
    await standIn.ready();
    const started = performance.now();
    standIn.process.kill("SIGTERM");
    expect(await standIn.process.exited).toBe(0);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  test("--exit-with-parent: it ends when stdin closes", async () => {
    await using standIn = new StandIn(join(dir, "orphan"), ["--exit-with-parent"]);
    await standIn.ready();
    standIn.process.stdin.end();
    expect(await standIn.process.exited).toBe(0);
  });

  test("a port that is taken is one clear message and a failure", async () => {
    const taken = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("") });
    const main = join(import.meta.dirname, "main.ts");
    const process_ = Bun.spawn(
      [process.execPath, main, "--dir", join(dir, "taken"), "--port", String(taken.port)],
      { stderr: "pipe" },
    );
    expect(await process_.exited).toBe(1);
    expect(await new Response(process_.stderr).text()).toContain(String(taken.port));
    await taken.stop(true);
  });
});
