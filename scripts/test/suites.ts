import { existsSync } from "node:fs";
import { join } from "node:path";
import { has } from "../setup/run.ts";

export interface Suite {
  readonly name: string;
  readonly command: readonly string[];
  /** `bun`: counts come from `bun test`'s closing lines; `one`: the whole command is one check. */
  readonly counts: "bun" | "one";
  /** Why it can't run here; undefined when it can. */
  missing?(): Promise<string | undefined>;
}

const root = join(import.meta.dirname, "../..");
const timeoutMs = "120000";

async function systemdMissing(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "needs root";
  const tools = ["/usr/bin/systemd-nspawn", "/usr/sbin/debootstrap"].filter((path) => !existsSync(path));
  return tools.length > 0 ? `no ${tools.join(", ")}` : undefined;
}

async function pythonMissing(): Promise<string | undefined> {
  const python = join(root, ".tools/python/bin/python");
  return (await has(python, ["-c", "import pymongo"]))
    ? undefined
    : "no pymongo in .tools/python (bun scripts/setup.ts --all)";
}

/** Every suite there is, quick ones first. */
export const suites: readonly Suite[] = [
  { name: "types", command: ["tsc", "--noEmit"], counts: "one" },
  {
    name: "lint and import direction",
    command: ["biome", "ci", "--diagnostic-level=error", "."],
    counts: "one",
  },
  { name: "unused code", command: ["knip"], counts: "one" },
  {
    name: "product",
    command: ["bun", "test", `--timeout=${timeoutMs}`, "core", "adapters", "services", "runbooks", "scripts"],
    counts: "bun",
  },
  { name: "stand-ins", command: ["bun", "test", `--timeout=${timeoutMs}`, "sandbox"], counts: "bun" },
  {
    name: "failback scenarios",
    command: ["bun", "test", `--timeout=${timeoutMs}`, "tests/failback"],
    counts: "bun",
  },
  {
    name: "pymongo on the database stand-in",
    command: ["bun", "test", `--timeout=${timeoutMs}`, "tests/pymongo"],
    counts: "bun",
    missing: pythonMissing,
  },
  { name: "drill", command: ["bun", "test", "--timeout=300000", "tests/drill"], counts: "bun" },
  {
    name: "units under real systemd",
    command: ["make", "--no-print-directory", "test-systemd"],
    counts: "one",
    missing: systemdMissing,
  },
];
