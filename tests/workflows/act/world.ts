/** Everything a workflow meets: GitHub with the project's repository, AWS, both databases, two hosts, and a runner. */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import {
  CreateDocumentCommand,
  GetParameterCommand,
  PutParameterCommand,
  SSMClient,
} from "@aws-sdk/client-ssm";
import type { Environment } from "../../../core/failback/documents.ts";
import { awsEnvironment, steerAws } from "../../../sandbox/up/aws.ts";
import { type HostHandle, startHost } from "../../../sandbox/up/host.ts";
import { prepareHost } from "../../../scripts/drill/provision/host.ts";
import { ensureDatabaseTools } from "../../../scripts/setup/database-tools.ts";
import { ApplyWorld } from "../../support/apply-world.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { terraformRoot } from "../../support/terraform-root.ts";
import { type ActEvent, type ActRun, runAct } from "./act.ts";
import { GitHub } from "./github.ts";
import { keepPage, keepPages } from "./pages.ts";
import { type Changes, ProjectRepository, type Pull } from "./repository.ts";
import { CommandLineWatch } from "./watch.ts";

const root = join(import.meta.dirname, "../../..");
const region = "us-east-1";
const stateBucket = "roundtrip-apply";
/** The sandbox is quick: a pulse a minute, and a margin for DMS's checkpoints, would be most of the story. */
const settings = { tailMarginSeconds: 0, heartbeatSeconds: 5 };

export class WorkflowWorld implements AsyncDisposable {
  /** What act said, run by run. */
  readonly runs: { readonly workflow: string; readonly raw: string }[] = [];

  private readonly opened = new Map<number, object>();

  private constructor(
    readonly apply: ApplyWorld,
    readonly github: GitHub,
    readonly repository: ProjectRepository,
    readonly folder: string,
    /** The failback host; the operations host is the sandbox's. */
    private readonly host: HostHandle,
    readonly watch: CommandLineWatch,
  ) {}

  static async start(tasksYaml: string): Promise<WorkflowWorld> {
    await using started = new AsyncDisposableStack();
    const folder = temporaryFolder("roundtrip-act");
    const watch = started.use(await CommandLineWatch.start(join(folder, "command-lines")));
    const apply = started.use(await ApplyWorld.start("dev"));
    const github = started.use(await GitHub.start(join(folder, "github")));
    const environment = await publish();
    await prepare(apply, environment, apply.sandbox.addresses.host!, "roundtrip-operations");
    const host = started.use(await failbackHost(apply, environment));
    await createDocuments(environment);
    const terraform = await terraformRoot(apply);
    const repository = ProjectRepository.create(join(folder, "repository"), {
      ...stack(terraform.folder, terraform.variables),
      "tasks.yaml": tasksYaml,
      ".github/CODEOWNERS": "* @olga\n",
      // Every suite is what runs this: it is shown that the workflow gets here.
      ".ci/run": "#!/bin/sh\necho 'every suite'\n",
    });
    writeRunner(folder, apply.aws, repository.origin, terraform.environment);
    const world = new WorkflowWorld(apply, github, repository, folder, host, watch);
    started.move();
    return world;
  }

  get hostFolders(): readonly string[] {
    return [this.apply.sandbox.addresses.host!, this.host.ready.dir];
  }

  /** From now on `npm ci` is npm's own: a download of every package, for each job. */
  installPackages(): void {
    writeFileSync(join(this.folder, "real-npm-ci"), "");
  }

  /** A pull request that changes these files, on GitHub too; `more` are its further fields there, like labels. */
  async open(changes: Changes, more: object = {}): Promise<Pull> {
    const pull = this.repository.open(changes);
    const { repository } = this.github;
    const fields = {
      repository,
      number: pull.number,
      user: { login: "ana", type: "User" },
      head: { sha: pull.head, repo: { full_name: repository } },
      files: Object.keys(changes).map((filename) => ({ filename, status: "modified" })),
      ...more,
    };
    await this.github.seed({ pulls: [fields] });
    this.opened.set(pull.number, fields);
    return pull;
  }

  /** Changes what GitHub knows of a pull request. */
  async update({ number }: Pull, more: object): Promise<void> {
    const fields = { ...this.opened.get(number), ...more };
    this.opened.set(number, fields);
    await this.github.seed({ pulls: [fields] });
  }

  /** Squashed onto main; what comes of it is `onPush`. */
  async merge(pull: Pull): Promise<void> {
    const merge_commit_sha = this.repository.merge(pull);
    await this.update(pull, { state: "closed", merged_at: new Date().toISOString(), merge_commit_sha });
  }

