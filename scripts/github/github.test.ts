import { describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectGitHub, type GitHub } from "../../adapters/github/client.ts";
import {
  ownerToken,
  startTestGitHub,
  type TestGitHub,
  testRepository,
  workflowToken,
} from "../../sandbox/github/test-server.ts";
import { InstantClock } from "../../tests/support/instant-clock.ts";
import { codeOwnersOf, trustIn } from "./trust.ts";

const root = join(import.meta.dirname, "../..");
const repository = "acme/data";
const head = "a".repeat(40);
const merge = "c".repeat(40);

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

class Job implements AsyncDisposable {
  private constructor(
    readonly github: TestGitHub,
    readonly folder: string,
  ) {}

  static async start(): Promise<Job> {
    return new Job(await startTestGitHub(), mkdtempSync(join(tmpdir(), "github-job-")));
  }

  get client(): GitHub {
    return connectGitHub({ token: ownerToken, baseUrl: this.github.url, clock: new InstantClock() });
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  /** What a step wrote to one of the runner's files; "" where it wrote nothing. */
  wrote(name: "output" | "env" | "summary"): string {
    return readFileSync(this.file(name), { encoding: "utf8", flag: "a+" });
  }

  /** A step as a process, with the variables that the runner gives it. */
  async step(args: readonly string[], variables: Readonly<Record<string, string>> = {}): Promise<Ran> {
    const child = Bun.spawn([process.execPath, ...args], {
      cwd: root,
      env: {
        PATH: process.env.PATH ?? "",
        HOME: this.folder,
        GITHUB_API_URL: this.github.url,
        GITHUB_REPOSITORY: repository,
        GITHUB_TOKEN: workflowToken,
        GITHUB_SHA: merge,
        GITHUB_OUTPUT: this.file("output"),
        GITHUB_ENV: this.file("env"),
        GITHUB_STEP_SUMMARY: this.file("summary"),
        ...variables,
      },
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    return { code: await child.exited, stdout, stderr };
  }

  /** The plan of tasks.yaml without its first collection, or from nothing, as `roundtrip plan --json` prints it. */
  async plan(change: "drop" | "create"): Promise<string> {
    const whole = readFileSync(join(root, "tasks.yaml"), "utf8");
    const cut = this.file("cut.yaml");
    const removed = await this.removeCollection(whole, cut);
    const [base, other] = change === "drop" ? ["tasks.yaml", removed] : [removed, "tasks.yaml"];
    const ran = await this.step(["scripts/roundtrip.ts", "plan", "--base", base, "--head", other, "--json"]);
    if (ran.code !== 0) throw new Error(ran.stderr);
    const file = this.file(`${change}.json`);
    writeFileSync(file, ran.stdout);
    return file;
  }

  private async removeCollection(text: string, file: string): Promise<string> {
    writeFileSync(file, text);
    const shown = await this.step(["scripts/roundtrip.ts", "tasks", "show", "--env", "dev", "--file", file]);
    const { tasks } = JSON.parse(shown.stdout) as {
      tasks: { id: string; tableMappings: { rules: { "object-locator": { "table-name": string } }[] } }[];
    };
    const task = tasks.find(({ tableMappings }) => tableMappings.rules.length > 1)!;
    const name = task.tableMappings.rules[0]!["object-locator"]["table-name"].replace(/[[\]]/g, "");
    const ran = await this.step([
      "scripts/roundtrip.ts",
      "tasks",
      "remove-collection",
      task.id,
      name,
      "--file",
      file,
    ]);
    if (ran.code !== 0) throw new Error(ran.stderr);
    return file;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.github[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const pull = (given: object) => ({
  repository,
  head: { sha: head, repo: { full_name: repository } },
  ...given,
});
const github = "scripts/github.ts";

describe("who gets credentials", () => {
  const asked = {
    number: 1,
    author: "dev",
    headCommit: head,
    isFork: false,
    labels: ["allow-destructive"],
    paths: ["tasks.yaml"],
    approvals: [] as string[],
  };
  test.each([
    ["tasks.yaml and pages", { paths: ["tasks.yaml", "docs/apply.md", "README.md"] }, true],
    ["a fork, though approved", { isFork: true, approvals: ["ann"] }, false],
    ["Terraform", { paths: ["tasks.yaml", "terraform/modules/dms/main.tf"] }, false],
    ["Terraform, approved by an owner", { paths: ["terraform/a.tf"], approvals: ["ANN"] }, true],
    ["code, approved by somebody else", { paths: ["core/errors.ts"], approvals: ["bob"] }, false],
    ["code, approved by its author", { paths: ["core/errors.ts"], author: "ann", approvals: ["ann"] }, false],
    ["a tasks.yaml elsewhere", { paths: ["x/tasks.yaml"] }, false],
    ["a program among the pages", { paths: ["docs/run.ts"] }, false],
    ["a page moved from a workflow", { paths: ["docs/a.md", ".github/workflows/plan.yml"] }, false],
    ["more files than GitHub tells", { paths: ["tasks.yaml", "(more)"] }, false],
  ])("%s", (_name, change, live) => {
    expect(trustIn({ ...asked, ...change }, ["ann"]).live).toBe(live);
  });

  test("owners: the last line that matches; people only; none where nobody owns it", () => {
    const text = "* @ann\n# note\n/tasks.yaml @bob @acme/data # both\n/docs/ @cid";
    expect(codeOwnersOf(text, "tasks.yaml")).toEqual(["bob"]);
    expect(codeOwnersOf(text, "docs/a.md")).toEqual(["cid"]);
    expect(codeOwnersOf(text, "core/a.ts")).toEqual(["ann"]);
    expect(codeOwnersOf("", "tasks.yaml")).toEqual([]);
  });

  test("scope: outputs live for this commit, and not for one that was pushed meanwhile", async () => {
    await using job = await Job.start();
    const { pulls } = await job.github.seed({ pulls: [pull({ files: [{ filename: "tasks.yaml" }] })] });
    const scope = (commit: string) =>
      job.step([github, "scope"], { PULL_NUMBER: String(pulls[0]), HEAD_COMMIT: commit });
    expect((await scope(head)).stdout).toContain("planned with credentials");
    expect((await scope("b".repeat(40))).stdout).toContain("planned offline");
    expect(job.wrote("output").match(/\n(true|false)\n/g)).toEqual(["\ntrue\n", "\nfalse\n"]);
  });
});

describe("the plan on a pull request", () => {
  test("three environments in one comment; run again, the comment stays; the summary has it, too", async () => {
    await using job = await Job.start();
    const { pulls } = await job.github.seed({ pulls: [pull({})] });
    const plan = await job.plan("create");
    const variables = { PULL_NUMBER: String(pulls[0]) };
    const offline = await job.step([github, "comment", "--plan", plan], {
      ...variables,
      PLAN_REASON: "a fork",
    });
    expect(offline).toMatchObject({ code: 0, stdout: expect.stringContaining("created") });
    for (const name of ["prod", "dev", "qa"])
      expect((await job.step([github, "comment", "--plan", plan, "--env", name], variables)).code).toBe(0);
    const again = await job.step([github, "comment", "--plan", plan, "--env", "qa"], variables);
    expect(again.stdout).toContain("section qa: unchanged");
    const { data } = await job.client.rest.issues.listComments({
      ...testRepository,
      issue_number: pulls[0]!,
    });
    expect(data).toHaveLength(1);
    const headings = [...(data[0]?.body ?? "").matchAll(/^## (\S+)/gm)].map(([, name]) => name);
    expect(headings).toEqual(["dev", "qa", "prod"]);
    expect(data[0]?.body).toContain("digest `sha256:");
    expect(job.wrote("summary")).toContain("### Plan:");
  });

  test.each(["{}", "", "no plan was made"])(
    "a plan that could not be made (%p) is no comment",
    async (text) => {
      await using job = await Job.start();
      const { pulls } = await job.github.seed({ pulls: [pull({})] });
      writeFileSync(job.file("empty.json"), text);
      const args = [github, "comment", "--plan", job.file("empty.json")];
      const ran = await job.step(args, { PULL_NUMBER: String(pulls[0]) });
      expect(ran.code).toBe(6);
      expect(ran.stderr).toContain("see why the step before did not plan");
      expect(await job.github.operations()).toEqual([]);
    },
  );
});

describe("the fresh plan after the merge", () => {
  const merged = (given: object = {}) =>
    pull({ merge_commit_sha: merge, merged_at: "2026-11-21T00:00:00Z", state: "closed", ...given });
  const fresh = (plan: string, name: string) => [github, "fresh-plan", "--plan", plan, "--env", name];

  test("of nothing destructive hands its digest on", async () => {
    await using job = await Job.start();
    const plan = await job.plan("create");
    expect((await job.step(fresh(plan, "dev"))).code).toBe(0);
    const { digest } = JSON.parse(readFileSync(plan, "utf8")) as { digest: string };
    expect(job.wrote("output")).toContain(`\n${digest}\n`);
  });

  test("prod without a required reviewer is refused, with one it goes on", async () => {
    await using job = await Job.start();
    const plan = await job.plan("create");
    const prod = { ...testRepository, environment_name: "prod" };
    expect(await job.step(fresh(plan, "prod"))).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/no such environment/),
    });
    await job.client.rest.repos.createOrUpdateEnvironment(prod);
    expect(await job.step(fresh(plan, "prod"))).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/asks nobody/),
    });
    expect(job.wrote("output")).toBe("");
    await job.github.seed({ users: [{ login: "ann", id: 5 }] });
    await job.client.rest.repos.createOrUpdateEnvironment({ ...prod, reviewers: [{ type: "User", id: 5 }] });
    expect((await job.step(fresh(plan, "prod"))).code).toBe(0);
    expect(job.wrote("output")).toContain("digest<<");
  });

  test("that drops a collection needs the label on the pull request of this very commit", async () => {
    await using job = await Job.start();
    const plan = await job.plan("drop");
    const refused = await job.step(fresh(plan, "dev"));
    expect(refused).toMatchObject({ code: 3, stderr: expect.stringMatching(/no merged pull request/) });
    const { pulls } = await job.github.seed({ pulls: [merged()] });
    expect(await job.step(fresh(plan, "dev"))).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/has neither/),
    });
    expect(job.wrote("output")).toBe("");
    const labels = ["allow-destructive"];
    await job.client.rest.issues.addLabels({ ...testRepository, issue_number: pulls[0]!, labels });
    expect((await job.step(fresh(plan, "dev"))).stdout).toContain("carries the label allow-destructive");
    expect(job.wrote("output")).toContain("digest<<");
  });
});

