import { describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getOctokit } from "@actions/github";
import {
  ownerToken,
  startTestGitHub,
  type TestGitHub,
  testRepository,
} from "../../../sandbox/github/test-server.ts";

const root = join(import.meta.dirname, "../../..");
const example = readFileSync(join(root, ".github/repository.yaml"), "utf8");
/** The committed file, filled in as docs/set-up.md says. */
const filled = example
  .replaceAll("000000000000", "123456789012")
  .replaceAll("@REPLACE", "@ann")
  .replace("REPLACE-roundtrip-state", "acme-roundtrip-state")
  .replace("REPLACE-roundtrip-releases", "acme-releases");

class Repository implements AsyncDisposable {
  private constructor(
    readonly github: TestGitHub,
    private readonly folder: string,
  ) {}

  static async start(): Promise<Repository> {
    const github = await startTestGitHub();
    await github.seed({
      users: [
        { login: "ann", id: 71 },
        { login: "bob", id: 72 },
      ],
    });
    return new Repository(github, mkdtempSync(join(tmpdir(), "github-setup-")));
  }

  get client(): ReturnType<typeof getOctokit> {
    return getOctokit(ownerToken, { baseUrl: this.github.url });
  }

  async setUp(text: string, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const file = join(this.folder, "repository.yaml");
    writeFileSync(file, text);
    const child = Bun.spawn([process.execPath, "scripts/github-setup.ts", "--file", file, ...args], {
      cwd: root,
      env: {
        PATH: process.env.PATH ?? "",
        GITHUB_API_URL: this.github.url,
        GITHUB_REPOSITORY: "acme/data",
        GITHUB_TOKEN: ownerToken,
      },
      stdout: "pipe",
      stderr: "pipe",
    });
    const stdout = await new Response(child.stdout).text();
    return { code: await child.exited, stdout, stderr: await new Response(child.stderr).text() };
  }

