/** `roundtrip adopt --record`: what was taken over becomes what was last applied, so that the next plan starts from it. */
import { AwsReplicationTasks } from "../../adapters/aws/replication-tasks.ts";
import { readApplied } from "../../adapters/live/applied.ts";
import { recordApplied } from "../../adapters/state/applied-store.ts";
import { PhaseStore } from "../../adapters/state/phase-store.ts";
import { type AdoptedStand, adoptedStand } from "../../core/adopt/record.ts";
import { RoundtripError } from "../../core/errors.ts";
import { assertPhase } from "../../core/failback/phase.ts";
import { type Applied, appliedBy, appliedKey } from "../../core/plan/applied.ts";
import { makePlan } from "../../core/plan/plan.ts";
import { counted } from "../../core/plan/words.ts";
import type { EnvironmentName, Tasks } from "../../core/tasks/model.ts";
import { parseTasks } from "../../core/tasks/tasks.ts";
import type { HeadRevision } from "../../runbooks/apply/proposal.ts";
import type { RunbookDependencies } from "../../runbooks/engine/execution.ts";
import { newOperationId } from "../../runbooks/engine/operation.ts";
import { callerOf } from "./caller.ts";

export interface RecordRequest {
  readonly environment: EnvironmentName;
  readonly head: HeadRevision;
  /** Tasks that are taken as they are although their rules or settings differ from tasks.yaml. */
  readonly accepted: readonly string[];
}

/**
 * Records a commit's tasks as applied when DMS stands as they say. Changes nothing else. Fails `refused` where something
 * was applied already, a failback is open, or DMS stands otherwise.
 */
export async function recordAdopted(
  deps: Pick<RunbookDependencies, "environment" | "store" | "clock" | "endpoints">,
  { environment, head, accepted }: RecordRequest,
): Promise<Applied> {
  const { store, clock } = deps;
  const tasks = parseTasks(head.tasksText, `tasks.yaml at ${head.commit}`);
  await assertNothingBefore(deps, environment);
  const stand = await standOf(deps, environment, tasks);
  assertAccepted(stand, accepted, environment);
  const appliedAt = clock.now().toISOString();
  const revision = { name: head.commit, commit: head.commit, tree: head.tree };
  const plan = makePlan({ base: tasks, head: tasks, baseRevision: revision, headRevision: revision });
  return await recordApplied(
    store,
    {
      version: 1,
      environment,
      tasksText: head.tasksText,
      commit: head.commit,
      tree: head.tree,
      digest: plan.digest,
      operationId: newOperationId(deps, "adopt"),
      appliedAt,
      ...(Object.keys(stand.differing).length > 0 ? { adopted: stand.differing } : {}),
      by: appliedBy(callerOf(process.env)),
    },
    undefined,
  );
}

async function assertNothingBefore(
  { store, clock }: Pick<RunbookDependencies, "store" | "clock">,
  environment: EnvironmentName,
): Promise<void> {
  const before = await readApplied(store, environment);
  if (before)
    throw new RoundtripError({
      kind: "refused",
      what: `record what was adopted in ${environment}`,
      expected: `nothing in ${appliedKey}: an adoption is the first that is recorded`,
      got: `commit ${before.document.commit}, applied ${before.document.appliedAt} by ${before.document.by.actor}`,
      wayOut: "nothing to do: go on with roundtrip plan and roundtrip apply",
    });
  const { phase, failbackId } = await new PhaseStore(store, clock, environment).read();
  assertPhase(phase, ["normal"], `record what was adopted in ${environment}`, failbackId);
}

async function standOf(
  { environment: published, endpoints }: Pick<RunbookDependencies, "environment" | "endpoints">,
  environment: EnvironmentName,
  tasks: Tasks,
): Promise<AdoptedStand> {
  const declared = new Set(tasks.tasks.map(({ id }) => id));
  const [live, known] = await Promise.all([
    new AwsReplicationTasks({ region: published.region }).live(({ id }) => declared.has(id)),
    endpoints.list(),
  ]);
  return adoptedStand({
    tasks,
    environment,
    live: {
      tasks: new Map(live.map((task) => [task.id, task])),
      endpoints: new Map(known.map(({ id, arn }) => [id, arn])),
    },
    published: published.replicationTasks,
  });
}

function assertAccepted(
  { problems, differing }: AdoptedStand,
  accepted: readonly string[],
  environment: string,
) {
  const what = `record what was adopted in ${environment}`;
  if (problems.length > 0)
    throw new RoundtripError({
      kind: "refused",
      what,
      expected:
        "every task of tasks.yaml in DMS, through its endpoint, published, loaded, and running where it should",
      got: problems.join("; "),
      wayOut: "mend what is named, or take the task out of tasks.yaml, then run this again",
    });
  const open = Object.entries(differing).filter(([id]) => !accepted.includes(id));
  if (open.length === 0) return;
  throw new RoundtripError({
    kind: "refused",
    what: `${what} (${counted(open.length, "task")} differ${open.length === 1 ? "s" : ""} from tasks.yaml)`,
    expected: "the rules and settings that tasks.yaml says",
    got: open.map(([id, difference]) => `${id}: ${difference}`).join("; "),
    wayOut: `say it in tasks.yaml; or take the tasks as they are until they are changed: ${open.map(([id]) => `--accept ${id}`).join(" ")}`,
  });
}
