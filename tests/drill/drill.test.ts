import { describe, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { terraformProgram, whyNoTerraform } from "../support/terraform.ts";
import { waitFor } from "../support/wait-for.ts";

const root = join(import.meta.dirname, "../..");

interface Drill {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }>;
  saw(text: string): Promise<void>;
}

/** PATH without any folder that has a terraform. */
const pathWithoutTerraform = (process.env.PATH ?? "")
  .split(delimiter)
  .filter((folder) => !existsSync(join(folder, "terraform")))
  .join(delimiter);

function startDrill(...args: string[]): Drill {
  return startDrillIn({}, ...args);
}

function startDrillIn(variables: Readonly<Record<string, string>>, ...args: string[]): Drill {
  const folder = mkdtempSync(join(tmpdir(), "drill-test-"));
  const command = [
    join(root, "scripts/drill.ts"),
    "--report",
    join(folder, "report.html"),
    "--docs",
    "300",
    ...args,
  ];
  const child = spawn(process.execPath, command, {
    cwd: root,
    env: { ...process.env, ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  const watchers: (() => void)[] = [];
  child.stdout.on("data", (chunk) => (stdout += chunk));
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
    for (const watch of watchers) watch();
  });
  const ended = new Promise<Awaited<Drill["ended"]>>((resolve) => {
    child.on("close", (code, signal) => {
      rmSync(folder, { recursive: true, force: true });
      resolve({ code, signal, stdout, stderr });
    });
  });
  const saw = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => stderr.includes(text) && resolve();
      watchers.push(look);
      look();
      void ended.then(() => reject(new Error(`the drill ended before "${text}":\n${stderr.slice(-3000)}`)));
    });
  return { child, ended, saw };
}

/** Processes that name the sandbox folder of this drill, or work in it as Terraform's providers do. */
function processesOf(pid: number): string[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map((entry) => {
      try {
        const words = readFileSync(`/proc/${entry}/cmdline`, "utf8").replaceAll("\0", " ");
        return `${words} in ${readlinkSync(`/proc/${entry}/cwd`)}`;
      } catch {
        return "";
      }
    })
    .filter((line) => line.includes(`roundtrip-sandbox-${pid}-`));
}

function foldersOf(pid: number | undefined): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith(`roundtrip-sandbox-${pid}-`));
}

async function untilGone(pid: number): Promise<string[]> {
  const until = Date.now() + 15_000;
  let left = processesOf(pid);
  while (left.length > 0 && Date.now() < until) {
    await Bun.sleep(100);
    left = processesOf(pid);
  }
  return left;
}

test("a small drill is PROVEN, says so as one JSON document, and leaves no process behind", async () => {
  const drill = startDrill("--changes", "1500", "--seed", "11", "--json");
  const { code, stdout, stderr } = await drill.ended;
  if (code !== 0) throw new Error(`exit code ${code}\n${stderr.slice(-4000)}`);
  const result = JSON.parse(stdout) as Record<string, unknown>;
  expect(result).toMatchObject({ verdict: "PROVEN", seed: 11, reasons: [] });
  const { by, words, objects } = result.world as { by: string; words: string; objects?: number };
  expect(stderr).toContain(`world: ${words}`);
  // The stack of dev is some hundred objects; a world without Terraform says why.
  if (terraformProgram) {
    expect(words).toMatch(/^built by Terraform \(\d+ objects, [\d.]+ s\)$/);
    expect(objects).toBeGreaterThan(50);
    expect(result.slack).toEqual([
      "dev: failback opened (normal → capturing)",
      "dev: nobody may write from now on (capturing → draining)",
      "dev: replaying the log (draining → restoring)",
      "dev: PROVEN (restoring → verified)",
      "dev: MongoDB is open again (verified → cleaned)",
      "dev: failback over (cleaned → normal)",
    ]);
  } else expect([by, words]).toEqual(["drill", "built by the drill, no terraform on PATH"]);
  expect(result.captured).toBe(result.changes);
  expect(result.applied).toBe(result.changes);
  expect(Number(result.changes)).toBeGreaterThanOrEqual(1500);
  expect((result.steps as { name: string }[]).map(({ name }) => name)).toContain("failback-restore");
  expect(await untilGone(drill.child.pid ?? 0)).toEqual([]);
}, 300_000);

test("without terraform the drill builds its world itself and says so; Ctrl-C in its middle leaves no process behind", async () => {
  const drill = startDrillIn({ PATH: pathWithoutTerraform }, "--changes", "1500", "--seed", "12");
  await drill.saw("world: built by the drill, no terraform on PATH");
  await drill.saw("✓ failback drill-");
  drill.child.kill("SIGINT");
  const { code } = await drill.ended;
  expect(code).toBe(20);
  expect(await untilGone(drill.child.pid ?? 0)).toEqual([]);
}, 120_000);

test("kill -9 in the middle leaves no process behind, and the next run takes the folder away", async () => {
  const drill = startDrill("--changes", "1500", "--seed", "13");
  await drill.saw("start capturing");
  drill.child.kill("SIGKILL");
  await drill.ended;
  expect(await untilGone(drill.child.pid ?? 0)).toEqual([]);
  const next = startDrill("--changes", "1500", "--seed", "14");
  await next.saw("▸ seed MongoDB");
  next.child.kill("SIGINT");
  await next.ended;
  expect(foldersOf(drill.child.pid)).toEqual([]);
}, 120_000);

describe.skipIf(!terraformProgram)(`interrupted while Terraform applies the stack${whyNoTerraform}`, () => {
  for (const [signal, expected] of [
    ["SIGINT", 20],
    ["SIGKILL", null],
  ] as const)
    test(`${signal} leaves neither process nor, in the end, folder behind`, async () => {
      const drill = startDrill("--changes", "1500", "--seed", "15");
      await drill.saw("terraform apply");
      await waitFor("the provider's process", () =>
        processesOf(drill.child.pid ?? 0).some((words) => words.includes("terraform-provider/main.ts aws")),
      );
      drill.child.kill(signal);
      expect((await drill.ended).code).toBe(expected);
      expect(await untilGone(drill.child.pid ?? 0)).toEqual([]);
      if (signal === "SIGINT") expect(foldersOf(drill.child.pid)).toEqual([]);
    }, 60_000);
});

test("wrong options are refused with their name", async () => {
  const { code, stderr } = await startDrill("--changes", "many").ended;
  expect(code).toBe(2);
  expect(stderr).toContain("--changes: expected a whole number");
});
