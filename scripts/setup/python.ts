import { join } from "node:path";
import { RoundtripError } from "../../core/errors.ts";
import { has, run, say } from "./run.ts";

const root = join(import.meta.dirname, "../..");
const venv = join(root, ".tools/python");

/** Judges of the stand-ins that come from PyPI: moto for AWS, pymongo for the database. */
const pythonPackages = ["moto[server]==5.2.5", "pymongo==4.20.0"] as const;

/** A virtual environment with the judges; made once, completed when an earlier run was interrupted. */
export async function ensurePython(): Promise<string> {
  const python = join(venv, "bin/python");
  if (await has(python, ["-c", "import moto.server, pymongo"])) return venv;
  say(`  installing ${pythonPackages.join(", ")} into .tools/python (once)`);
  const steps = [
    ["python3", ["-m", "venv", venv]],
    [join(venv, "bin/pip"), ["install", "--quiet", "--disable-pip-version-check", ...pythonPackages]],
  ] as const;
  for (const [command, args] of steps) {
    const ran = await run(command, args, { timeoutMs: 900_000 });
    if (ran.code === 0) continue;
    throw new RoundtripError({
      kind: "unavailable",
      what: `run ${command} ${args.join(" ")}`,
      expected: "exit code 0",
      got: `exit code ${ran.code}: ${ran.stderr.trim().slice(-500)}`,
      wayOut: "install python3 with venv, or mend the package index, and run the command again",
    });
  }
  return venv;
}
