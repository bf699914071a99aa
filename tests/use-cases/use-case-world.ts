/** Normal times on the stand-ins: databases, DMS tasks as Terraform leaves them, the operations host, and the command. */
import { spawn } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  DatabaseMigrationServiceClient,
  DescribeTableStatisticsCommand,
} from "@aws-sdk/client-database-migration-service";
import {
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { CreateDocumentCommand, SSMClient } from "@aws-sdk/client-ssm";
import { MongoClient } from "mongodb";
import { steerAws } from "../../sandbox/up/aws.ts";
import { secretName } from "../../scripts/drill/provision/users.ts";
import { ApplyWorld } from "../support/apply-world.ts";
import { DmsInfrastructure } from "../support/dms-infrastructure.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { waitFor } from "../support/wait-for.ts";

const root = join(import.meta.dirname, "../..");
const replicationSecret = secretName("dms_target");
export const applicationSecret = secretName("shop");

const tasksYaml = `version: 1
defaults:
  owners: [team-shop]
tasks:
  - id: shop
    database: shop_orders
    collections: [orders, order_items]
  - id: billing
    database: billing
    collections: [invoices]
`;

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly summary: string;
}

export class UseCaseWorld implements AsyncDisposable {
  private summaries = 0;
  /** Everything any run printed. */
  readonly said: string[] = [];
  /** Command lines of all processes, as they were seen while runs were under way. */
  readonly commandLines = new Set<string>();

  private constructor(
    readonly apply: ApplyWorld,
    readonly tasksFile: string,
    private readonly folder: string,
  ) {}

  static async start(): Promise<UseCaseWorld> {
    const apply = await ApplyWorld.start("dev");
    try {
      await createDocuments();
      apply.commit(tasksYaml);
      const tasksFile = join(apply.repository, "tasks.yaml");
      const infrastructure = new DmsInfrastructure({
        environment: "dev",
        tasksFile,
        sourceEndpointId: "mongodb",
        instanceId: "mover",
        targetSecret: replicationSecret,
      });
      for (let round = 0; round < 2; round++) {
        await infrastructure.plan();
        await infrastructure.apply();
      }
      return new UseCaseWorld(apply, tasksFile, temporaryFolder("roundtrip-use-cases"));
    } catch (error) {
      await apply[Symbol.asyncDispose]();
      throw error;
    }
  }

  get source(): MongoClient {
    return this.apply.source;
  }

  get target(): MongoClient {
    return this.apply.target;
  }

  steer<T>(path: string, body?: object, method?: string): Promise<T> {
    return steerAws<T>(this.apply.aws, path, body, method);
  }

