/**
 * Compiles a program into one file that runs by itself, when anything that goes into it has changed:
 * `bun services/build.ts [--entry FILE] [--outfile PATH] [--target NAME --runtime PATH]`; dist/roundtrip-worker by default.
 * The same sources in the same folder, under the same name, give the same bytes: the name is part of them, and a package
 * (pino) brings in the folder.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";

const root = join(import.meta.dir, "..");
const { values } = parseArgs({
  options: {
    entry: { type: "string", default: "services/main.ts" },
    outfile: { type: "string", default: join(root, "dist/roundtrip-worker") },
    // For another machine than this one: Bun's name of it, and Bun's executable for it.
    target: { type: "string" },
    runtime: { type: "string" },
  },
});
const { entry, target, runtime } = values;
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

function compile(file: string): number {
  const built = spawnSync(
    process.execPath,
    [
      "build",
      "--compile",
      "--bytecode",
      "--format=esm",
      "--minify",
      "--sourcemap",
      ...(target && runtime ? [`--target=${target}`, `--compile-executable-path=${runtime}`] : []),
      // A file in the working directory must not change what the program does.
      "--no-compile-autoload-dotenv",
      "--no-compile-autoload-bunfig",
      "--define",
      `ROUNDTRIP_VERSION=${JSON.stringify(version)}`,
      "--define",
      `ROUNDTRIP_COMMIT=${JSON.stringify(commit)}`,
      `--outfile=${file}`,
      join(root, entry),
    ],
    // The compiler talks on stdout, which belongs to whatever is run next: `make drill ARGS=--json`.
    { stdio: ["ignore", 2, "inherit"] },
  );
  return built.status ?? 1;
}

/** One digest over everything the binary is made of: sources, the packages' lock, the compiler, the commit it names. */
function digestOfInputs(): string {
  const hash = createHash("sha256").update(`${Bun.version} ${version} ${commit} ${entry} ${target ?? ""}\0`);
  const folders = [
    "core",
    "adapters",
    "services",
    "schemas",
    ...(entry.startsWith("scripts/") ? ["runbooks", "scripts"] : []),
  ];
  const sources = new Bun.Glob(`{${folders.join(",")}}/**/*.{ts,json}`).scanSync({ cwd: root });
  for (const path of [...sources, entry, "package-lock.json"].sort()) {
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
