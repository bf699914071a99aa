/** What becomes of a program when the process that runs it is killed or interrupts it. */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../../tests/support/temporary-folder.ts";
import { waitFor } from "../../tests/support/wait-for.ts";
import { lifeline } from "./lifeline.ts";
import { run } from "./run.ts";

/** Says that it started, talks on, ends 300 ms after an interrupt, and counts the interrupts. */
const patient = `
  const { appendFileSync, writeFileSync } = require("node:fs");
  process.on("SIGINT", () => {
    appendFileSync("interrupts", "SIGINT ");
    setTimeout(() => { writeFileSync("saved", "all"); process.exit(0); }, 300);
  });
  setInterval(() => console.log("still at work"), 20);
  writeFileSync("started", String(process.pid));
`;

const stubborn = `
  process.on("SIGINT", () => {});
  setInterval(() => {}, 1000);
  require("node:fs").writeFileSync("started", String(process.pid));
`;

function folderWith(program: string): string {
  const folder = temporaryFolder("lifeline");
  writeFileSync(join(folder, "program.cjs"), program);
  mkdirSync(join(folder, "output"));
  return folder;
}

const options = (directory: string, interruptGraceSeconds: number) => ({
  program: process.execPath,
  parameters: ["program.cjs"],
  directory,
  environment: process.env,
  outputFolder: join(directory, "output"),
  interruptGraceSeconds,
});

const started = (folder: string) =>
  waitFor("the program to start", () => existsSync(join(folder, "started")));

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test.skipIf(!lifeline())(
  "a program whose parent is killed is interrupted once, and ends in its own way",
  async () => {
    const folder = folderWith(patient);
    const parent = Bun.spawn(
      [
        process.execPath,
        "-e",
        `const { run } = await import(${JSON.stringify(join(import.meta.dirname, "run.ts"))});
       await run({ ...${JSON.stringify(options(folder, 60))}, onLine: () => {} });`,
      ],
      { stdout: "ignore", stderr: "inherit" },
    );
    await started(folder);
    const pid = Number(readFileSync(join(folder, "started"), "utf8"));
    parent.kill("SIGKILL");
    await parent.exited;
    await waitFor("what the program saves", () => existsSync(join(folder, "saved")));
    await waitFor("its end", () => !isAlive(pid));
    expect(readFileSync(join(folder, "interrupts"), "utf8")).toBe("SIGINT ");
  },
);

test("an aborted signal interrupts once; each line is handed on, the files go", async () => {
  const folder = folderWith(patient);
  const stop = new AbortController();
  const lines: string[] = [];
  const ending = run({ ...options(folder, 60), onLine: (line) => lines.push(line), signal: stop.signal });
  await started(folder);
  await waitFor("lines while it runs", () => lines.length > 2);
  stop.abort();
  expect(await ending).toEqual({ exitCode: 0, interrupted: true, stderr: [] });
  expect(readFileSync(join(folder, "interrupts"), "utf8")).toBe("SIGINT ");
  expect(new Set(lines)).toEqual(new Set(["still at work"]));
  expect(existsSync(join(folder, "output/stdout"))).toBe(false);
});

test("a program that ignores interrupts is killed after two graces", async () => {
  const folder = folderWith(stubborn);
  const stop = new AbortController();
  const ending = run({ ...options(folder, 0.2), onLine: () => {}, signal: stop.signal });
  await started(folder);
  stop.abort();
  expect(await ending).toMatchObject({ exitCode: null, interrupted: true });
  expect(isAlive(Number(readFileSync(join(folder, "started"), "utf8")))).toBe(false);
});

test("words without a line's end, longer than a chunk, split within a character, come whole", async () => {
  const folder = folderWith(`process.stdout.write("é".repeat(100_000) + "\\nlast"); console.error("oops");`);
  const lines: string[] = [];
  const ended = await run({ ...options(folder, 1), onLine: (line) => lines.push(line) });
  expect(lines).toEqual(["é".repeat(100_000), "last"]);
  expect(ended).toEqual({ exitCode: 0, interrupted: false, stderr: ["oops"] });
});
