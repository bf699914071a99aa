import { expect, test } from "bun:test";
import { join } from "node:path";
import { workflowTool } from "../../scripts/setup/workflow-tools.ts";

const root = join(import.meta.dirname, "../..");

test.each([
  ["actionlint", ["-color=false"]],
  ["zizmor", ["--offline", "--no-progress", "--color=never", ".github"]],
] as const)(
  "%s has nothing to say",
  (name, args) => {
    const program = workflowTool(name);
    if (program === undefined) throw new Error(`no ${name}: bun scripts/setup.ts --all gets it`);
    const { exitCode, stdout } = Bun.spawnSync([program, ...args], {
      cwd: root,
      stdout: "pipe",
      stderr: "pipe",
    });
    expect(stdout.toString().replace("No findings to report. Good job!", "").trim()).toBe("");
    expect(exitCode).toBe(0);
  },
  120_000,
);
