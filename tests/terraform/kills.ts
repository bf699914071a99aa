/** Kill -9 of a first apply of the whole stack at one of its requests to AWS, and the runs after it. */
import { Database } from "bun:sqlite";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { zipSync } from "fflate";
import { TerraformInfrastructure, type TerraformOptions } from "../../adapters/terraform/infrastructure.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { TestTerraform, terraformWrapper } from "../support/terraform.ts";
import { waitFor } from "../support/wait-for.ts";

const repository = join(import.meta.dirname, "../..");
const environment = "dev";
const stateBucket = "roundtrip-state";

/** The same files for every run, whatever is edited meanwhile. */
const snapshot = temporaryFolder("roundtrip-kills");
for (const entry of ["terraform", "runbooks", "services", "tasks.yaml"])
  cpSync(join(repository, entry), join(snapshot, entry), {
    recursive: true,
    filter: (path) => !path.includes(".terraform"),
  });

/** Where it is killed: the program that started Terraform, or Terraform itself with its providers. */
export interface Point {
  /** Counted from the first request of all, or from the first whose key matches. */
  readonly nth: number;
  readonly keyPattern?: string;
  readonly when: "before" | "after";
  readonly victim: "parent" | "terraform";
}

export interface Ran {
  readonly code: number;
  readonly said: string;
}

/** The whole stack in an account of its own, with its state in S3. */
export class KilledStack implements AsyncDisposable {
  private constructor(
    private readonly world: TestTerraform,
    private readonly stack: string,
    private readonly options: TerraformOptions,
    /** The journal's last entry before anything was applied. */
    private readonly before: number,
  ) {}

  static async start(): Promise<KilledStack> {
    const world = await TestTerraform.start();
    const stack = checkout(join(world.dir, "repository"));
    for (const name of ["master", "documentdb", "mongodb", "mongodb-dms", "shop"])
      await world.call("secretsmanager", "secretsmanager.CreateSecret", {
        Name: `roundtrip/${environment}/${name}`,
        SecretString: JSON.stringify({ username: "administrator", password: "held-in-secret-3391" }),
      });
    await world.createBucket(stateBucket);
    const program = join(world.dir, "terraform-wrapper");
    writeFileSync(program, terraformWrapper(world.aws.url));
    chmodSync(program, 0o755);
    const options: TerraformOptions = {
      directory: stack,
      variableFiles: [`../environments/${environment}.tfvars`],
      backend: {
        bucket: stateBucket,
        key: `${environment}.tfstate`,
        region: "us-east-1",
        use_path_style: "true",
      },
      program,
      lockTimeoutSeconds: 0,
    };
    const journal = (await world.aws.control("GET", "journal")) as { n: number }[];
    return new KilledStack(world, stack, options, journal.at(-1)?.n ?? 0);
  }

  /** A plan and its apply, as a process of its own. */
  async apply(): Promise<Ran> {
    const child = Bun.spawn([process.execPath, join(import.meta.dirname, "main.ts")], {
      env: { ...process.env, ...this.world.environment, TEST_TERRAFORM: JSON.stringify(this.options) },
      stdin: "pipe",
      stdout: "ignore",
      stderr: "pipe",
    });
    await this.world.aws.control("POST", "processes", { name: "parent", pid: child.pid });
    const said = await new Response(child.stderr).text();
    const code = await child.exited;
    await waitFor("Terraform and its providers to end", () => workersIn(this.stack).length === 0, 60_000);
    return { code, said };
  }

  async arm({ victim, ...point }: Point): Promise<void> {
    // Who asks is Terraform's provider: it gets its answer when only the parent is killed.
    const action = { kill: victim, answer: victim === "parent" };
    await this.world.aws.control("POST", "faults", { id: "kill", ...point, action });
  }

  async fired(): Promise<boolean> {
    const faults = (await this.world.aws.control("GET", "faults")) as { fired: number }[];
    return faults.some(({ fired }) => fired > 0);
  }

  /** How often AWS was asked since the start. */
  async requests(): Promise<number> {
    return ((await this.world.aws.control("GET", `journal?after=${this.before}`)) as object[]).length;
  }

  /** Frees the state's lock as `roundtrip unlock` does once it has proved the holder dead. Gives whether there was one. */
  async unlock(): Promise<boolean> {
    using infrastructure = this.infrastructure();
    const lock = await infrastructure.stateLock();
    if (lock) await infrastructure.freeStateLock(lock.id);
    return lock !== undefined;
  }

  /** What the next apply would do. */
  async plan(): Promise<string[]> {
    using infrastructure = this.infrastructure();
    return (await infrastructure.plan()).map(({ action, address }) => `${action} ${address}`);
  }

  /** How many objects of each kind there are in AWS, whoever made them. */
  inventory(): Record<string, number> {
    using aws = new Database(join(this.world.aws.dir, "aws.sqlite"), { readonly: true });
    const count = (kind: string, table: string, where = "1") =>
      aws
        .query<{ kind: string; count: number }, []>(
          `SELECT ${kind} AS kind, count(*) AS count FROM ${table} WHERE ${where} GROUP BY 1 ORDER BY 1`,
        )
        .all()
        .map((row) => [row.kind, row.count]);
    return Object.fromEntries([
      ...count("type", "stored_objects"),
      ...count("kind", "dms_resources"),
      ...count("'ec2_instances'", "ec2_instances", "json_extract(data, '$.state') <> 'terminated'"),
      ...count("'lambda_functions'", "lambda_functions"),
      ...count("'parameters'", "parameters"),
      ...count("'s3_buckets'", "s3_buckets"),
      ...count("'secrets'", "secrets"),
      ...count("'ssm_documents'", "ssm_documents"),
    ]) as Record<string, number>;
  }

  /** What stands in the root module and isn't in the repository. */
  leftovers(): string[] {
    const own = new Set(readdirSync(join(snapshot, "terraform/stack")));
    return readdirSync(this.stack).filter((name) => !own.has(name) && !name.startsWith(".terraform"));
  }

  private infrastructure(): TerraformInfrastructure {
    return new TerraformInfrastructure({
      ...this.options,
      environment: { ...process.env, ...this.world.environment },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]();
  }
}

/** What the stack reads, with artifacts that nobody runs. Gives the stack's folder. */
function checkout(folder: string): string {
  cpSync(snapshot, folder, { recursive: true });
  mkdirSync(join(folder, "dist"));
  const handler = new TextEncoder().encode("export const handler = async () => ({});");
  writeFileSync(join(folder, "dist/create-user-db.zip"), zipSync({ "index.mjs": handler }));
  writeFileSync(join(folder, "dist/global-bundle.pem"), "-----BEGIN CERTIFICATE-----");
  return join(folder, "terraform/stack");
}

/** Terraform and its providers work in the root module's folder. */
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
