import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

const repository = join(import.meta.dirname, "../..");
/** Made once by debootstrap, outside version control; containers run on an overlay and leave it as it is. */
export const containerRoot = join(repository, ".tools/systemd-root");

/** Why real systemd cannot be run here; `undefined` when it can. */
export function containerObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root";
  for (const tool of ["systemd-nspawn", "nsenter", ...(existsSync(containerRoot) ? [] : ["debootstrap"])]) {
    if (!Bun.which(tool, { PATH: `${process.env.PATH}:/usr/sbin:/sbin` }))
      return `needs ${tool} (apt-get install systemd-container debootstrap)`;
  }
  return undefined;
}

/** Makes the container's root unless it is there. Takes a minute; a torn one of an earlier try is replaced. */
export async function makeContainerRoot(say: (message: string) => void): Promise<void> {
  if (existsSync(containerRoot)) return;
  say("making the Debian root with debootstrap, once (about a minute)");
  const fresh = `${containerRoot}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  const made = Bun.spawnSync(
    ["debootstrap", "--variant=minbase", "--include=systemd,systemd-sysv,dbus", "bookworm", fresh],
    { stdout: "pipe", stderr: "pipe" },
  );
  if (made.exitCode !== 0)
    throw new Error(
      `debootstrap: exit code ${made.exitCode}\n${made.stdout.toString().slice(-2000)}${made.stderr.toString().slice(-2000)}`,
    );
  renameSync(fresh, containerRoot);
}

const bootTimeoutMs = 60_000;
const powerOffTimeoutMs = 30_000;

/** A disk for a container that boots more than once: what it writes is kept over the root, which stays as it is. */
export class Disk implements Disposable {
  readonly directory: string;

  constructor(private readonly folder: string) {
    this.directory = join(folder, "disk");
    const [upper, work] = [join(folder, "written"), join(folder, "work")];
    for (const each of [this.directory, upper, work]) mkdirSync(each, { recursive: true });
    const options = `lowerdir=${containerRoot},upperdir=${upper},workdir=${work}`;
    const mounted = Bun.spawnSync(["mount", "-t", "overlay", "overlay", "-o", options, this.directory]);
    if (mounted.exitCode !== 0) throw new Error(`mount an overlay: ${mounted.stderr.toString().trim()}`);
  }

  [Symbol.dispose](): void {
    Bun.spawnSync(["umount", this.directory]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A booted container: its pid 1 is systemd. */
export class Container implements AsyncDisposable {
  private constructor(
    readonly nspawn: Bun.Subprocess,
    readonly leader: number,
  ) {}

  /**
   * Boots it; `binds` are folders of this machine that it sees read-only, path in the container first. Without a `directory` of
   * its own (`Disk`) it forgets everything when it ends.
   */
  static async boot(binds: Readonly<Record<string, string>>, directory?: string): Promise<Container> {
    const nspawn = Bun.spawn(
      [
        "systemd-nspawn",
        "-D",
        directory ?? containerRoot,
        "-b",
        `--machine=roundtrip-${process.pid}`,
        "--register=no",
        "--keep-unit",
        ...(directory === undefined ? ["--volatile=overlay"] : []),
        "--console=pipe",
        ...Object.entries(binds).map(([inside, outside]) => `--bind-ro=${outside}:${inside}`),
      ],
      { stdin: "ignore", stdout: "ignore", stderr: "pipe" },
    );
    const leader = await findLeader(nspawn);
    const container = new Container(nspawn, leader);
    try {
      await container.#waitBooted();
    } catch (error) {
      await container[Symbol.asyncDispose]();
      throw error;
    }
    return container;
  }

  /** The container's file tree, seen from outside. */
  get root(): string {
    return `/proc/${this.leader}/root`;
  }

  /** Runs a command in it. */
  async run(...argv: string[]): Promise<{ stdout: string; stderr: string; status: number }> {
    const child = Bun.spawn(
      ["nsenter", "-t", String(this.leader), "-m", "-u", "-i", "-n", "-p", "--", ...argv],
      {
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
        env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LANG: "C.UTF-8" },
      },
    );
    const [stdout, stderr, status] = await Promise.all([
      child.stdout.text(),
      child.stderr.text(),
      child.exited,
    ]);
    return { stdout, stderr, status };
  }

  async #waitBooted(): Promise<void> {
    const until = Date.now() + bootTimeoutMs;
    for (;;) {
      const { stdout } = await this.run("systemctl", "is-system-running");
      if (/^(running|degraded)/.test(stdout)) return;
      if (Date.now() > until)
        throw new Error(
          `boot the container: not up within ${bootTimeoutMs} ms, systemd says ${stdout.trim() || "nothing"}`,
        );
      await Bun.sleep(100);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run("systemctl", "poweroff");
    const timer = setTimeout(() => this.nspawn.kill("SIGKILL"), powerOffTimeoutMs);
    await this.nspawn.exited;
    clearTimeout(timer);
  }
}

/** nspawn's child is the container's pid 1; it is there a moment after nspawn started. */
async function findLeader(nspawn: Bun.Subprocess<"ignore", "ignore", "pipe">): Promise<number> {
  const until = Date.now() + bootTimeoutMs;
  while (Date.now() < until && nspawn.exitCode === null) {
    const child = childrenOf(nspawn.pid).find((pid) => readComm(pid) === "systemd");
    if (child !== undefined) return child;
    await Bun.sleep(50);
  }
  nspawn.kill("SIGKILL");
  throw new Error(
    `boot the container: systemd-nspawn ${nspawn.exitCode === null ? "started no systemd" : `ended with ${nspawn.exitCode}`}: ${await nspawn.stderr.text()}`,
  );
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) => {
    try {
      return readFileSync(`/proc/${pid}/task/${task}/children`, "utf8")
        .trim()
        .split(" ")
        .filter(Boolean)
        .map(Number);
    } catch {
      return [];
    }
  });
}

function readComm(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return "";
  }
}
