import { approversOf } from "../../adapters/github/review.ts";
import { RoundtripError } from "../../core/errors.ts";
import { type JobContext, positiveNumber } from "./context.ts";
import { setValue } from "./runner-files.ts";

/**
 * Hands who approved this run's gate to the steps that follow, for the journal (`callerOf` reads it). The gate was
 * passed, or this job would not run: where GitHub doesn't answer now, the journal says so and an outage goes on.
 */
export async function approvedBy(
  { github, repository, variables }: JobContext,
  environment: string,
): Promise<void> {
  const runId = positiveNumber(variables, "GITHUB_RUN_ID");
  let approvers: string[];
  try {
    approvers = await approversOf(github, { ...repository, runId, environment });
  } catch (error) {
    if (!(error instanceof RoundtripError) || error.kind !== "unavailable") throw error;
    await setValue(variables.GITHUB_ENV, "ROUNDTRIP_APPROVED_BY", "not known: GitHub did not answer");
    process.stdout.write(`::warning::who approved ${environment} is not known: GitHub did not answer\n`);
    return;
  }
  if (approvers.length > 0)
    await setValue(variables.GITHUB_ENV, "ROUNDTRIP_APPROVED_BY", approvers.join(", "));
  const said = approvers.length > 0 ? `approved by ${approvers.join(", ")}` : "nobody had to approve";
  process.stdout.write(`${environment}: ${said}\n`);
}