describe("drift", () => {
  const report = (environment: string, text: string) => `<!-- roundtrip:drift:${environment} -->\n${text}\n`;
  const track = (job: Job, text: string, code: number) => {
    writeFileSync(job.file("drift.md"), text);
    return job.step([
      github,
      "drift-issue",
      "--env",
      "prod",
      "--text",
      job.file("drift.md"),
      "--exit-code",
      String(code),
    ]);
  };
  const states = async (job: Job) =>
    (await job.client.rest.issues.listForRepo({ ...testRepository, state: "all" })).data.map(
      ({ state, body }) => [state, body?.split("\n")[1]],
    );

  test("found, then not readable, then clean: one issue, open until it is clean", async () => {
    await using job = await Job.start();
    await track(job, report("prod", "a task is stopped"), 2);
    await track(job, report("prod", "DMS could not be read"), 14);
    expect(await states(job)).toEqual([["open", "DMS could not be read"]]);
    expect((await track(job, report("prod", "clean"), 0)).stdout).toContain("closed");
    expect(await states(job)).toEqual([["closed", "clean"]]);
  });

  test("that could not be looked at, or another environment's text, leaves the issue and fails", async () => {
    await using job = await Job.start();
    await track(job, report("prod", "a"), 2);
    expect((await track(job, report("prod", "clean"), 4)).code).toBe(3);
    expect((await track(job, report("dev", "clean"), 0)).code).toBe(3);
    expect((await track(job, "", 0)).code).toBe(3);
    expect(await states(job)).toEqual([["open", "a"]]);
  });
});

