/** Builds dist/roundtrip-worker: `bun services/build.ts [--outfile <path>]`. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

const root = join(import.meta.dir, "..");
const { values } = parseArgs({
  options: { outfile: { type: "string", default: join(root, "dist/roundtrip-worker") } },
});
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };

const built = spawnSync(
  process.execPath,
  [
    "build",
    "--compile",
    "--bytecode",
    "--format=esm",
    "--minify",
    "--sourcemap",
    // A file in the working directory must not change what the worker does.
    "--no-compile-autoload-dotenv",
    "--no-compile-autoload-bunfig",
    "--define",
    `ROUNDTRIP_VERSION=${JSON.stringify(version)}`,
    "--define",
    `ROUNDTRIP_COMMIT=${JSON.stringify(commit())}`,
    `--outfile=${values.outfile}`,
    join(root, "services/main.ts"),
  ],
  { stdio: ["ignore", "inherit", "inherit"] },
);
process.exitCode = built.status ?? 1;

function commit(): string {
  const found = spawnSync("git", ["-C", root, "rev-parse", "--short=12", "HEAD"], { encoding: "utf8" });
  return found.status === 0 ? found.stdout.trim() : "uncommitted";
}
