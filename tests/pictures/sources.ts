/** What people see on GitHub, as real runs on the stand-ins leave it; nothing here is written by hand. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTestGitHub, testRepository, workflowToken } from "../../sandbox/github/test-server.ts";
import { ApplyWorld } from "../support/apply-world.ts";
import { terraformProgram } from "../support/terraform.ts";
import { terraformRoot } from "../support/terraform-root.ts";

const root = join(import.meta.dirname, "../..");
const repository = `${testRepository.owner}/${testRepository.repo}`;
/** The variables of GitHub's runner that a summary or a comment depends on. */
const runner = {
  GITHUB_SERVER_URL: "https://github.com",
  GITHUB_REPOSITORY: repository,
  GITHUB_ACTOR: "ana",
  ROUNDTRIP_APPROVED_BY: "ben",
};

/** Name of the picture to Markdown. */
export type Sources = Readonly<Record<string, string>>;

/** The summaries of the four runbooks of a failback: a small drill's. */
export async function failbackSources(): Promise<Sources> {
  return await inFolder(async (folder) => {
    const summary = join(folder, "summary.md");
    const options = ["--changes", "3000", "--docs", "500", "--report", "/dev/null"];
    await bun(["scripts/drill.ts", ...options], { ...runner, GITHUB_STEP_SUMMARY: summary });
    const parts = readFileSync(summary, "utf8").split(/^(?=## ✅ )/m);
    const named = parts.flatMap((part) => {
      const [, name] = /^## ✅ (?:PROVEN: )?(failback-[a-z]+) succeeded\n/.exec(part) ?? [];
      return name ? [[name, part] as const] : [];
    });
    return Object.fromEntries(named);
  });
}

const yaml = (shop: string) => `version: 1
tasks:
  - {id: shop-orders, database: shop, collections: [${shop}]}
  - {id: billing, database: billing, collections: [invoices]}
`;

/** A pull request's comment, the apply that follows it, drift, and a runbook that is refused. */
export async function applySources(): Promise<Sources> {
  if (!terraformProgram) throw new Error("no terraform on PATH");
  await using world = await ApplyWorld.start("dev");
  Object.assign(process.env, runner);
  for (const [database, collection] of [
    ["shop", "orders"],
    ["shop", "carts"],
    ["billing", "invoices"],
  ] as const)
    await world.source
      .db(database)
      .collection(collection)
      .insertMany([{ a: 1 }, { a: 2 }, { a: 3 }]);
  const { folder, variables, environment: terraform } = await terraformRoot(world);
  Object.assign(process.env, terraform);
  const withTerraform = ["--terraform", folder, "--var-file", variables];
  world.commit(yaml("orders, carts"));
  await expectCode(0, await world.run([...withTerraform, "--unreviewed"], { terraform }));
  await world.source
    .db("shop")
    .collection("notes")
    .insertMany([{ a: 1 }, { a: 2 }]);
  world.commit(yaml("orders, notes"));
  const planned = await world.roundtrip("plan", "--env", "dev", "--head", "HEAD", "--json", ...withTerraform);
  const { digest } = JSON.parse(planned.stdout) as { digest: string };
  const comment = await commentOf(planned.stdout);
  const applied = await world.run([...withTerraform, "--digest", digest], { terraform });
  await expectCode(0, applied);
  const refused = await refusal(world);
  await world.tasks.stop((await world.task("billing")).arn, 30);
  const drift = await world.roundtrip("drift", "--env", "dev", "--markdown");
  return { "pull-request": comment, apply: applied.summary, drift: drift.stdout, error: refused };
}

/** A failback is started while DMS still runs. */
async function refusal(world: ApplyWorld): Promise<string> {
  return await inFolder(async (folder) => {
    const summary = join(folder, "summary.md");
    process.env.GITHUB_STEP_SUMMARY = summary;
    try {
      await expectCode(3, await world.roundtrip("runbook", "failback-start", "--env", "dev"));
      return readFileSync(summary, "utf8");
    } finally {
      process.env.GITHUB_STEP_SUMMARY = "";
    }
  });
}

/** The comment as the step of plan.yml leaves it on the pull request. */
async function commentOf(plan: string): Promise<string> {
  await using github = await startTestGitHub();
  const head = { sha: "a".repeat(40), repo: { full_name: repository } };
  const { pulls } = await github.seed({ pulls: [{ repository, head, files: [{ filename: "tasks.yaml" }] }] });
  return await inFolder(async (folder) => {
    writeFileSync(join(folder, "plan.json"), plan);
    await bun(["scripts/github.ts", "comment", "--env", "dev", "--plan", join(folder, "plan.json")], {
      GITHUB_REPOSITORY: repository,
      GITHUB_API_URL: github.url,
      GITHUB_TOKEN: workflowToken,
      PULL_NUMBER: String(pulls[0]),
    });
    const answer = await fetch(`${github.url}/repos/${repository}/issues/${pulls[0]}/comments`, {
      headers: { authorization: `Bearer ${workflowToken}` },
    });
    const [comment] = (await answer.json()) as { body: string }[];
    return comment?.body ?? "";
  });
}

async function bun([script = "", ...args]: readonly string[], variables: Readonly<Record<string, string>>) {
  const child = Bun.spawn([process.execPath, join(root, script), ...args], {
    cwd: root,
    env: { ...process.env, ...variables },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  await expectCode(0, { code: await child.exited, stdout, stderr });
}

async function expectCode(
  code: number,
  ran: { code: number; stdout: string; stderr: string },
): Promise<void> {
  if (ran.code !== code) throw new Error(`exit code ${ran.code}: ${ran.stderr.slice(-2000)}`);
}

async function inFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), "pictures-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
