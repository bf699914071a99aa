/** Everything an apply runs in: databases, AWS with DMS and the lambda, the operations host, and a git repository. */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { MongoClient } from "mongodb";
import { S3ObjectStore } from "../../adapters/aws/object-store.ts";
import { AwsReplicationTasks } from "../../adapters/aws/replication-tasks.ts";
import { recordApplied } from "../../adapters/state/applied-store.ts";
import type { LiveTask } from "../../core/live/live-state.ts";
import type { Plan } from "../../core/plan/model.ts";
import { isLoaded } from "../../core/replication/loaded.ts";
import type { EnvironmentName } from "../../core/tasks/model.ts";
import { parseTasks } from "../../core/tasks/tasks.ts";
import { awsEnvironment, steerAws } from "../../sandbox/up/aws.ts";
import { Sandbox } from "../../sandbox/up/sandbox.ts";
import { secretName } from "../../scripts/drill/provision/users.ts";
import {
  bucket,
  buildFunction,
  instanceName,
  provision,
  quicken,
  region,
  sourceEndpoint,
} from "./apply-provision.ts";
import { DmsInfrastructure, type DmsInfrastructureOptions } from "./dms-infrastructure.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import { waitFor } from "./wait-for.ts";

const root = join(import.meta.dirname, "../..");
/** The name apply signs its requests with, and faults kill it by. */
export const applyCaller = "apply";

export interface Applied {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The job summary. */
  readonly summary: string;
}

interface SpawnOptions {
  readonly caller: string;
  readonly variables: Readonly<Record<string, string>>;
  onLine?(line: string): void;
}

interface RunOptions {
  readonly infrastructure?: Partial<DmsInfrastructureOptions>;
  /** The command itself with the real Terraform, in this environment, instead of the tests' infrastructure. */
  readonly terraform?: Readonly<Record<string, string>>;
  /** Each line that apply says, as it says it. */
  onLine?(line: string): void;
}

export class ApplyWorld implements AsyncDisposable {
  private summaries = 0;
  private seen = 0;

  private constructor(
    readonly sandbox: Sandbox,
    readonly environment: EnvironmentName,
    readonly source: MongoClient,
    readonly target: MongoClient,
    readonly store: S3ObjectStore,
    readonly tasks: AwsReplicationTasks,
    /** A checkout with tasks.yaml. */
    readonly repository: string,
    private readonly variables: Readonly<Record<string, string>>,
  ) {}

  static async start(environment: EnvironmentName = "dev"): Promise<ApplyWorld> {
    const archive = buildFunction();
    const sandbox = await Sandbox.start();
    try {
      const { mongodb = "", documentdb = "", aws = "" } = sandbox.addresses;
      const variables = awsEnvironment(aws, "roundtrip-runner");
      Object.assign(process.env, variables);
      await quicken(aws);
      await provision(sandbox, environment, await archive);
      return new ApplyWorld(
        sandbox,
        environment,
        await new MongoClient(mongodb).connect(),
        await new MongoClient(documentdb).connect(),
        new S3ObjectStore({ bucket, region }),
        new AwsReplicationTasks({ region }),
        newRepository(),
        variables,
      );
    } catch (error) {
      await sandbox[Symbol.asyncDispose]();
      throw error;
    }
  }

  get aws(): string {
    return this.sandbox.addresses.aws!;
  }

  /** Brings everything to where an apply of this file would have left it: DMS, its tasks running and loaded, the record. */
  async begin(tasksYaml: string): Promise<void> {
    const commit = await this.replicate(tasksYaml);
    await recordApplied(
      this.store,
      {
        version: 1,
        environment: this.environment,
        tasksText: tasksYaml,
        commit,
        tree: git(this.repository, "rev-parse", "HEAD^{tree}"),
        digest: `sha256:${"0".repeat(64)}`,
        operationId: `${this.environment}-apply-before`,
        appliedAt: new Date().toISOString(),
        by: { actor: "ben" },
      },
      undefined,
    );
  }

  /** The same without a record: DMS as somebody made it by hand or with another tool. Gives the commit. */
  async replicate(tasksYaml: string, more: Partial<DmsInfrastructureOptions> = {}): Promise<string> {
    const commit = this.commit(tasksYaml);
    const infrastructure = new DmsInfrastructure({ ...this.infrastructureOptions, ...more });
    await infrastructure.plan();
    await infrastructure.apply();
    const { tasks } = parseTasks(tasksYaml);
    await Promise.all(tasks.map(({ id }) => this.tasks.start(id, "start-replication", 30)));
    await waitFor("every table to be loaded", async () => {
      const tables = await Promise.all(tasks.map(({ id }) => this.tasks.tables(id)));
      return tables.every((each) => each.length > 0 && each.every((table) => isLoaded(table)));
    });
    return commit;
  }

  /** A task of DMS as it is. */
  async task(id: string): Promise<LiveTask> {
    const found = (await this.tasks.live((task) => task.id === id)).find((task) => task.id === id);
    if (!found) throw new Error(`no DMS task ${id}`);
    return found;
  }

