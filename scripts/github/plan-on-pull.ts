import { readFile } from "node:fs/promises";
import { upsertComment } from "../../adapters/github/comment.ts";
import { pullOfCommit, readPull, reviewersOf } from "../../adapters/github/review.ts";
import { markerOf, withSection } from "../../adapters/github/sections.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Plan } from "../../core/plan/model.ts";
import { renderMarkdown } from "../../core/plan/render-markdown.ts";
import { environmentNames } from "../../core/tasks/model.ts";
import { type JobContext, needed, positiveNumber } from "./context.ts";
import { addToSummary, setValue } from "./runner-files.ts";
import { codeOwnersOf, destructiveLabel, permissionToDestroy, trustIn } from "./trust.ts";

/** Whose owners decide: of the file everything else follows from. */
const ownedPath = "tasks.yaml";
const offline = "offline";
const destructiveNote = `> ⚠️ **Destructive**: applied only with the label \`${destructiveLabel}\` on this pull request, or a code owner's approval of its last commit.`;
const digestPattern = /^sha256:[0-9a-f]{64}$/;

/** Says whether the pull request may be planned with credentials: outputs `live` and `reason`. */
export async function scopeOfPull({ github, repository, variables }: JobContext): Promise<void> {
  const number = positiveNumber(variables, "PULL_NUMBER");
  const pull = await readPull(github, { ...repository, number });
  // What is approved now must be what this run planned: a push meanwhile starts another run.
  const planned = needed(variables, "HEAD_COMMIT");
  const trust =
    pull.headCommit === planned
      ? trustIn(pull, await codeOwners())
      : { live: false, reason: "a newer commit was pushed: its own run plans it" };
  await setValue(variables.GITHUB_OUTPUT, "live", String(trust.live));
  await setValue(variables.GITHUB_OUTPUT, "reason", trust.reason);
  process.stdout.write(`${trust.live ? "planned with credentials" : "planned offline"}: ${trust.reason}\n`);
}

/** Puts a plan into its section of the pull request's comment, and into the job's summary. */
export async function commentPlan(job: JobContext, section: string, planFile: string): Promise<void> {
  const plan = await readPlan(planFile);
  const needs = destroys(plan, section) ? `\n${destructiveNote}\n` : "";
  const text = `## ${section}\n${needs}\n${renderMarkdown(plan)}`;
  const { PLAN_REASON } = job.variables;
  const told = section === offline && PLAN_REASON ? `${text}\n*Planned offline: ${PLAN_REASON}.*\n` : text;
  await addToSummary(job.variables, told);
  const number = positiveNumber(job.variables, "PULL_NUMBER");
  const marker = markerOf("plan");
  const place = { ...job.repository, number, marker, author: job.author };
  // Sections that aren't of this order are dropped: an offline plan and those of environments are never of one run.
  const order = section === offline ? [offline] : environmentNames;
  const done = await upsertComment(job.github, place, (before) =>
    withSection(before, { marker, order, name: section, text: told }),
  );
  process.stdout.write(`comment of #${number}, section ${section}: ${done}\n`);
}

/**
 * After the merge: shows the fresh plan of an environment and hands on its digest, which the gated job applies. Fails
 * `refused` where a gate is needed and asks nobody, or data would be dropped and nobody allowed it.
 */
export async function reviewFreshPlan(job: JobContext, environment: string, planFile: string): Promise<void> {
  const plan = await readPlan(planFile);
  await addToSummary(job.variables, `## ${environment}\n\n${renderMarkdown(plan)}`);
  if (environment === "prod") await assertGated(job, environment);
  if (destroys(plan, environment)) await assertMayDestroy(job);
  await setValue(job.variables.GITHUB_OUTPUT, "digest", plan.digest);
  process.stdout.write(`${environment}: ${plan.digest}\n`);
}

/** Whether data is dropped or a task loses its place, in this environment; offline, in any. */
function destroys({ tasks, environments }: Plan, name: string): boolean {
  const concerned = environments.filter((each) => each.name === name || name === offline);
  return (
    tasks.some(({ destructive }) => destructive) ||
    concerned.some((data) => data.databasesDropped.length + data.collectionsDropped.length > 0)
  );
}

/** Fails `refused` where the environment's gate asks for nobody's approval. */
export async function assertGated({ github, repository }: JobContext, environment: string): Promise<void> {
  const reviewers = await reviewersOf(github, { ...repository, environment });
  if (reviewers && reviewers.length > 0) return;
  throw new RoundtripError({
    kind: "refused",
    what: `apply to ${environment}`,
    expected: "an environment with a required reviewer",
    got: reviewers ? "one that asks nobody" : "no such environment",
    wayOut: "set reviewers in .github/repository.yaml and run scripts/github-setup.ts (docs/set-up.md)",
  });
}

async function assertMayDestroy({ github, repository, variables }: JobContext): Promise<void> {
  const commit = needed(variables, "GITHUB_SHA");
  const number = await pullOfCommit(github, { ...repository, commit });
  const pull = number === undefined ? undefined : await readPull(github, { ...repository, number });
  const permission = pull && permissionToDestroy(pull, await codeOwners());
  if (permission) {
    process.stdout.write(`destructive lines are allowed: ${permission}\n`);
    return;
  }
  throw new RoundtripError({
    kind: "refused",
    what: `apply commit ${commit}`,
    expected: `the label ${destructiveLabel} on its pull request, or a code owner's approval of its last commit`,
    got: pull ? `#${pull.number} has neither` : "no merged pull request of this commit",
    wayOut: `put the label on the pull request, after reading its plan, and run this job again`,
  });
}

async function codeOwners(): Promise<string[]> {
  return codeOwnersOf(await readFile(".github/CODEOWNERS", "utf8").catch(() => ""), ownedPath);
}

async function readPlan(file: string): Promise<Plan> {
  const text = await readFile(file, "utf8").catch(() => "");
  const plan = parsed(text);
  if (plan && digestPattern.test(plan.digest)) return plan;
  throw new RoundtripError({
    kind: "configuration",
    what: `read the plan in ${file}`,
    expected: "what roundtrip plan --json prints, with its digest",
    got: text === "" ? "nothing" : JSON.stringify(text.slice(0, 80)),
    wayOut: "see why the step before did not plan",
  });
}

function parsed(text: string): Plan | undefined {
  try {
    return JSON.parse(text) as Plan;
  } catch {
    return undefined;
  }
}
