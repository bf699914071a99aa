/** Builds dist/roundtrip-worker, when anything that goes into it has changed: `bun services/build.ts [--outfile <path>]`. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";

const root = join(import.meta.dir, "..");
const { values } = parseArgs({
  options: { outfile: { type: "string", default: join(root, "dist/roundtrip-worker") } },
});
const outfile = resolve(values.outfile);
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
const commit = headCommit();

const inputs = digestOfInputs();
const inputsFile = `${outfile}.inputs`;
if (!existsSync(outfile) || !existsSync(inputsFile) || readFileSync(inputsFile, "utf8") !== inputs) build();

/**
 * Compiles beside the place and moves it there whole: several test runs may build at once, and a worker that runs keeps
 * the file it was started from.
 */
function build(): void {
  const folder = join(dirname(outfile), `.build-${process.pid}`);
  const name = basename(outfile);
  mkdirSync(folder, { recursive: true });
  try {
    const compiled = compile(join(folder, name));
    if (compiled !== 0) {
      process.exitCode = compiled;
      return;
    }
    renameSync(join(folder, `${name}.map`), `${outfile}.map`);
    renameSync(join(folder, name), outfile);
    writeFileSync(join(folder, "inputs"), inputs);
    renameSync(join(folder, "inputs"), inputsFile);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function compile(target: string): number {
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
      `ROUNDTRIP_COMMIT=${JSON.stringify(commit)}`,
      `--outfile=${target}`,
      join(root, "services/main.ts"),
    ],
    // The compiler talks on stdout, which belongs to whatever is run next: `make drill ARGS=--json`.
    { stdio: ["ignore", 2, "inherit"] },
  );
  return built.status ?? 1;
}

/** One digest over everything the binary is made of: sources, the packages' lock, the compiler, the commit it names. */
function digestOfInputs(): string {
  const hash = createHash("sha256").update(`${Bun.version} ${version} ${commit}\0`);
  const sources = new Bun.Glob("{core,adapters,services,schemas}/**/*.{ts,json}").scanSync({ cwd: root });
  for (const path of [...sources, "package-lock.json"].sort()) {
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update("\0");
  }
  return hash.digest("hex");
}

function headCommit(): string {
  const found = spawnSync("git", ["-C", root, "rev-parse", "--short=12", "HEAD"], { encoding: "utf8" });
  return found.status === 0 ? found.stdout.trim() : "uncommitted";
}
