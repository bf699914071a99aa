import { expect, setDefaultTimeout, test } from "bun:test";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MongoClient } from "mongodb";
import { startDatabase } from "./testing/start.ts";

setDefaultTimeout(30_000);

async function startProcess(...args: string[]) {
  const child = spawn(process.execPath, [join(import.meta.dirname, "main.ts"), ...args], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    output.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    output.stderr += chunk;
  });
  const exit = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const ready = new Promise<{ ready: boolean; uri: string; pid: number }>((resolve) => {
    child.stdout.on("data", () => {
      if (output.stdout.includes("\n")) resolve(JSON.parse(output.stdout.split("\n")[0]!));
    });
  });
  return { child, output, exit, ready };
}

test("it says where it listens, and ends with its parent even when the database is gone before it", async () => {
  const directory = mkdtempSync(join(tmpdir(), "documentdb-process-"));
  const database = await startDatabase();
  try {
    const proxy = await startProcess("--upstream", database.uri, "--dir", directory, "--exit-with-parent");
    const { uri, pid } = await proxy.ready;
    expect(pid).toBe(proxy.child.pid!);
    expect(uri).toMatch(/^mongodb:\/\/root:.*@127\.0\.0\.1:\d+\/\?replicaSet=rs0&retryWrites=false/);
    const client = await MongoClient.connect(uri);
    await client.db("t").collection("x").insertOne({ a: 1 });
    await database[Symbol.asyncDispose]();
    proxy.child.stdin.end();
    expect(await Promise.race([proxy.exit, Bun.sleep(6_000)])).toBe(0);
    await client.close(true);
  } finally {
    await database[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  }
});

test("wrong use ends with 64, a database that can't be reached with 1, each with one message", async () => {
  const wrong = await startProcess("--dir", tmpdir());
  expect(await wrong.exit).toBe(64);
  expect(wrong.output.stderr).toMatch(/--upstream.* and --dir are needed/);
  const setting = await startProcess(
    "--upstream",
    "mongodb://127.0.0.1:1",
    "--dir",
    "d",
    "--retention-seconds",
    "soon",
  );
  expect(await setting.exit).toBe(64);
  const directory = mkdtempSync(join(tmpdir(), "documentdb-process-"));
  const unreachable = await startProcess("--upstream", "mongodb://127.0.0.1:1/", "--dir", directory);
  expect(await unreachable.exit).toBe(1);
  expect(unreachable.output.stderr).toContain("could not start in front of the database");
  rmSync(directory, { recursive: true, force: true });
});
