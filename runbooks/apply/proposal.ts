/** What an apply is about to do, and whether it may: what was reviewed, or it fails closed (R4). */
import { readApplied } from "../../adapters/live/applied.ts";
import { readJson } from "../../adapters/state/json.ts";
import { RoundtripError } from "../../core/errors.ts";
import { operationKeys } from "../../core/operations/layout.ts";
import type { Applied } from "../../core/plan/applied.ts";
import type { Plan } from "../../core/plan/model.ts";
import { makePlan } from "../../core/plan/plan.ts";
import type { ObjectStore } from "../../core/ports.ts";
import { type EnvironmentName, environmentNames } from "../../core/tasks/model.ts";
import { parseTasks } from "../../core/tasks/tasks.ts";
import { openOperation } from "../engine/operation.ts";

export const applyName = "apply";

/** `tasks.yaml` of one commit. */
export interface HeadRevision {
  readonly tasksText: string;
  readonly commit: string;
  readonly tree: string;
}

/** `operations/<id>/plan.json`: what one apply does, kept so that a second try does the same. */
export interface Proposal {
  readonly version: 1;
  readonly environment: EnvironmentName;
  /** What was last applied when the plan was made; absent when nothing ever was. */
  readonly base?: { readonly value: Applied; readonly etag: string };
  readonly head: HeadRevision;
  readonly plan: Plan;
}

export interface ProposalRequest {
  readonly environment: string;
  readonly head: HeadRevision;
  /** Of the plan that was reviewed. */
  readonly digest?: string;
  /** Apply without a review: in dev only. */
  readonly unreviewed: boolean;
  /** Without a review, and the plan drops data. */
  readonly yesDelete: boolean;
  /** Whether one commit is an ancestor of another; `undefined` when git can't tell. */
  isAncestor(commit: string, of: string): Promise<boolean | undefined>;
}

export type Proposed =
  | { readonly state: "open"; readonly proposal: Proposal }
  | { readonly state: "applied"; readonly applied: Applied };

/**
 * Plans again from what was last applied, and compares with what was reviewed. An apply of the same digest that was
 * interrupted is gone on with as it was planned. Fails `refused` for anything that wasn't reviewed as it is now.
 */
export async function propose(store: ObjectStore, request: ProposalRequest): Promise<Proposed> {
  const environment = environmentOf(request.environment);
  const { digest, head } = request;
  const interrupted = digest && (await openOperation({ store }, applyName, { digest }));
  if (interrupted) {
    const frozen = await readJson<Proposal>(store, operationKeys(interrupted.operationId).plan);
    if (frozen) return { state: "open", proposal: frozen.value };
  }
  const found = await readApplied(store, environment);
  const base = found && { value: found.document, etag: found.etag };
  if (base && digest && base.value.digest === digest && base.value.tree === head.tree)
    return { state: "applied", applied: base.value };
  if (base) await assertNotOlder(request, base.value);
  const plan = makePlan({
    base: found?.tasks,
    head: parseTasks(head.tasksText, `tasks.yaml at ${head.commit}`),
    baseRevision: base
      ? { name: "applied", commit: base.value.commit, tree: base.value.tree }
      : { name: "nothing" },
    headRevision: { name: head.commit, commit: head.commit, tree: head.tree },
  });
  if (digest === undefined) assertUnreviewed(request, environment, plan);
  else if (digest !== plan.digest) throw notReviewed(digest, plan, base?.value);
  return {
    state: "open",
    proposal: { version: 1, environment, head, plan, ...(base ? { base } : {}) },
  };
}

function environmentOf(name: string): EnvironmentName {
  const found = environmentNames.find((each) => each === name);
  if (found) return found;
  throw new RoundtripError({
    kind: "configuration",
    what: `apply tasks.yaml in environment ${name}`,
    expected: `an environment tasks.yaml knows: ${environmentNames.join(", ")}`,
    got: name,
    wayOut: "name one of them with --env",
  });
}

/** Main has moved on, or an old run was started again: what is newer must not be undone unseen. */
async function assertNotOlder({ head, isAncestor }: ProposalRequest, applied: Applied): Promise<void> {
  if (head.commit === applied.commit) return;
  const older = await isAncestor(head.commit, applied.commit);
  if (older === false) return;
  const what = `apply commit ${head.commit}`;
  const expected = `a commit that is not older than what was last applied (${applied.commit})`;
  throw new RoundtripError(
    older
      ? {
          kind: "refused",
          what,
          expected,
          got: `an ancestor of it: ${applied.appliedAt} ${applied.by.actor} applied a newer one`,
          wayOut: "apply the newest commit; to go back, revert in git and apply the revert",
        }
      : {
          kind: "refused",
          what,
          expected,
          got: "git can't tell: the commit that was applied is not in this clone",
          wayOut: "fetch the whole history (fetch-depth: 0; git fetch --unshallow) and run this again",
        },
  );
}

function assertUnreviewed(request: ProposalRequest, environment: EnvironmentName, plan: Plan): void {
  const what = `apply plan ${plan.digest} in ${environment}`;
  if (environment !== "dev" || !request.unreviewed)
    throw new RoundtripError({
      kind: "refused",
      what,
      expected: "the digest of the plan that was reviewed",
      got: request.unreviewed ? "--unreviewed, which dev alone allows" : "no --digest",
      wayOut:
        environment === "dev"
          ? `see roundtrip plan --env ${environment} --head HEAD, then add --digest ${plan.digest}, or --unreviewed to apply without a review`
          : `have this plan reviewed, then add --digest ${plan.digest}`,
    });
  const drops = plan.environments.find(({ name }) => name === environment);
  const dropped = [...(drops?.databasesDropped ?? []), ...(drops?.collectionsDropped ?? [])];
  if (dropped.length > 0 && !request.yesDelete)
    throw new RoundtripError({
      kind: "refused",
      what,
      expected: "--yes-delete, because nobody reviewed that data is dropped",
      got: `drops on DocumentDB: ${dropped.join(", ")}`,
      wayOut: "add --yes-delete when that is meant",
    });
}

function notReviewed(digest: string, plan: Plan, applied: Applied | undefined): RoundtripError {
  const from = applied
    ? `commit ${applied.commit}, applied ${applied.appliedAt} by ${applied.by.actor}`
    : "nothing, since nothing was ever applied here";
  return new RoundtripError({
    kind: "refused",
    what: `apply the plan that was reviewed (${digest})`,
    expected: `planning again to give the same digest; planned from ${from}`,
    got: `${plan.digest}: what was applied, or the commit's tree, has changed since the review`,
    wayOut:
      "have the new plan reviewed (run the plan again on the pull request, or roundtrip plan --env), then apply its digest",
  });
}
