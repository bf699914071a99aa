/** Before anything is changed: keep the plan, see that the world is the one it was made for, keep how it stood. */
import { readApplied } from "../../../adapters/live/applied.ts";
import { readJson, writeJson } from "../../../adapters/state/json.ts";
import { isPrecondition } from "../../../adapters/store-error.ts";
import { RoundtripError } from "../../../core/errors.ts";
import { operationKeys } from "../../../core/operations/layout.ts";
import { appliedKey } from "../../../core/plan/applied.ts";
import { divergences } from "../../../core/plan/standing.ts";
import { counted } from "../../../core/plan/words.ts";
import type { Tasks } from "../../../core/tasks/model.ts";
import { parseTasks } from "../../../core/tasks/tasks.ts";
import type { OpenOperation } from "../../engine/operation.ts";
import type { OperationContext } from "../../engine/runbook.ts";
import type { Proposal } from "../proposal.ts";
import type { ApplyStep, ApplyWork } from "../work.ts";

/** An apply supersedes at most this many unfinished ones that are still looked at. */
const supersededMax = 20;

/** Keeps the plan, so that an interrupted apply goes on with exactly this one. */
export function keepPlan(work: ApplyWork): ApplyStep {
  return {
    name: "keep-plan",
    what: "keep the plan in the bucket, so that another try does the same",
    undo: "nothing to undo: a record",
    plan: ({ operationId }) => [
      { call: "S3 PutObject If-None-Match", target: operationKeys(operationId).plan },
    ],
    run: async ({ store, operationId }) => {
      try {
        await writeJson(store, operationKeys(operationId).plan, work.proposal, { ifNoneMatch: true });
      } catch (error) {
        if (!isPrecondition(error)) throw error;
      }
      return { note: `${work.plan.digest}, ${counted(work.affected.length, "task")} affected` };
    },
  };
}

/** What was applied is still what the plan starts from, and DMS is as that says. */
export function seeUnchanged(work: ApplyWork): ApplyStep {
  return {
    name: "unchanged",
    what: "see that nothing else was applied meanwhile, and that DMS is as it was last applied",
    undo: "nothing was changed",
    every: true,
    plan: () => [
      { call: "S3 GetObject", target: appliedKey },
      { call: "DMS DescribeReplicationTasks", target: "every task" },
      { call: "DMS DescribeEndpoints", target: "every endpoint" },
    ],
    run: async (context) => {
      await assertNotStale(context, work.proposal);
      const known = [work.base, work.head, ...(await supersededHeads(context))];
      const live = await work.live();
      const found = divergences(work.plan, work.environment, known, work.head, live, work.adopted);
      const [first] = found;
      if (first)
        throw new RoundtripError({
          kind: "refused",
          what: `compare DMS with what was last applied (${counted(found.length, "task")} differ${found.length === 1 ? "s" : ""})`,
          expected: `${first.id}: ${first.expected}`,
          got: found.map(({ id, got }) => `${id}: ${got}`).join("; "),
          wayOut: work.base
            ? "somebody changed DMS by hand: put it back (roundtrip drift shows it; a stopped task is started with roundtrip runbook tasks-resume), then run this again"
            : `nothing was ever applied here: a set-up that was taken over is recorded first (roundtrip adopt --record --env ${work.environment}); else delete what stands in DMS, then run this again`,
        });
      return { note: `${counted(live.tasks.size, "DMS task")} as expected` };
    },
  };
}

async function assertNotStale(context: OperationContext, { base, environment }: Proposal): Promise<void> {
  const current = await readApplied(context.store, environment);
  if (current?.etag === base?.etag || current?.document.operationId === context.operationId) return;
  throw new RoundtripError({
    kind: "refused",
    what: `apply a plan that starts from ${base ? `commit ${base.value.commit}` : "nothing"}`,
    expected: "that still to be what was last applied",
    got: current
      ? `commit ${current.document.commit}, applied ${current.document.appliedAt} by ${current.document.by.actor}`
      : "no record of what was applied",
    wayOut: "plan again, have the new plan reviewed, and apply its digest",
  });
}

/** What unfinished applies before this one were bringing DMS to: half of it may stand. */
async function supersededHeads(context: OperationContext): Promise<Tasks[]> {
  const heads: Tasks[] = [];
  let id: string | undefined = context.operationId;
  for (let count = 0; count < supersededMax; count++) {
    const operation: { value: OpenOperation } | undefined = await readJson<OpenOperation>(
      context.store,
      operationKeys(id).operation,
    );
    id = operation?.value.supersedes;
    if (id === undefined) return heads;
    const found = await readJson<Proposal>(context.store, operationKeys(id).plan);
    if (found) heads.push(parseTasks(found.value.head.tasksText));
  }
  return heads;
}

/** Keeps how DMS and DocumentDB stood: what the plan predicted is scored against it. */
export function keepBefore(work: ApplyWork): ApplyStep {
  return {
    name: "keep-before",
    what: "keep how DMS's tasks and the databases stand before the change",
    undo: "nothing to undo: a record",
    plan: (context) => [
      ...work.plannedInspection(context, "exact"),
      { call: "DMS DescribeTableStatistics", target: work.affected.map(({ id }) => id).join(",") || "none" },
      { call: "S3 PutObject If-None-Match", target: `${operationKeys(context.operationId).root}before.json` },
    ],
    run: async (context) => {
      const [live, inspection] = await Promise.all([work.live(), work.inspect(context, "exact")]);
      await work.keepBefore(context, {
        tasks: [...live.tasks.values()],
        ...(inspection ? { inspection } : {}),
      });
      return { note: counted(live.tasks.size, "task") };
    },
  };
}
