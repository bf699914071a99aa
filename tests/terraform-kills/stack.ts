/** The whole stack in an account of its own, to be applied by processes that die on the way. */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  writeFileSync,
} from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { zipSync } from "fflate";
import { TerraformInfrastructure, type TerraformOptions } from "../../adapters/terraform/infrastructure.ts";
import type { TestAwsOptions } from "../../sandbox/aws/test-server.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { TestTerraform, terraformWrapper } from "../support/terraform.ts";
import { waitFor } from "../support/wait-for.ts";
import { contentOf } from "./content.ts";
import { Providers } from "./providers.ts";

const repository = join(import.meta.dirname, "../..");
const environment = "dev";
export const stateBucket = "roundtrip-state";
export const stateKey = `${environment}.tfstate`;
const lockKey = `${stateKey}.tflock`;

/** The same files for every run, whatever is edited meanwhile. */
const snapshot = temporaryFolder("roundtrip-kills");
for (const entry of ["terraform", "runbooks", "services", "tasks.yaml"])
  cpSync(join(repository, entry), join(snapshot, entry), {
    recursive: true,
    filter: (path) => !path.includes(".terraform"),
  });

/** A request, and who is killed by it: the program that started Terraform, or Terraform itself with its providers. */
export interface Death {
  readonly service?: string;
  readonly operation?: string;
  readonly keyPattern?: string;
  /** The how manieth of such requests. */
  readonly nth: number;
  readonly when: "before" | "after";
  readonly victim: "parent" | "terraform";
}

export interface Ran {
  readonly code: number;
  readonly said: string;
}

export class KilledStack implements AsyncDisposable {
  /** Terraform then starts providers of its own. */
  private killsProviders = false;

  private constructor(
    private readonly world: TestTerraform,
    private readonly stack: string,
    private readonly options: TerraformOptions,
    private readonly providers: Providers,
  ) {}

  /** An account with the secrets people make and the states' bucket, or what `from` keeps. */
  static async start(options: TestAwsOptions = {}): Promise<KilledStack> {
    const world = await TestTerraform.start(options);
    const stack = checkout(join(world.dir, "repository"));
    const providers = await Providers.start(stack, world.environment);
    if (options.from === undefined) await furnish(world);
    const program = join(world.dir, "bin/terraform");
    mkdirSync(dirname(program));
    writeFileSync(program, terraformWrapper(world.aws.url));
    chmodSync(program, 0o755);
    const terraform = {
      directory: stack,
      variableFiles: [`../environments/${environment}.tfvars`],
      backend: { bucket: stateBucket, key: stateKey, region: "us-east-1", use_path_style: "true" },
      program,
      lockTimeoutSeconds: 0,
    };
    return new KilledStack(world, stack, terraform, providers);
  }

  /** Where the stand-in keeps what it knows. */
  get kept(): string {
    return this.world.aws.dir;
  }

  /** A plan and its apply, as a process of its own. */
  async apply(): Promise<Ran> {
    const child = Bun.spawn([process.execPath, join(import.meta.dirname, "run.ts")], {
      env: { ...this.environment, TEST_TERRAFORM: JSON.stringify(this.options) },
      stdin: "pipe",
      stdout: "ignore",
      stderr: "pipe",
    });
    await this.world.aws.control("POST", "processes", { name: "parent", pid: child.pid });
    const said = await new Response(child.stderr).text();
    const code = await child.exited;
    await this.ended();
    return { code, said };
  }