  /** `roundtrip runbook …` as its own process; a fault can kill it by the runbook's name. */
  async run(
    name: string,
    inputs: Readonly<Record<string, string>> = {},
    options: { readonly words?: readonly string[]; readonly leaseSeconds?: number } = {},
  ): Promise<Ran> {
    const summary = join(this.folder, `summary-${this.summaries++}.md`);
    writeFileSync(summary, "");
    const given = Object.entries(inputs).flatMap(([input, value]) => ["--input", `${input}=${value}`]);
    const lease = ["--lease-seconds", String(options.leaseSeconds ?? 0.4)];
    const place = ["--env", "dev", "--tasks", this.tasksFile];
    const words = ["runbook", name, ...place, ...lease, ...given, ...(options.words ?? [])];
    const child = spawn(process.execPath, [join(root, "scripts/drill/leashed.ts"), ...words], {
      cwd: root,
      env: {
        ...process.env,
        AWS_SDK_UA_APP_ID: name,
        GITHUB_ACTOR: "ana",
        GITHUB_STEP_SUMMARY: summary,
      },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const ended = new Promise<number>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => resolve(code ?? 137));
    });
    const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
    await this.steer("processes", { name, pid: child.pid });
    const watch = setInterval(() => this.watchCommandLines(), 100);
    const code = await ended.finally(() => clearInterval(watch));
    const ran = { code, stdout: await stdout, stderr: await stderr, summary: readFileSync(summary, "utf8") };
    this.said.push(ran.stdout, ran.stderr, ran.summary);
    return ran;
  }

  /** A run that has to succeed. */
  async must(name: string, inputs: Readonly<Record<string, string>> = {}): Promise<Ran> {
    const ran = await this.run(name, inputs);
    if (ran.code !== 0) throw new Error(`${name} ended with ${ran.code}:\n${ran.stderr}`);
    return ran;
  }

  private watchCommandLines(): void {
    for (const pid of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
      try {
        this.commandLines.add(readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " "));
      } catch {
        // It has ended meanwhile.
      }
    }
  }

  /** DMS's own statistics of every table, by `database.collection`. */
  async statistics(): Promise<Map<string, Record<string, unknown>>> {
    const client = new DatabaseMigrationServiceClient({});
    const rows = new Map<string, Record<string, unknown>>();
    for (const { arn } of await this.apply.tasks.describe([])) {
      const { TableStatistics = [] } = await client.send(
        new DescribeTableStatisticsCommand({ ReplicationTaskArn: arn }),
      );
      for (const row of TableStatistics) rows.set(`${row.SchemaName}.${row.TableName}`, { ...row });
    }
    return rows;
  }

  async statuses(): Promise<Record<string, string>> {
    const tasks = await this.apply.tasks.describe([]);
    return Object.fromEntries(tasks.map(({ id, status }) => [id, status]));
  }

  /** Every version of a secret that still has a label, by its labels. */
  async versions(secret = replicationSecret): Promise<Record<string, Record<string, string>>> {
    const client = new SecretsManagerClient({});
    const { Versions = [] } = await client.send(new ListSecretVersionIdsCommand({ SecretId: secret }));
    const entries = Versions.map(async ({ VersionId, VersionStages = [] }) => {
      const { SecretString = "{}" } = await client.send(
        new GetSecretValueCommand({ SecretId: secret, VersionId }),
      );
      return [[...VersionStages].sort().join("+"), JSON.parse(SecretString)] as const;
    });
    return Object.fromEntries(await Promise.all(entries));
  }

  /** True when DocumentDB accepts the login of a version. */
  async accepts({ username = "", password = "" }: Record<string, string>): Promise<boolean> {
    const hosts = /@([^/]+)\//.exec(this.apply.sandbox.addresses.documentdb ?? "")?.[1] ?? "";
    const client = new MongoClient(`mongodb://${hosts}/`, {
      auth: { username, password },
      authSource: "admin",
      authMechanism: "SCRAM-SHA-1",
      retryWrites: false,
      serverSelectionTimeoutMS: 5000,
    });
    try {
      await client.connect();
      return true;
    } catch {
      return false;
    } finally {
      await client.close();
    }
  }

  /** Users of DocumentDB but the stand-in's own. */
  async users(): Promise<string[]> {
    const { users } = await this.target.db("admin").command({ usersInfo: 1 });
    return (users as { user: string }[]).map(({ user }) => user).sort();
  }

  /** Waits until both sides hold the same documents in every collection of tasks.yaml. */
  async same(): Promise<void> {
    const all = async (client: MongoClient) => {
      const names = [
        ["shop_orders", "orders"],
        ["shop_orders", "order_items"],
        ["billing", "invoices"],
      ] as const;
      const lists = names.map(([database, name]) =>
        client.db(database).collection(name).find().sort({ _id: 1 }).toArray(),
      );
      return JSON.stringify(await Promise.all(lists));
    };
    await waitFor(
      "both sides equal",
      async () => (await all(this.source)) === (await all(this.target)),
      30_000,
    );
  }

  /** Everything a person, a log or a bucket could show: output, job summaries, objects, host logs, requests, commands. */
  async everythingShown(): Promise<string> {
    const texts = [...this.said, ...this.commandLines];
    for await (const { key } of this.apply.store.list("")) {
      const found = await this.apply.store.get(key);
      if (found) texts.push(key, new TextDecoder().decode(found.body));
    }
    const host = this.apply.sandbox.addresses.host!;
    for (const file of readdirSync(host, { recursive: true, withFileTypes: true })) {
      if (file.isFile() && !file.parentPath.includes("etc/roundtrip"))
        texts.push(readFileSync(join(file.parentPath, file.name), "latin1"));
    }
    texts.push(JSON.stringify(await this.steer("journal")));
    return texts.join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.apply[Symbol.asyncDispose]();
  }
}

/** The documents `inspect` has already; every other action's, as Terraform makes them. */
async function createDocuments(): Promise<void> {
  const ssm = new SSMClient({});
  const folder = join(root, "runbooks/documents");
  for (const file of readdirSync(folder).filter(
    (name) => name.endsWith(".json") && name !== "inspect.json",
  )) {
    const Content = readFileSync(join(folder, file), "utf8");
    const Name = `roundtrip-dev-${file.replace(/\.json$/, "")}`;
    await ssm.send(
      new CreateDocumentCommand({ Name, Content, DocumentType: "Command", DocumentFormat: "JSON" }),
    );
  }
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  let all = "";
  for await (const chunk of stream) all += String(chunk);
  return all;
}
