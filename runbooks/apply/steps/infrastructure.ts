/** Terraform and what it publishes: each checked against the plan that was reviewed. */
import { RoundtripError } from "../../../core/errors.ts";
import { remainingPlan, taskDifference } from "../../../core/plan/standing.ts";
import { checkInfrastructure } from "../../../core/plan/terraform-check.ts";
import { counted, listed } from "../../../core/plan/words.ts";
import type { InfrastructureChange } from "../../../core/ports.ts";
import type { OperationContext } from "../../engine/runbook.ts";
import type { ApplyStep, ApplyWork } from "../work.ts";
import { pauseTasks } from "./tasks.ts";

/** Before any task is paused: what Terraform would do is what was reviewed. */
export function planInfrastructure(work: ApplyWork): ApplyStep {
  return {
    name: "infrastructure-plan",
    what: "plan with Terraform and check it against the reviewed plan",
    undo: "nothing was changed",
    plan: () => [{ call: "terraform plan", target: work.environment }],
    run: async (context) => {
      const { changes } = await checkedPlan(work, context, "nothing was changed");
      return {
        data: { changes: changes.map(inWords), accepted: work.options.accept },
        note: changes.length > 0 ? listed(changes.map(inWords)) : "Terraform has nothing to change",
      };
    },
  };
}

/** Terraform's plan, and what is left of the reviewed one. Fails `refused` where they disagree. */
async function checkedPlan(work: ApplyWork, context: OperationContext, state: string) {
  const live = await work.live();
  const left = remainingPlan(work.plan, work.environment, work.head, live);
  const changes = await work.ports.infrastructure.plan(context.signal);
  const problems = checkInfrastructure(left, work.environment, changes, work.options.accept);
  if (problems.length > 0) throw notAsReviewed(problems, state);
  return { live, left, changes };
}

/** Plans again with Terraform, compares with the reviewed plan, and only then lets it change anything. */
export function applyInfrastructure(work: ApplyWork): ApplyStep {
  return {
    name: "infrastructure",
    what: "plan and check again, now that the tasks stand still, and let Terraform apply that plan",
    undo: "revert the commit and apply the revert",
    plan: () => [{ call: "terraform plan, then apply of exactly that", target: work.environment }],
    run: async (context) => {
      const paused = "nothing was changed, but the affected tasks are paused: roundtrip runbook tasks-resume";
      const { live, left, changes } = await checkedPlan(work, context, paused);
      // Somebody may have started one since; DMS changes only what stands still.
      await pauseTasks(
        context,
        work.toPause.filter(
          ({ id }) => live.tasks.has(id) && left.tasks.find((task) => task.id === id)?.action !== "none",
        ),
      );
      if (changes.length > 0) await work.ports.infrastructure.apply(context.signal);
      await assertAsPlanned(work);
      return {
        data: { changes: changes.map(inWords), accepted: work.options.accept },
        note: changes.length > 0 ? counted(changes.length, "change") : "Terraform had nothing to change",
      };
    },
  };
}

function notAsReviewed(problems: readonly string[], state: string): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what: "compare Terraform's plan with the one that was reviewed",
    expected: "the same changes of DMS, and none that loses data unannounced",
    got: problems.join("; "),
    wayOut: `mend what is named and run this again; ${state}`,
  });
}

/** Terraform saying that it is done is no proof. */
async function assertAsPlanned(work: ApplyWork): Promise<void> {
  const live = await work.live();
  const wrong = work.affected.flatMap(({ id }) => {
    const difference = taskDifference(work.head, id, work.environment, live);
    return difference === undefined ? [] : [`${id}: ${difference}`];
  });
  if (wrong.length === 0) return;
  throw new RoundtripError({
    kind: "unknown",
    what: "see that DMS is as Terraform was to make it",
    expected: "every affected task as tasks.yaml says",
    got: listed(wrong),
    wayOut: "see that Terraform reads tasks.yaml of the same commit, then run this again",
  });
}

function inWords({ action, address }: InfrastructureChange): string {
  return `${action} ${address}`;
}

/** Runbooks find DMS's tasks through the environment Terraform publishes. */
export function seePublished(work: ApplyWork): ApplyStep {
  return {
    name: "published",
    what: "see that the environment's parameter names the DMS tasks that exist now",
    undo: "nothing was changed",
    every: true,
    plan: ({ environment }) => [
      { call: "SSM GetParameter", target: `/roundtrip/${environment.environment}/environment` },
    ],
    run: async () => {
      const [published, live] = await Promise.all([work.ports.published(), work.live()]);
      const arns = new Map(published.replicationTasks.map(({ id, arn }) => [id, arn]));
      const wrong = work.head.tasks
        .filter(({ id }) => arns.get(id) !== live.tasks.get(id)?.arn)
        .map(({ id }) => `${id}: ${arns.get(id) ?? "not named"}`);
      if (wrong.length === 0) return { note: counted(work.head.tasks.length, "task") };
      throw new RoundtripError({
        kind: "unknown",
        what: `read the published environment ${work.environment}`,
        expected: "every task of tasks.yaml with the ARN it has in DMS",
        got: listed(wrong),
        wayOut: "see Terraform's output for the environment's parameter, then run this again",
      });
    },
  };
}
