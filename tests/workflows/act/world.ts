/** Everything a workflow meets: GitHub with the project's repository, AWS, both databases, two hosts, and a runner. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { HostHandle } from "../../../sandbox/up/host.ts";
import { ApplyWorld } from "../../support/apply-world.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { terraformRoot } from "../../support/terraform-root.ts";
import { type ActEvent, type ActRun, runAct } from "./act.ts";
import { completeEnvironment } from "./environment.ts";
import { GitHub } from "./github.ts";
import { keepPage, keepPages } from "./pages.ts";
import { type Changes, ProjectRepository, type Pull } from "./repository.ts";
import { writeRunner } from "./runner.ts";
import { stack } from "./stack.ts";
import { CommandLineWatch } from "./watch.ts";

const region = "us-east-1";
const stateBucket = "roundtrip-apply";

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
    private readonly name: string,
  ) {}

  /** A world whose main branch has this tasks.yaml; the pages of its runs begin with `name`. */
  static async start(name: string, tasksYaml: string): Promise<WorkflowWorld> {
    await using started = new AsyncDisposableStack();
    const folder = temporaryFolder("roundtrip-act");
    const watch = started.use(await CommandLineWatch.start(join(folder, "command-lines")));
    const apply = started.use(await ApplyWorld.start("dev"));
    const github = started.use(await GitHub.start(join(folder, "github")));
    const host = started.use(await completeEnvironment(apply));
    const terraform = await terraformRoot(apply);
    const repository = ProjectRepository.create(join(folder, "repository"), {
      ...stack(terraform.folder, terraform.variables),
      "tasks.yaml": tasksYaml,
      ".github/CODEOWNERS": "* @olga\n",
      // Every suite is what runs this: it is shown that the workflow gets here.
      ".ci/run": "#!/bin/sh\necho 'every suite'\n",
    });
    writeRunner(folder, apply.aws, repository.origin, terraform.environment);
    const world = new WorkflowWorld(apply, github, repository, folder, host, watch, name);
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
      keepPage(`${ran.page}-comment-of-pull-${number}`, text);
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
  ): Promise<ActRun & { page: string }> {
    const number = String(this.runs.length + 1);
    const page = `${this.name}-${number.padStart(2, "0")}`;
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
    // A workflow made for a test is nobody's page.
    if (Object.keys(changes).length === 0) keepPages(page, event.workflow, ran);
    return { ...ran, page };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host[Symbol.asyncDispose]();
    await this.github[Symbol.asyncDispose]();
    await this.apply[Symbol.asyncDispose]();
    await this.watch[Symbol.asyncDispose]();
  }
}
