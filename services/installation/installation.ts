/** The worker as it is installed on this host: versions side by side, one link to the one that is used (terraform/modules/ec2). */
import { execFile } from "node:child_process";
import {
  chmod,
  link,
  lstat,
  mkdir,
  open,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { RoundtripError } from "../../core/errors.ts";
import { sha256Of } from "../../core/sha256.ts";

const run = promisify(execFile);
const versionSecondsMax = 30;
const actionSecondsMax = 60;
const worker = "roundtrip-worker";

/** What a machine installs at its next boot, too (install.sh reads it): `NAME=value` lines. */
export interface Released {
  readonly key: string;
  /** Hex. */
  readonly sha256: string;
}

export class Installation {
  private constructor(
    /** `/opt/roundtrip`. */
    private readonly root: string,
    /** `/etc/roundtrip/release.env`. */
    private readonly releaseFile: string,
  ) {}

  /**
   * Where `program` (this process's executable) is installed. Fails `configuration` for a program that lies anywhere but in
   * `bin/` or `versions/<sha256>/`: one that is run from source, say.
   */
  static of(program: string, configuration: string | undefined): Installation {
    const folder = dirname(program);
    const root =
      basename(folder) === "bin"
        ? dirname(folder)
        : basename(dirname(folder)) === "versions"
          ? dirname(dirname(folder))
          : undefined;
    if (root === undefined || configuration === undefined)
      throw failure(
        "find the installation",
        "a worker in bin/ or versions/<sha256>/, and ROUNDTRIP_CONFIG",
        program,
      );
    return new Installation(root, join(dirname(configuration), "release.env"));
  }

  get link(): string {
    return join(this.root, "bin", worker);
  }

  /** Where the worker with this checksum lies, or will. */
  program(sha256: string): string {
    return join(this.root, "versions", sha256, worker);
  }

  /** What is used now; a worker that was put in place as a file is first given its own version's folder. */
  async current(): Promise<string> {
    if ((await lstat(this.link)).isSymbolicLink()) return await readlink(this.link);
    const program = this.program(sha256Of(await readFile(this.link)));
    await mkdir(dirname(program), { recursive: true });
    await link(this.link, program).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
    await this.point(program);
    return program;
  }

  /** Puts the worker's bytes in place beside the others, whole or not at all, and gives what it says of its version. */
  async add(body: Uint8Array, { key, sha256 }: Released): Promise<string> {
    const found = sha256Of(body);
    if (found !== sha256) throw failure(`install ${key}`, `sha256 ${sha256}`, `sha256 ${found}`);
    const program = this.program(sha256);
    await mkdir(dirname(program), { recursive: true });
    const partial = `${program}.partial`;
    await rm(partial, { force: true });
    const file = await open(partial, "wx", 0o755);
    try {
      await file.writeFile(body);
      await file.sync();
    } finally {
      await file.close();
    }
    await chmod(partial, 0o755);
    await rename(partial, program);
    return await versionOf(program);
  }

  async isThere({ sha256 }: Released): Promise<boolean> {
    const body = await readFile(this.program(sha256)).catch(() => undefined);
    return body !== undefined && sha256Of(body) === sha256;
  }

  /** From one moment to the next; who runs the old one goes on with it. */
  async point(program: string): Promise<void> {
    const partial = `${this.link}.partial`;
    await rm(partial, { force: true });
    await symlink(program, partial);
    await rename(partial, this.link);
  }

  /** Lines of release.env by name. Fails `configuration` where the host was not installed by Terraform's user data. */
  async release(): Promise<ReadonlyMap<string, string>> {
    const text = await readFile(this.releaseFile, "utf8").catch(() => undefined);
    if (text === undefined) throw failure("read what this host installs", this.releaseFile, "no such file");
    return new Map(
      text.split("\n").flatMap((line) => {
        const [, name, value] = /^([A-Z0-9_]+)=(.*)$/.exec(line) ?? [];
        return name && value !== undefined ? [[name, value] as const] : [];
      }),
    );
  }

  /** So that the next boot installs this one; every other line stays as it is. */
  async keepReleased({ key, sha256 }: Released): Promise<void> {
    const wanted = new Map([
      ["WORKER_KEY", key],
      ["WORKER_SHA256", sha256],
    ]);
    const lines = (await readFile(this.releaseFile, "utf8")).split("\n").map((line) => {
      const name = line.split("=", 1)[0] ?? "";
      return wanted.has(name) ? `${name}=${wanted.get(name)}` : line;
    });
    await writeFile(`${this.releaseFile}.partial`, lines.join("\n"), { mode: 0o644 });
    await rename(`${this.releaseFile}.partial`, this.releaseFile);
  }
}

/** `roundtrip-worker 0.1.0 (abc)`. Fails `configuration` for a program that can't be run here: of another machine, say. */
export async function versionOf(program: string): Promise<string> {
  try {
    const { stdout } = await run(program, ["--version"], { timeout: versionSecondsMax * 1000 });
    if (stdout.startsWith(`${worker} `)) return stdout.trim();
    throw new Error(`it says ${JSON.stringify(stdout.slice(0, 100))}`);
  } catch (cause) {
    const got = cause instanceof Error ? cause.message : String(cause);
    throw failure(`run ${program} --version`, `${worker} and a version`, got.slice(0, 500), cause);
  }
}

/**
 * Whether a program can be what the link leads to: every way back goes through an action of it, so one that only looks has to
 * work before anything is replaced. Fails `configuration`.
 */
export async function assertActs(program: string, unit: string): Promise<void> {
  const parameters = ["action", "service-status", "--unit", unit];
  try {
    const { stdout } = await run(program, parameters, { timeout: actionSecondsMax * 1000 });
    const result = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as { ok?: unknown };
    if (result.ok === true) return;
    throw new Error(`it says ${JSON.stringify(result).slice(0, 300)}`);
  } catch (cause) {
    const got = cause instanceof Error ? cause.message : String(cause);
    throw failure(`run ${program} ${parameters.join(" ")}`, "a result that is ok", got.slice(0, 500), cause);
  }
}

function failure(what: string, expected: string, got: string, cause?: unknown): RoundtripError {
  return new RoundtripError(
    {
      kind: "configuration",
      what,
      expected,
      got,
      wayOut:
        "name key and sha256 of the worker for this machine as release.json has them; nothing was replaced",
    },
    { cause },
  );
}
