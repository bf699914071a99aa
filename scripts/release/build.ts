import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { RoundtripError } from "../../core/errors.ts";
import { sha256Of } from "../../core/sha256.ts";
import { billOfMaterials } from "./bill-of-materials.ts";
import {
  type Architecture,
  architectures,
  bomName,
  functions,
  programs,
  type Release,
  type ReleasedFile,
  releaseName,
  sumsName,
} from "./model.ts";
import { runtimeFor } from "./runtime.ts";

const root = join(import.meta.dirname, "../..");

/**
 * Builds everything of a release into `folder`, which is replaced whole: the programs for each architecture, the function's
 * archive, the bill of materials, the checksums as `sha256sum --check` reads them, and `release.json`. Fails where the
 * tag isn't package.json's version, and where a program that can be run here doesn't say that version.
 */
export async function buildRelease(
  folder: string,
  { tag, ca }: { tag?: string; ca?: string },
): Promise<Release> {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  if (tag !== undefined && tag !== `v${version}`)
    throw failed(
      "name the release",
      `tag v${version}, by package.json`,
      tag,
      "tag the commit whose package.json has that version",
    );
  mkdirSync(dirname(folder), { recursive: true });
  const work = mkdtempSync(`${folder}.partial-`);
  try {
    for (const architecture of architectures)
      for (const { name, entry } of programs) {
        const outfile = join(work, `${name}-linux-${architecture.name}`);
        await compile(entry, outfile, architecture);
        assertRuns(outfile, architecture, version);
      }
    for (const name of functions)
      buildFunction(
        name,
        join(work, `${name}.zip`),
        ca !== undefined && name === "create-user-db" ? ["--ca", ca] : [],
      );
    writeFileSync(join(work, bomName), await billOfMaterials());
    const names = [
      ...programs.flatMap(({ name }) => architectures.map((each) => `${name}-linux-${each.name}`)),
      ...functions.map((name) => `${name}.zip`),
      bomName,
    ];
    const files = names.sort().map((name) => fileOf(work, name, version));
    writeFileSync(join(work, sumsName), sumsOf(files));
    const release: Release = {
      version: 1,
      release: version,
      commit: commitOf(),
      compiler: `bun ${Bun.version}`,
      files,
    };
    writeFileSync(join(work, releaseName), `${JSON.stringify(release, undefined, 2)}\n`);
    rmSync(folder, { recursive: true, force: true });
    renameSync(work, folder);
    return release;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** `sha256sum --check` reads two spaces between checksum and name. */
export function sumsOf(files: readonly Pick<ReleasedFile, "name" | "sha256">[]): string {
  return files.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join("");
}

/** Leaves the program alone, without what a second build of the same would compare. */
async function compile(entry: string, outfile: string, architecture: Architecture): Promise<void> {
  const runtime = await runtimeFor(architecture);
  const options = [
    "--entry",
    entry,
    "--outfile",
    outfile,
    "--target",
    architecture.target,
    "--runtime",
    runtime,
  ];
  const built = spawnSync(process.execPath, [join(root, "services/build.ts"), ...options], {
    stdio: ["ignore", 2, "inherit"],
  });
  if (built.status !== 0)
    throw failed(
      `compile ${entry} for ${architecture.name}`,
      "exit code 0",
      String(built.status),
      "read what Bun says above",
    );
  for (const rest of [".inputs", ".map"]) rmSync(`${outfile}${rest}`, { force: true });
}

function commitOf(): string {
  return (
    spawnSync("git", ["-C", root, "rev-parse", "HEAD"], { encoding: "utf8" }).stdout.trim() || "uncommitted"
  );
}

/** What can be run here says its version; what can't is at least made for its machine. */
function assertRuns(path: string, { name, machine }: Architecture, version: string): void {
  const header = readFileSync(path).subarray(0, 20);
  const got = header.readUInt16LE(18);
  if (header.toString("latin1", 0, 4) !== "\u007fELF" || got !== machine)
    throw failed(
      `build for ${name}`,
      `an ELF program for machine ${machine}`,
      String(got),
      "look at the runtime it was built with",
    );
  if (process.platform !== "linux" || process.arch !== name) return;
  const ran = spawnSync(path, ["--version"], { encoding: "utf8", timeout: 30_000 });
  if (ran.status !== 0 || !ran.stdout.includes(` ${version} (`))
    throw failed(
      `run ${path} --version`,
      `version ${version}`,
      `${ran.stdout}${ran.stderr}`.trim(),
      "read what it says",
    );
}

function buildFunction(name: string, outfile: string, options: readonly string[]): void {
  const program = join(root, `scripts/build-${name}.ts`);
  const built = spawnSync(process.execPath, [program, "--outfile", outfile, ...options], {
    stdio: ["ignore", 2, "inherit"],
  });
  if (built.status !== 0)
    throw failed(`build ${name}`, "exit code 0", String(built.status), "read what it says above");
}

function fileOf(folder: string, name: string, version: string): ReleasedFile {
  const bytes = readFileSync(join(folder, name));
  return { name, key: `${version}/${name}`, bytes: bytes.length, sha256: sha256Of(bytes) };
}

function failed(what: string, expected: string, got: string, wayOut: string): RoundtripError {
  return new RoundtripError({ kind: "configuration", what, expected, got, wayOut });
}
