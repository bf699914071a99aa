import { existsSync } from "node:fs";
import { join } from "node:path";
import { RoundtripError } from "../../core/errors.ts";
import { run, say } from "./run.ts";

const tools = join(import.meta.dirname, "../../.tools");
const zizmorFolder = join(tools, "zizmor");
const places = {
  actionlint: join(tools, "bin/actionlint"),
  zizmor: join(zizmorFolder, "bin/zizmor"),
} as const;

/** Where a linter of workflows is: as set up here, else on PATH; undefined where there is none. */
export function workflowLinter(name: keyof typeof places): string | undefined {
  return existsSync(places[name]) ? places[name] : (Bun.which(name) ?? undefined);
}

/** actionlint by Go, zizmor from PyPI in a virtual environment of its own; each got once. Says what there is. */
export async function ensureWorkflowLinters(): Promise<string> {
  if (!workflowLinter("actionlint")) {
    say("  building actionlint 1.7.12 into .tools/bin (once)");
    const module = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12";
    await needed("go", ["install", module], { GOBIN: join(tools, "bin") });
  }
  if (!workflowLinter("zizmor")) {
    say("  installing zizmor 1.32.0 into .tools/zizmor (once)");
    await needed("python3", ["-m", "venv", zizmorFolder]);
    const pip = join(zizmorFolder, "bin/pip");
    await needed(pip, ["install", "--quiet", "--disable-pip-version-check", "zizmor==1.32.0"]);
  }
  return "actionlint, zizmor";
}

async function needed(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const ran = await run(command, args, { timeoutMs: 900_000, env });
  if (ran.code === 0) return;
  throw new RoundtripError({
    kind: "unavailable",
    what: `run ${command} ${args.join(" ")}`,
    expected: "exit code 0",
    got: `exit code ${ran.code}: ${ran.stderr.trim().slice(-500)}`,
    wayOut: "install Go and python3 with venv, or mend the package index, and run the command again",
  });
}