  /** Names of what was asked that could change something. */
  async writes(): Promise<string[]> {
    return (await this.github.operations()).filter((name) => /\/(create|update|set|delete)-/.test(name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.github[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

describe("github-setup", () => {
  test("releases: a gated environment for the branch alone, the role, the bucket; none of it where they are left out", async () => {
    await using repository = await Repository.start();
    const made = await repository.setUp(filled, "--apply");
    expect(made.stdout).toContain(
      "environment release\n    now   not there\n    then  @ann; its branch only",
    );
    expect(made.stdout).toContain(
      "environment release, variable AWS_ROLE\n    now   not there\n    then  arn:aws:iam::",
    );
    expect(made.stdout).toContain("variable RELEASE_BUCKET\n    now   not there\n    then  acme-releases");
    const unfilled = await repository.setUp(filled.replace("acme-releases", "REPLACE-releases"));
    expect([unfilled.code, unfilled.stderr]).toEqual([
      6,
      expect.stringContaining("releases is still the example's"),
    ]);
    await using another = await Repository.start();
    const without = await another.setUp(filled.replace(/^releases:\n(?: {2}.*\n)+/m, ""));
    expect([without.code, /release/i.test(without.stdout)]).toEqual([0, false]);
  });

  test("shows everything and changes nothing; with --apply makes it; run again, nothing is left", async () => {
    await using repository = await Repository.start();
    const shown = await repository.setUp(filled);
    expect(shown.code).toBe(0);
    expect(shown.stdout).toContain("none made: --apply makes them");
    expect(shown.stdout).toContain(
      "environment failback-prod\n    now   not there\n    then  @ann; its branch only",
    );
    expect(await repository.writes()).toEqual([]);

    const made = await repository.setUp(filled, "--apply");
    expect(made).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+ change\(s\) made to acme\/data$/m),
    });
    await repository.github.control("DELETE", "journal");
    const again = await repository.setUp(filled, "--apply");
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining("nothing to change") });
    expect(await repository.writes()).toEqual([]);

    const { rest } = repository.client;
    const prod = { ...testRepository, environment_name: "prod" };
    expect((await rest.repos.getEnvironment(prod)).data.protection_rules).toMatchObject([
      { type: "required_reviewers", reviewers: [{ type: "User", reviewer: { login: "ann" } }] },
      { type: "branch_policy" },
    ]);
    const branches = (await rest.repos.listDeploymentBranchPolicies(prod)).data.branch_policies;
    expect(branches.map(({ name }) => name)).toEqual(["main"]);
    const role = await rest.actions.listEnvironmentVariables({
      ...testRepository,
      environment_name: "plan-dev",
    });
    expect(role.data.variables).toMatchObject([
      { name: "AWS_ROLE", value: "arn:aws:iam::123456789012:role/roundtrip-plan" },
    ]);
    const { data } = await rest.actions.listRepoVariables(testRepository);
    const environments = data.variables.find(({ name }) => name === "ROUNDTRIP_ENVIRONMENTS");
    expect(environments?.value).toBe('["dev","prod"]');
  });

  test("killed in the middle, it is run again and finishes", async () => {
    await using repository = await Repository.start();
    await repository.github.arm({
      operation: "repos/create-or-update-environment",
      nth: 4,
      action: { status: 422, code: "stopped" },
    });
    expect((await repository.setUp(filled, "--apply")).code).toBe(6);
    expect((await repository.setUp(filled, "--apply")).code).toBe(0);
    expect((await repository.setUp(filled)).stdout).toContain("nothing to change");
  });

  test("what somebody changed by hand is shown and put back: a reviewer, a branch, a rule, a token", async () => {
    await using repository = await Repository.start();
    await repository.setUp(filled, "--apply");
    const { rest } = repository.client;
    const prod = { ...testRepository, environment_name: "prod" };
    await rest.repos.createOrUpdateEnvironment({
      ...prod,
      reviewers: [{ type: "User", id: 72 }],
      deployment_branch_policy: { protected_branches: false, custom_branch_policies: true },
    });
    await rest.repos.createDeploymentBranchPolicy({ ...prod, name: "feature/*" });
    await rest.actions.setGithubActionsDefaultWorkflowPermissionsRepository({
      ...testRepository,
      default_workflow_permissions: "write",
    });
    const [ruleset] = (await rest.repos.getRepoRulesets(testRepository)).data;
    const id = { ...testRepository, ruleset_id: ruleset!.id };
    await rest.repos.updateRepoRuleset({ ...id, rules: [{ type: "deletion" }] });
    const { stdout } = await repository.setUp(filled, "--apply");
    expect(stdout.split("\n").filter((line) => /^\S/.test(line))).toEqual([
      "a workflow's default token",
      "rules of branch main",
      "environment prod",
      "environment prod, branch feature/*",
      "4 change(s) made to acme/data",
    ]);
    expect((await repository.setUp(filled)).stdout).toContain("nothing to change");
  });

  test("a reviewer whom GitHub drops without a word is found out", async () => {
    await using repository = await Repository.start();
    await repository.github.seed({ users: [{ login: "ann", id: 71, canRead: false }] });
    const ran = await repository.setUp(filled, "--apply");
    expect(ran).toMatchObject({
      code: 5,
      stderr: expect.stringContaining("environment prod: 0 reviewer(s)"),
    });
  });

  test("a reviewer who isn't there stops it before anything is changed", async () => {
    await using repository = await Repository.start();
    const ran = await repository.setUp(filled.replaceAll("@ann", "@nobody"), "--apply");
    expect(ran).toMatchObject({ code: 5, stderr: expect.stringContaining("/users/") });
    expect(await repository.writes()).toEqual([]);
  });

  test.each([
    ["as it was committed", () => example, "environments.dev.plan is still the example's"],
    [
      "prod without a reviewer",
      () => filled.replace(/(roundtrip-apply"), reviewers: \["@ann"\]/, "$1"),
      "prod needs somebody",
    ],
    ["an unknown key", () => `${filled}\nsecrets: {}\n`, "secrets"],
    [
      "a role that is no ARN",
      () => filled.replace("arn:aws:iam::123456789012:role/roundtrip-plan", "admin"),
      "/environments/dev/plan/role",
    ],
  ])("a file %s is refused before GitHub is asked", async (_name, text, said) => {
    await using repository = await Repository.start();
    const ran = await repository.setUp(text(), "--apply");
    expect(ran).toMatchObject({ code: 6, stderr: expect.stringContaining(said) });
    expect(await repository.github.operations()).toEqual([]);
  });
});
