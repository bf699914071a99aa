/** The runtime as systemd and people see it: a process, its output, its exit code. */
import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testEnvironment } from "../../tests/support/capture-context.ts";
import { waitFor } from "../../tests/support/wait-for.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

interface Program {
  readonly body: string;
  readonly words?: readonly string[];
  readonly environment?: Record<string, string>;
}

function start({ body, words = [], environment = {} }: Program) {
  const folder = mkdtempSync(join(tmpdir(), "roundtrip-service-"));
  folders.push(folder);
  const config = join(folder, "environment.json");
  writeFileSync(config, JSON.stringify(testEnvironment));
  const program = join(folder, "program.ts");
  const service = join(import.meta.dir, "service.ts");
  const errors = join(import.meta.dir, "../../core/errors.ts");
  writeFileSync(
    program,
    `import { runService } from ${JSON.stringify(service)};
     import { RoundtripError } from ${JSON.stringify(errors)};
     await runService({
       name: "probe", summary: "A verb for tests.",
       options: { force: { type: "boolean", description: "go on" }, reason: { type: "string", description: "why" } },
       examples: ["roundtrip-worker probe --force"],
     }, async (context) => { ${body} });`,
  );
  const child = Bun.spawn([process.execPath, program, ...words], {
    env: { PATH: process.env.PATH ?? "", ROUNDTRIP_CONFIG: config, STATE_DIRECTORY: folder, ...environment },
    stdout: "pipe",
    stderr: "pipe",
  });
  const ended = (async () => {
    const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    return { code: await child.exited, stdout, stderr };
  })();
  const status = () => JSON.parse(readFileSync(join(folder, "status/probe.json"), "utf8"));
  return { child, ended, status };
}

describe("a verb of the worker", () => {
  test("--help says what it does, its options, examples and exit codes", async () => {
    const { code, stdout } = await start({ body: "throw 1", words: ["--help"] }).ended;
    expect(code).toBe(0);
    for (const text of [
      "A verb for tests.",
      "--force",
      "--reason <text>",
      "roundtrip-worker probe --force",
      "10 ",
      "the change stream",
    ]) {
      expect(stdout).toContain(text);
    }
  });

  test("a body that returns ends with 0 and status finished; its options reach it", async () => {
    const { ended, status } = start({
      body: `context.logger.info({ forced: context.arguments.flag("force"), reason: context.arguments.text("reason") }, "body");`,
      words: ["probe", "--force", "--reason", "a drill"],
    });
    const { code, stdout } = await ended;
    expect(code).toBe(0);
    const line = stdout.split("\n").find((text) => text.includes('"msg":"body"'))!;
    expect(JSON.parse(line)).toMatchObject({ service: "probe", forced: true, reason: "a drill" });
    expect(status()).toMatchObject({ state: "finished", exitCode: 0, service: "probe" });
  });

  test("a typed failure ends with its own code, one message, and the status says the same", async () => {
    const { ended, status } = start({
      body: `throw new RoundtripError({ kind: "fenced", what: "commit manifest 7", expected: "to be alone", got: "run x", wayOut: "stop one" });`,
    });
    const { code, stderr } = await ended;
    expect(code).toBe(12);
    expect(stderr.trim().split("\n")).toEqual([
      "roundtrip-worker probe: commit manifest 7: expected to be alone, got run x. Way out: stop one",
    ]);
    expect(status()).toMatchObject({ state: "failed", exitCode: 12, error: { what: "commit manifest 7" } });
  });

  test("a stray rejection, a thrown string and a full disk end the run as what they are", async () => {
    const bodies: [string, number][] = [
      [`Promise.reject(new Error("nobody awaited it")); await Bun.sleep(5000);`, 1],
      [`throw "text";`, 1],
      [`throw Object.assign(new Error("no space left"), { code: "ENOSPC" });`, 7],
    ];
    for (const [body, expected] of bodies) {
      const { code, stderr } = await start({ body }).ended;
      expect([body, code]).toEqual([body, expected]);
      expect(stderr).toContain("Way out:");
    }
  });

  test("SIGTERM: a body that finishes ends with 0, one that gives up with 20", async () => {
    const wait =
      "await new Promise((resolve) => context.signal.addEventListener('abort', resolve, { once: true }));";
    const bodies: [string, number][] = [
      [wait, 0],
      [`${wait} throw context.signal.reason;`, 20],
      ["await context.clock.sleep(60_000, context.signal);", 20],
    ];
    for (const [body, expected] of bodies) {
      const { child, ended, status } = start({
        body: `context.status.update({ state: "running" }); ${body}`,
      });
      await waitFor("the body has begun", () => isRunning(status));
      child.kill("SIGTERM");
      const { code } = await ended;
      expect([body, code]).toEqual([body, expected]);
      expect(status().state).toBe("stopped");
    }
  });

  test("a wrong command line and a missing configuration name what is wrong", async () => {
    const unknown = await start({ body: "", words: ["--forse"] }).ended;
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain("--forse");
    const missing = await start({ body: "", environment: { ROUNDTRIP_CONFIG: "/nowhere/environment.json" } })
      .ended;
    expect(missing.code).toBe(6);
    expect(missing.stderr).toContain("/nowhere/environment.json");
  });

  test("fields that could hold a secret are hidden in the log", async () => {
    const { stdout } = await start({
      body: `context.logger.info({ password: "hunter2", nested: { uri: "mongodb://u:hunter2@h" } }, "fields");`,
    }).ended;
    expect(stdout).toContain("[hidden]");
    expect(stdout).not.toContain("hunter2");
  });
});

function isRunning(status: () => { state: string }): boolean {
  try {
    return status().state === "running";
  } catch {
    // Not written yet.
    return false;
  }
}
