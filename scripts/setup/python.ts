import { join } from "node:path";
import { needed } from "./needed.ts";
import { has, say } from "./run.ts";

const root = join(import.meta.dirname, "../..");
const venv = join(root, ".tools/python");

/** Judges of the stand-ins that come from PyPI: moto for AWS, pymongo for the database. */
const pythonPackages = ["moto[server]==5.2.5", "pymongo==4.20.0"] as const;

/** A virtual environment with the judges; made once, completed when an earlier run was interrupted. */
export async function ensurePython(): Promise<string> {
  const python = join(venv, "bin/python");
  if (await has(python, ["-c", "import moto.server, pymongo"])) return venv;
  say(`  installing ${pythonPackages.join(", ")} into .tools/python (once)`);
  await needed("python3", ["-m", "venv", venv]);
  await needed(join(venv, "bin/pip"), [
    "install",
    "--quiet",
    "--disable-pip-version-check",
    ...pythonPackages,
  ]);
  return venv;
}