  /** What apply asked AWS for since the last time. */
  async requests(): Promise<string[]> {
    const all = await steerAws<
      { n: number; caller: string; service: string; operation: string; key: string }[]
    >(this.aws, "journal");
    const own = all.filter(({ n, caller }) => caller === applyCaller && n > this.seen);
    this.seen = Math.max(this.seen, ...all.map(({ n }) => n));
    return own.map(({ service, operation, key }) => `${service} ${operation} ${key}`);
  }

  /** Names of a database's collections on DocumentDB. */
  async collections(database: string): Promise<string[]> {
    const listed = await this.target.db(database).listCollections({}, { nameOnly: true }).toArray();
    return listed.map(({ name }) => name).sort();
  }

  private get infrastructureOptions(): DmsInfrastructureOptions {
    return {
      environment: this.environment,
      tasksFile: join(this.repository, "tasks.yaml"),
      sourceEndpointId: sourceEndpoint,
      instanceId: instanceName,
      targetSecret: secretName("dms_target"),
    };
  }

  /** Writes tasks.yaml and commits it; gives the commit. */
  commit(tasksYaml: string): string {
    writeFileSync(join(this.repository, "tasks.yaml"), tasksYaml);
    git(this.repository, "add", "tasks.yaml");
    git(this.repository, "commit", "--quiet", "--allow-empty", "-m", "tasks");
    return git(this.repository, "rev-parse", "HEAD");
  }

  /** The plan that a review would show: from what was last applied to HEAD. */
  async plan(): Promise<Plan> {
    const ran = await this.run(["--mode", "plan", "--json", "--unreviewed", "--yes-delete"]);
    const shown = /add --digest (sha256:[0-9a-f]{64})/.exec(ran.stderr)?.[1];
    if (ran.code === 0) return (JSON.parse(ran.stdout) as { plan: Plan }).plan;
    // Outside dev the digest is named where one without a review is refused.
    if (!shown) throw new Error(ran.stderr);
    const reviewed = await this.run(["--mode", "plan", "--json", "--digest", shown]);
    return (JSON.parse(reviewed.stdout) as { plan: Plan }).plan;
  }

  /** Plans, and applies that plan. */
  async apply(options: RunOptions = {}): Promise<Applied> {
    return this.run(["--digest", (await this.plan()).digest], options);
  }

  /** `roundtrip apply` with these arguments, as its own process; a fault can kill it as `apply`. */
  async run(
    args: readonly string[],
    { infrastructure = {}, terraform, onLine = () => {} }: RunOptions = {},
  ): Promise<Applied> {
    const summary = join(this.repository, "..", `summary-${this.summaries++}-${process.pid}.md`);
    writeFileSync(summary, "");
    const options = { ...this.infrastructureOptions, ...infrastructure };
    const words = terraform ? ["scripts/drill/leashed.ts", "apply"] : ["tests/apply/main.ts"];
    const ran = await this.bun([...words, "--env", this.environment, "--lease-seconds", "0.9", ...args], {
      onLine,
      caller: applyCaller,
      variables: {
        ...terraform,
        GITHUB_ACTOR: "ana",
        GITHUB_STEP_SUMMARY: summary,
        TEST_INFRASTRUCTURE: JSON.stringify(options),
      },
    });
    return { ...ran, summary: readFileSync(summary, "utf8") };
  }

  /** Another command of `roundtrip`, in the checkout. */
  roundtrip(...args: string[]): Promise<Omit<Applied, "summary">> {
    return this.bun(["scripts/drill/leashed.ts", ...args], { caller: "roundtrip", variables: {} });
  }

  private async bun(
    [script = "", ...args]: readonly string[],
    { caller, variables, onLine }: SpawnOptions,
  ): Promise<Omit<Applied, "summary">> {
    const child = spawn(process.execPath, [join(root, script), ...args], {
      cwd: this.repository,
      env: { ...process.env, ...this.variables, ...variables, AWS_SDK_UA_APP_ID: caller },
      stdio: ["pipe", "pipe", "pipe"],
    });
    await steerAws(this.aws, "processes", { name: caller, pid: child.pid });
    const [stdout, stderr] = [text(child.stdout), text(child.stderr, onLine)];
    const code = await new Promise<number>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (status) => resolve(status ?? 137));
    });
    return { code, stdout: await stdout, stderr: await stderr };
  }

  /** Waits until as many documents of a collection are on DocumentDB. */
  async replicated(database: string, collection: string, documents: number): Promise<void> {
    const count = () => this.target.db(database).collection(collection).countDocuments();
    await waitFor(
      `${documents} in ${database}.${collection}`,
      async () => (await count()) === documents,
      15_000,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([this.source.close(), this.target.close()]);
    await this.sandbox[Symbol.asyncDispose]();
  }
}

async function text(
  stream: NodeJS.ReadableStream,
  onLine: (line: string) => void = () => {},
): Promise<string> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: stream })) {
    lines.push(line);
    onLine(line);
  }
  return lines.map((line) => `${line}\n`).join("");
}

function git(cwd: string, ...args: string[]): string {
  const identity = ["-c", "user.name=ana", "-c", "user.email=ana@example.com"];
  return execFileSync("git", [...identity, ...args], { cwd, encoding: "utf8" }).trim();
}

function newRepository(): string {
  const folder = join(temporaryFolder("roundtrip-apply"), "checkout");
  mkdirSync(folder);
  git(folder, "init", "--quiet", "--initial-branch=main");
  return folder;
}