test("who approved the gate is in the journal's variable; a login can't add a variable of its own", async () => {
  await using job = await Job.start();
  const approvals = [
    { state: "approved", user: { login: "ann\nEVIL=1" }, environments: [{ name: "failback-prod" }] },
  ];
  await job.github.seed({ runs: [{ repository, id: 7, approvals }] });
  const ran = await job.step([github, "approved-by", "--env", "failback-prod"], { GITHUB_RUN_ID: "7" });
  expect(ran.code).toBe(0);
  const [first = "", ...lines] = job.wrote("env").trimEnd().split("\n");
  expect(first).toMatch(/^ROUNDTRIP_APPROVED_BY<<end-[0-9a-f]{32}$/);
  expect(lines).toEqual(["ann", "EVIL=1", first.split("<<")[1]!]);
});

test("a GitHub that does not answer holds up no failback, and the journal says that it did not; a refusal does", async () => {
  await using job = await Job.start();
  const asked = [github, "approved-by", "--env", "failback-prod"];
  // Longer than anybody waits: given up at once.
  const action = { status: 429, code: "secondary-rate-limit:3600" };
  await job.github.arm({ operation: "actions/get-reviews-for-run", action });
  const ran = await job.step(asked, { GITHUB_RUN_ID: "7" });
  expect(ran.code).toBe(0);
  expect(ran.stdout).toStartWith("::warning::");
  expect(job.wrote("env")).toContain("\nnot known: GitHub did not answer\n");
  expect((await job.step(asked, { GITHUB_RUN_ID: "7", GITHUB_TOKEN: "another" })).code).toBe(5);
});

