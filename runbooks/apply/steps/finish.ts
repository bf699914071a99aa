/** After the proof: how good the plan was, and what the next plan starts from. Data first, record after. */
import { recordApplied } from "../../../adapters/state/applied-store.ts";
import { readJson, writeJson } from "../../../adapters/state/json.ts";
import type { Inspection, LiveSide, LiveTask } from "../../../core/live/live-state.ts";
import { openOperationKey } from "../../../core/operations/layout.ts";
import { adoptedAfter, appliedBy, appliedKey, renamedAfter, scoreKey } from "../../../core/plan/applied.ts";
import { type Observed, scoreInWords, scorePlan } from "../../../core/plan/score.ts";
import type { OpenOperation } from "../../engine/operation.ts";
import { applyName } from "../proposal.ts";
import type { ApplyStep, ApplyWork } from "../work.ts";
import { side } from "./data.ts";

/** Compares each prediction of the plan with what was seen, and keeps the result. It never fails for a wrong one. */
export function scorePredictions(work: ApplyWork): ApplyStep {
  return {
    name: "score",
    what: "compare each prediction of the plan with what happened, and keep the score",
    undo: "nothing to undo: a record",
    plan: ({ operationId }) => [{ call: "S3 PutObject", target: scoreKey(operationId) }],
    run: async (context) => {
      const before = await work.before(context);
      const [live, inspection] = await Promise.all([work.live(), work.inspect(context, "estimated")]);
      const score = scorePlan(
        work.plan,
        work.environment,
        work.head,
        observed(before.tasks, before.inspection),
        observed([...live.tasks.values()], inspection),
      );
      await writeJson(context.store, scoreKey(context.operationId), score);
      const allRight = score.right === score.predictions;
      return {
        data: { predictions: score.predictions, right: score.right },
        note: `${allRight ? "" : "⚠️ "}${scoreInWords(score)}`,
      };
    },
  };
}

function observed(tasks: readonly LiveTask[], inspection: Inspection | undefined): Observed {
  return { tasks, names: inspection ? namesIn(side(inspection, "documentdb")) : [] };
}

function namesIn({ databases }: Extract<LiveSide, { reachable: true }>): string[] {
  return databases.flatMap(({ name, collections }) => [
    name,
    ...collections.map((collection) => `${name}.${collection.name}`),
  ]);
}

/** The last act: from here on this is what the next plan starts from. */
export function recordAsApplied(work: ApplyWork): ApplyStep {
  const { head, base, plan, environment } = work.proposal;
  return {
    name: "record",
    what: "record this commit as what was last applied",
    undo: "revert the commit and apply the revert",
    plan: () => [{ call: "S3 PutObject If-Match", target: appliedKey, parameters: { commit: head.commit } }],
    run: async ({ store, operationId, clock, caller }) => {
      const renamed = renamedAfter([...work.renamed], plan, work.head, (task) => work.actionOf(task));
      const adopted = adoptedAfter(work.adopted, plan, (task) => work.actionOf(task));
      const applied = await recordApplied(
        store,
        {
          version: 1,
          environment,
          tasksText: head.tasksText,
          commit: head.commit,
          tree: head.tree,
          digest: plan.digest,
          operationId,
          appliedAt: clock.now().toISOString(),
          ...(renamed.length > 0 ? { renamed } : {}),
          ...(Object.keys(adopted).length > 0 ? { adopted } : {}),
          by: appliedBy(caller),
        },
        base,
      );
      const superseded = (await readJson<OpenOperation>(store, openOperationKey(applyName)))?.value
        .supersedes;
      return {
        note: `commit ${applied.commit}${superseded ? `; ${superseded} was never finished and is superseded` : ""}`,
      };
    },
  };
}
