import { approversOf } from "../../adapters/github/review.ts";
import { type JobContext, positiveNumber } from "./context.ts";
import { setValue } from "./runner-files.ts";

/** Hands who approved this run's gate to the steps that follow, for the journal (`callerOf` reads it). */
export async function approvedBy(
  { github, repository, variables }: JobContext,
  environment: string,
): Promise<void> {
  const runId = positiveNumber(variables, "GITHUB_RUN_ID");
  const approvers = await approversOf(github, { ...repository, runId, environment });
  if (approvers.length > 0)
    await setValue(variables.GITHUB_ENV, "ROUNDTRIP_APPROVED_BY", approvers.join(", "));
  process.stdout.write(
    `${environment}: ${approvers.length > 0 ? `approved by ${approvers.join(", ")}` : "nobody had to approve"}\n`,
  );
}
