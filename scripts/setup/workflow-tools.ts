import { existsSync } from "node:fs";
import { join } from "node:path";
import { needed } from "./needed.ts";
import { say } from "./run.ts";

const tools = join(import.meta.dirname, "../../.tools");
const zizmorFolder = join(tools, "zizmor");

/** What Go builds from a module at its version. */
const goTools = {
  actionlint: "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12",
  act: "github.com/nektos/act@v0.2.89",
} as const;
const zizmorPackage = "zizmor==1.32.0";

const places = {
  actionlint: join(tools, "bin/actionlint"),
  act: join(tools, "bin/act"),
  zizmor: join(zizmorFolder, "bin/zizmor"),
} as const;

/** Where a tool for workflows is: as set up here, else on PATH; undefined where there is none. */
export function workflowTool(name: keyof typeof places): string | undefined {
  return existsSync(places[name]) ? places[name] : (Bun.which(name) ?? undefined);
}

/** actionlint and act by Go, zizmor from PyPI in a virtual environment of its own; each got once. Says what there is. */
export async function ensureWorkflowTools(): Promise<string> {
  for (const [name, module] of Object.entries(goTools) as ["actionlint" | "act", string][]) {
    if (workflowTool(name)) continue;
    say(`  building ${module} into .tools/bin (once)`);
    await needed("go", ["install", module], { env: { GOBIN: join(tools, "bin") } });
  }
  if (!workflowTool("zizmor")) {
    say(`  installing ${zizmorPackage} into .tools/zizmor (once)`);
    await needed("python3", ["-m", "venv", zizmorFolder]);
    const pip = join(zizmorFolder, "bin/pip");
    await needed(pip, ["install", "--quiet", "--disable-pip-version-check", zizmorPackage]);
  }
  return Object.keys(places).join(", ");
}