test("a missing token is said by its name", async () => {
  await using job = await Job.start();
  const ran = await job.step([github, "scope"], { GITHUB_TOKEN: "" });
  expect(ran).toMatchObject({ code: 6, stderr: expect.stringContaining("GITHUB_TOKEN") });
});

describe("a command in the job's summary", () => {
  test("its output is fenced, longer than what it holds; its exit code is the step's", async () => {
    await using job = await Job.start();
    const ran = await job.step(["scripts/in-summary.ts", "validate", "tasks.yaml"]);
    expect(ran).toEqual({ code: 0, stdout: "tasks.yaml: valid\n", stderr: "" });
    expect(job.wrote("summary")).toBe("### validate\n\n```text\ntasks.yaml: valid\n```\n");
  });

  test("that fails before it has a summary of its own gets one with the message and the way out", async () => {
    await using job = await Job.start();
    const ran = await job.step(["scripts/in-summary.ts", "runbook", "failback-start", "--mode", "maybe"]);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain("one of: plan, run");
    expect(job.wrote("summary").split("\n")).toEqual([
      "### ❌ runbook failback-start: exit code 2 (the command line is wrong)",
      "",
      "- **What**: take --mode",
      "- **Expected**: arguments as --help shows them",
      "- **Got**: maybe",
      "- **Way out**: one of: plan, run",
      "",
      "",
    ]);
  });

  test("Markdown stands as it is", async () => {
    await using job = await Job.start();
    const files = ["--base", "tasks.yaml", "--head", "tasks.yaml"];
    await job.step(["scripts/in-summary.ts", "plan", ...files, "--markdown"]);
    expect(job.wrote("summary")).toStartWith("### Plan: ");
  });
});
