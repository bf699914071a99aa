/** A set-up as the old documents describe it, applied and running: one root, DMS in a module, the tasks from a JSON file. */
import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MongoClient } from "mongodb";
import { until } from "../../sandbox/aws/dms/testing/setup.ts";
import { type DatabaseHandle, startDatabase } from "../../sandbox/up/database.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { type Run, TestTerraform } from "../support/terraform.ts";
import { oldRoot, oldTasksFile, readingPassword, writingPassword } from "./old-root.ts";

const repository = join(import.meta.dirname, "../..");
export interface TaskFacts {
  readonly arn: string;
  readonly status: string;
  readonly startedAt: unknown;
  readonly loadedRows: Readonly<Record<string, number>>;
}

export class OldSetupWorld implements AsyncDisposable {
  private constructor(
    readonly terraform: TestTerraform,
    readonly root: string,
    readonly source: MongoClient,
    readonly target: MongoClient,
    private readonly databases: readonly DatabaseHandle[],
  ) {}

  /** `startedByTerraform`: by `start_replication_task`, as the old documents do, instead of by hand. */
  static async start({ startedByTerraform = false } = {}): Promise<OldSetupWorld> {
    const folder = temporaryFolder("adopt");
    const databases = [
      await startDatabase({ dir: join(folder, "source"), name: "source" }),
      await startDatabase({ dir: join(folder, "target"), name: "target" }),
    ];
    const [source, target] = databases.map(({ ready }) => ready.uri);
    const clients = [await new MongoClient(source!).connect(), await new MongoClient(target!).connect()];
    for (const [client, user, pwd] of [
      [clients[0]!, "dms_source", readingPassword],
      [clients[1]!, "dms_target", writingPassword],
    ] as const)
      await client.db("admin").command({ createUser: user, pwd, roles: [{ role: "root", db: "admin" }] });
    const terraform = await TestTerraform.start();
    const root = terraform.root(oldRoot(source!, target!, startedByTerraform), "old");
    const world = new OldSetupWorld(terraform, root, clients[0]!, clients[1]!, databases);
    for (const { "table-mappings": mappings } of oldTasksFile)
      for (const { "object-locator": at } of mappings.rules)
        await clients[0]!
          .db(at["schema-name"])
          .collection(at["table-name"])
          .insertMany([{ n: 1 }, { n: 2 }, { n: 3 }]);
    await terraform.succeed(root, "init");
    await terraform.succeed(root, "apply", "-auto-approve");
    if (!startedByTerraform) await world.startTasks();
    await world.loaded();
    return world;
  }

  private async startTasks(): Promise<void> {
    const facts = await this.facts();
    for (const { arn } of Object.values(facts))
      await this.terraform.callDms("StartReplicationTask", {
        ReplicationTaskArn: arn,
        StartReplicationTaskType: "start-replication",
      });
  }

  private async loaded(): Promise<void> {
    await until(
      "every collection is loaded and every task runs",
      async () =>
        Object.values(await this.facts()).every(
          ({ status, loadedRows }) =>
            status === "running" &&
            Object.values(loadedRows).length > 0 &&
            Object.values(loadedRows).every((rows) => rows === 3),
        ),
      60,
    );
  }

  /** Each task as DMS has it. */
  async facts(): Promise<Record<string, TaskFacts>> {
    const { ReplicationTasks } = (await this.terraform.callDms("DescribeReplicationTasks", {})) as {
      ReplicationTasks: Record<string, unknown>[];
    };
    const facts: Record<string, TaskFacts> = {};
    for (const task of ReplicationTasks) {
      const { TableStatistics } = (await this.terraform.callDms("DescribeTableStatistics", {
        ReplicationTaskArn: task.ReplicationTaskArn,
      })) as { TableStatistics: { SchemaName: string; TableName: string; FullLoadRows: number }[] };
      facts[String(task.ReplicationTaskIdentifier)] = {
        arn: String(task.ReplicationTaskArn),
        status: String(task.Status),
        startedAt: task.ReplicationTaskStartDate,
        loadedRows: Object.fromEntries(
          TableStatistics.map((each) => [`${each.SchemaName}.${each.TableName}`, each.FullLoadRows]),
        ),
      };
    }
    return facts;
  }

  /** DMS operations since a number of the journal that change anything. */
  async changesSince(number: number): Promise<string[]> {
    const all = (await this.terraform.aws.control("GET", "journal")) as {
      n: number;
      service: string;
      operation: string;
    }[];
    return all
      .filter(
        ({ n, service, operation }) => n > number && service === "dms" && !/^(Describe|List)/.test(operation),
      )
      .map(({ operation }) => operation);
  }

  async journalEnd(): Promise<number> {
    const all = (await this.terraform.aws.control("GET", "journal")) as { n: number }[];
    return Math.max(0, ...all.map(({ n }) => n));
  }

  /** `roundtrip adopt` on the state as it is now. */
  async adopt(name: string, ...options: readonly string[]): Promise<Run & { readonly folder: string }> {
    const state = join(this.terraform.dir, `${name}-state.json`);
    writeFileSync(state, (await this.terraform.succeed(this.root, "show", "-json")).stdout);
    const tasks = join(this.terraform.dir, "dmsReplicationTasks.json");
    writeFileSync(tasks, JSON.stringify(oldTasksFile));
    const folder = join(this.terraform.dir, name);
    const given = ["--state", state, "--tasks", tasks, "--env", "dev", "--out", folder];
    const run = await roundtrip("adopt", ...given, ...options);
    // The old root calls this user sensitive, so a person has to name it.
    if (run.exitCode === 0)
      writeFileSync(join(folder, "names.auto.tfvars"), 'roundtrip_target_username = "dms_target"\n');
    return { ...run, folder };
  }

  /** Plans the folder and has `roundtrip adopt --check` look at it. */
  async check(folder: string): Promise<Run & { readonly plan: string }> {
    await this.terraform.succeed(folder, "plan", "-out=plan.bin");
    const plan = (await this.terraform.succeed(folder, "show", "-json", "plan.bin")).stdout;
    const file = join(folder, "plan.json");
    writeFileSync(file, plan);
    return { ...(await roundtrip("adopt", "--check", file)), plan };
  }

  /** The old root's code without its DMS module. */
  takeOutOldModule(): void {
    rmSync(join(this.root, "dms.tf"));
  }

  copyInto(from: string, to: string): void {
    cpSync(from, to, { recursive: true });
  }

  /** Whether what is written on the source now still arrives. */
  async replicates(): Promise<void> {
    const id = `written-${Date.now()}-${Math.random()}`;
    await this.source.db("Si_DbCobranza").collection<{ _id: string }>("pagos").insertOne({ _id: id });
    const arrived = () =>
      this.target.db("Si_DbCobranza").collection<{ _id: string }>("pagos").findOne({ _id: id });
    await until("a new document arrives", async () => (await arrived()) !== null, 30);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([this.source.close(), this.target.close()]);
    await this.terraform[Symbol.asyncDispose]();
    await Promise.allSettled(this.databases.map((each) => each.stop()));
  }
}

export async function roundtrip(...parameters: readonly string[]): Promise<Run> {
  const started = performance.now();
  const child = Bun.spawn([process.execPath, "scripts/roundtrip.ts", ...parameters], {
    cwd: repository,
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exitCode, stdout, stderr, milliseconds: Math.round(performance.now() - started) };
}