  /** A command of this program in the checkout, which is a commit. */
  async roundtrip(...words: readonly string[]): Promise<Ran & { readonly out: string }> {
    const cwd = join(this.world.dir, "repository");
    if (!existsSync(join(cwd, ".git"))) commitAll(cwd);
    const bin = dirname(this.options.program!);
    const child = Bun.spawn([process.execPath, join(repository, "scripts/roundtrip.ts"), ...words], {
      cwd,
      env: { ...this.environment, PATH: `${bin}${delimiter}${process.env.PATH}` },
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, said] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    const code = await child.exited;
    await this.ended();
    return { code, out, said };
  }

  async put(bucket: string, key: string, body: string): Promise<void> {
    await this.world.putObject(bucket, key, body);
  }

  /** For the next command. */
  async arm({ victim, ...point }: Death): Promise<void> {
    this.killsProviders = victim === "terraform";
    // Who asks is Terraform's provider: it gets its answer when only the parent is killed.
    const action = { kill: victim, answer: victim === "parent" };
    await this.world.aws.control("POST", "faults", { id: "kill", ...point, action });
  }

  async fired(): Promise<boolean> {
    const faults = (await this.world.aws.control("GET", "faults")) as { fired: number }[];
    return faults.some(({ fired }) => fired > 0);
  }

  /** Every answer to Terraform's provider comes late, as from AWS: Terraform saves its state on the way. */
  async slowDown(milliseconds: number): Promise<void> {
    const action = { delayMs: milliseconds };
    await this.world.aws.control("POST", "faults", { caller: "terraform", times: "unlimited", action });
  }

  /** Frees the state's lock as `roundtrip unlock` does once it has proved the holder dead. Gives whether there was one. */
  async unlock(): Promise<boolean> {
    using infrastructure = this.infrastructure();
    const lock = await infrastructure.stateLock();
    if (lock) await infrastructure.freeStateLock(lock.id);
    return lock !== undefined;
  }

  /** Removes the lock's object, which is all that freeing it does. */
  async dropLock(): Promise<void> {
    await this.world.deleteObject(stateBucket, lockKey);
  }

  /** What the next apply would do. */
  async plan(): Promise<string[]> {
    using infrastructure = this.infrastructure();
    return (await infrastructure.plan()).map(({ action, address }) => `${action} ${address}`);
  }

  /** Everything there is in AWS, whoever made it. */
  content(): string[] {
    return contentOf(this.world.aws.dir, { bucket: stateBucket, checkout: this.world.dir });
  }

  /** What stands in the root module and isn't in the repository. */
  leftovers(): string[] {
    const own = new Set(readdirSync(join(snapshot, "terraform/stack")));
    return readdirSync(this.stack).filter((name) => !own.has(name) && !name.startsWith(".terraform"));
  }

  /** Terraform and its providers work in the root module's folder. */
  private async ended(): Promise<void> {
    const kept = this.providers.pids;
    const working = () => workersIn(this.stack).filter((pid) => !kept.includes(Number(pid)));
    await waitFor("Terraform and its providers to end", () => working().length === 0, 60_000);
    this.killsProviders = false;
  }

  private infrastructure(): TerraformInfrastructure {
    return new TerraformInfrastructure({ ...this.options, environment: this.environment });
  }

  private get environment(): Readonly<Record<string, string | undefined>> {
    const kept = this.killsProviders ? {} : { TF_REATTACH_PROVIDERS: this.providers.variable };
    return { ...process.env, ...this.world.environment, ...kept };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.providers[Symbol.asyncDispose]();
    await this.world[Symbol.asyncDispose]();
  }
}

async function furnish(world: TestTerraform): Promise<void> {
  for (const name of ["master", "documentdb", "mongodb", "mongodb-dms", "shop"])
    await world.call("secretsmanager", "secretsmanager.CreateSecret", {
      Name: `roundtrip/${environment}/${name}`,
      SecretString: JSON.stringify({ username: "administrator", password: "held-in-secret-3391" }),
    });
  await world.createBucket(stateBucket);
}

/** What the stack reads, with artifacts that nobody runs. Gives the stack's folder. */
function checkout(folder: string): string {
  cpSync(snapshot, folder, { recursive: true });
  mkdirSync(join(folder, "dist"));
  const handler = new TextEncoder().encode("export const handler = async () => ({});");
  writeFileSync(
    join(folder, "dist/create-user-db.zip"),
    zipSync({ "index.mjs": handler }, { mtime: "2026-01-01" }),
  );
  writeFileSync(join(folder, "dist/global-bundle.pem"), "-----BEGIN CERTIFICATE-----");
  return join(folder, "terraform/stack");
}

function commitAll(folder: string): void {
  const git = (...words: string[]) => {
    const { exitCode, stderr } = Bun.spawnSync(
      ["git", "-c", "user.name=a", "-c", "user.email=a@b", ...words],
      {
        cwd: folder,
      },
    );
    if (exitCode !== 0) throw new Error(`git ${words.join(" ")}: ${stderr.toString()}`);
  };
  git("init", "--quiet");
  git("add", ".", ":!dist");
  git("commit", "--quiet", "--message", "a fork");
}

function workersIn(folder: string): string[] {
  const wanted = realpathSync(folder);
  return readdirSync("/proc").filter((entry) => {
    try {
      return /^\d+$/.test(entry) && readlinkSync(`/proc/${entry}/cwd`) === wanted;
    } catch {
      return false;
    }
  });
}
