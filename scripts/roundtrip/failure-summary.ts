import { renderFailure } from "../../runbooks/engine/summary.ts";
import { addToSummary } from "../github/runner-files.ts";
import { pageOfRunbook } from "./workflow-pages.ts";

type Variables = Readonly<Record<string, string | undefined>>;

/** A command that fails before it has a report leaves its message in the job's summary. */
export async function summariseFailure(
  variables: Variables,
  title: string,
  exitCode: number,
  error: unknown,
): Promise<void> {
  const pageOf = (name: string) => pageOfRunbook(variables, name);
  await addToSummary(variables, renderFailure(title, exitCode, error, pageOf));
}