  /** The workflow of a pull request's event, as GitHub takes it: from the test merge. `home` is the head's repository. */
  async onPull(
    workflow: string,
    { number, base, head, merge }: Pull,
    {
      home = this.github.repository,
      event = "pull_request",
    }: { home?: string; event?: "pull_request" | "pull_request_review" } = {},
  ): Promise<ActRun> {
    const repository = { full_name: this.github.repository };
    const pull_request = {
      number,
      head: { sha: head, ref: `change-${number}`, repo: { full_name: home } },
      base: { sha: base, ref: "main" },
    };
    const payload = { action: "opened", number, pull_request, repository };
    const ran = await this.run({ workflow, name: event, payload }, merge);
    for (const text of await this.github.comments(number))
      keepPage(`${ran.number}-comment-of-pull-${number}`, text);
    return ran;
  }

  async onPush(workflow: string): Promise<ActRun> {
    const after = this.repository.main;
    const payload = {
      ref: "refs/heads/main",
      after,
      deleted: false,
      repository: { full_name: this.github.repository },
    };
    return this.run({ workflow, name: "push", payload }, after);
  }

  /** A person in the Actions tab. */
  async dispatch(
    workflow: string,
    inputs: Readonly<Record<string, string>> = {},
    changes: Changes = {},
  ): Promise<ActRun> {
    const payload = { ref: "refs/heads/main", inputs, repository: { full_name: this.github.repository } };
    return this.run({ workflow, name: "workflow_dispatch", payload }, this.repository.main, changes);
  }

  private async run(
    event: ActEvent,
    commit: string,
    changes: Changes = {},
  ): Promise<ActRun & { number: string }> {
    const number = String(this.runs.length + 1);
    this.repository.checkout(commit, changes);
    await this.github.seed({
      runs: [
        {
          repository: this.github.repository,
          id: number,
          approvals: [
            { state: "approved", environments: [{ name: "failback-dev" }], user: { login: "olga" } },
          ],
        },
      ],
    });
    const home = join(this.folder, "home");
    const ran = await runAct(event, {
      checkout: this.repository.runner,
      folder: join(this.folder, "runs", number),
      actions: join(this.folder, "actions"),
      environment: {
        PATH: `${join(this.folder, "bin")}:/usr/bin:/bin`,
        HOME: home,
        XDG_CACHE_HOME: join(home, ".cache"),
        LANG: "C.UTF-8",
        TERM: "dumb",
        ...(process.env.ROUNDTRIP_TEST_SUITE
          ? { ROUNDTRIP_TEST_SUITE: process.env.ROUNDTRIP_TEST_SUITE }
          : {}),
      },
      variables: {
        ROUNDTRIP_ENVIRONMENTS: '["dev"]',
        AWS_REGION: region,
        AWS_ROLE: "arn:aws:iam::000000000000:role/roundtrip-workflow",
        TERRAFORM_STATE_BUCKET: stateBucket,
      },
      secrets: { GITHUB_TOKEN: this.github.token },
      steps: {
        GITHUB_API_URL: this.github.url,
        GITHUB_REPOSITORY: this.github.repository,
        GITHUB_RUN_ID: number,
      },
    });
    this.runs.push({ workflow: event.workflow, raw: ran.raw });
    keepPages(number.padStart(2, "0"), event.workflow, ran);
    return { ...ran, number: number.padStart(2, "0") };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host[Symbol.asyncDispose]();
    await this.github[Symbol.asyncDispose]();
    await this.apply[Symbol.asyncDispose]();
    await this.watch[Symbol.asyncDispose]();
  }
}

/** What the published environment has besides an apply's: everybody who administers, and settings for a quick failback. */
async function publish(): Promise<Environment> {
  const ssm = new SSMClient({});
  const Name = "/roundtrip/dev/environment";
  const { Parameter } = await ssm.send(new GetParameterCommand({ Name }));
  const environment = JSON.parse(Parameter!.Value!) as Environment;
  const administrators = [...environment.documentdb.administrators, "root"];
  const published = { ...environment, documentdb: { ...environment.documentdb, administrators }, settings };
  await ssm.send(new PutParameterCommand({ Name, Value: JSON.stringify(published), Overwrite: true }));
  return published;
}

