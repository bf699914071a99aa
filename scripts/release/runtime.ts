import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { RoundtripError } from "../../core/errors.ts";
import { run } from "../setup/run.ts";
import type { Architecture } from "./model.ts";

const root = join(import.meta.dirname, "../..");
const folder = join(root, ".tools/runtimes");

interface Locked {
  readonly version: string;
  /** `sha512-<base64>` of the package's archive. */
  readonly integrity: string;
}

/** Where Bun's executable for an architecture lies once it was fetched. */
export function runtimePath({ runtime }: Architecture): string {
  return join(folder, `${runtime.replace("@oven/", "")}-${locked(runtime).version}`);
}

/**
 * Bun's executable for an architecture, of the version and checksum in package-lock.json; fetched once by npm. Fails
 * `unavailable` without npm or its registry, `logCorrupt` for an archive that isn't the locked one.
 */
export async function runtimeFor(architecture: Architecture): Promise<string> {
  const path = runtimePath(architecture);
  if (existsSync(path)) return path;
  const { runtime } = architecture;
  const { version, integrity } = locked(runtime);
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, ".fetch-"));
  try {
    const packed = await run("npm", [
      "pack",
      `${runtime}@${version}`,
      "--silent",
      "--pack-destination",
      work,
    ]);
    const archive = join(work, packed.stdout.trim().split("\n").at(-1) ?? "");
    if (packed.code !== 0)
      throw notFetched(runtime, "unavailable", packed.stderr.trim() || `exit code ${packed.code}`);
    const found = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
    if (found !== integrity) throw notFetched(runtime, "logCorrupt", `an archive with ${found}`, integrity);
    const unpacked = await run("tar", ["-xzf", archive, "-C", work, "package/bin/bun"]);
    if (unpacked.code !== 0) throw notFetched(runtime, "logCorrupt", unpacked.stderr.trim());
    renameSync(join(work, "package/bin/bun"), path);
    return path;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function locked(runtime: string): Locked {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    packages: Readonly<Record<string, Locked | undefined>>;
  };
  const found = packages[`node_modules/${runtime}`];
  if (found) return found;
  throw notFetched(runtime, "configuration", "no such package in package-lock.json");
}

function notFetched(
  runtime: string,
  kind: "unavailable" | "logCorrupt" | "configuration",
  got: string,
  expected = "the package of package-lock.json, by npm",
): RoundtripError {
  return new RoundtripError({
    kind,
    what: `get ${runtime}`,
    expected,
    got,
    wayOut: "look at npm's registry setting and run this again; what was built before stays",
  });
}