/** The machine of an outage, off, with the worker and its units. */
async function failbackHost(apply: ApplyWorld, environment: Environment): Promise<HostHandle> {
  const { aws = "" } = apply.sandbox.addresses;
  const { instanceId } = environment;
  await steerAws(aws, "instances", {
    instanceId,
    state: "stopped",
    tags: { Name: "roundtrip-dev-failback" },
  });
  const dir = apply.sandbox.workspace.at("failback-host");
  const variables = await prepare(apply, environment, dir, "roundtrip-failback");
  return startHost({ dir, aws: { url: aws, instanceId }, environment: variables });
}

/** The built worker, its units and the published environment on a host; gives the AWS variables of its role. */
async function prepare(
  { sandbox }: ApplyWorld,
  environment: Environment,
  hostDirectory: string,
  role: string,
): Promise<Readonly<Record<string, string>>> {
  const { aws = "", mongodb = "", documentdb = "" } = sandbox.addresses;
  const awsVariables = awsEnvironment(aws, role);
  const toolsFolder = await ensureDatabaseTools();
  const { instanceId } = environment;
  await prepareHost(
    { mongodb, documentdb, aws, hostDirectory, instanceId, toolsFolder, awsVariables, settings },
    environment,
  );
  return awsVariables;
}

/** One of each action, as Terraform makes them; `inspect` is there. */
async function createDocuments({ documentPrefix }: Environment): Promise<void> {
  const ssm = new SSMClient({});
  const folder = join(root, "runbooks/documents");
  const names = readdirSync(folder).filter((name) => name.endsWith(".json") && name !== "inspect.json");
  for (const file of names) {
    const Content = readFileSync(join(folder, file), "utf8");
    const Name = `${documentPrefix}-${file.replace(/\.json$/, "")}`;
    await ssm.send(
      new CreateDocumentCommand({ Name, Content, DocumentType: "Command", DocumentFormat: "JSON" }),
    );
  }
}

/**
 * `terraform/stack` of this repository: DMS by the repository's own modules, as tests/apply has it, with its state in S3.
 * The whole stack is applied in tests/terraform.
 */
function stack(folder: string, variables: string): Changes {
  const main = readFileSync(join(folder, "main.tf"), "utf8").replaceAll('"./terraform/', '"../');
  const backend =
    'terraform {\n  backend "s3" {\n    use_path_style = true\n    use_lockfile   = true\n  }\n}\n\n';
  const values = {
    ...(JSON.parse(readFileSync(variables, "utf8")) as object),
    tasks_file: "../../tasks.yaml",
  };
  const assignments = Object.entries(values).map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`);
  const own = readdirSync(join(root, "terraform/stack")).map(
    (name) => [`terraform/stack/${name}`, undefined] as const,
  );
  return {
    ...Object.fromEntries(own),
    "terraform/stack/main.tf": `${backend}${main}`,
    "terraform/environments/dev.tfvars": assignments.join(""),
  };
}

/** Stand-ins of actions and of npm, told where things are. The PATH has no bun and no terraform: workflows have to get them. */
function writeRunner(
  folder: string,
  aws: string,
  origin: string,
  terraform: Readonly<Record<string, string>>,
): void {
  const {
    AWS_ENDPOINT_URL: _aws,
    AWS_ACCESS_KEY_ID: _key,
    AWS_SECRET_ACCESS_KEY: _secret,
    ...variables
  } = terraform;
  const [terraformFolder, bin, standIns] = ["terraform", "bin", "actions"].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  for (const made of [terraformFolder, bin, join(folder, "home")]) mkdirSync(made, { recursive: true });
  cpSync(join(import.meta.dirname, "stand-ins"), standIns, { recursive: true });
  cpSync(join(standIns, "npm"), join(bin, "npm"));
  chmodSync(join(bin, "npm"), 0o755);
  const places = {
    ORIGIN: origin,
    AWS: aws,
    TERRAFORM_FOLDER: terraformFolder,
    PACKAGES: root,
    NODE_FOLDER: dirname(Bun.which("node") ?? "/usr/bin/node"),
    NPM: Bun.which("npm") ?? "npm",
    REAL_NPM_CI: join(folder, "real-npm-ci"),
  };
  const text = lines(places);
  for (const place of [
    bin,
    ...readdirSync(standIns)
      .filter((name) => name !== "npm")
      .map((name) => join(standIns, name)),
  ])
    writeFileSync(join(place, "sandbox.env"), text);
  writeFileSync(join(standIns, "setup-terraform/terraform.env"), lines(variables));
  for (const [program, at] of [
    ["terraform", terraformFolder],
    ["node", bin],
    ["git", bin],
  ] as const) {
    const found = Bun.which(program);
    if (found && !existsSync(join(at, program))) symlinkSync(found, join(at, program));
  }
}

function lines(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}
