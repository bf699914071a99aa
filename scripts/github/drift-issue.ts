import { keepIssue } from "../../adapters/github/tracking-issue.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { JobContext } from "./context.ts";
import { addToSummary } from "./runner-files.ts";

/** By the exit code of `roundtrip drift`; any other means that nothing was looked at. */
const verdicts: Readonly<Record<string, "clean" | "drift" | "unknown">> = {
  0: "clean",
  2: "drift",
  14: "unknown",
};

/**
 * Keeps the environment's issue in step with `roundtrip drift --markdown`. Only a clean report closes it: what could
 * not be read keeps it open. Fails `refused` for a text that doesn't begin with the environment's marker.
 */
export async function trackDrift(
  job: JobContext,
  { environment, text, exitCode }: { environment: string; text: string; exitCode: string },
): Promise<void> {
  await addToSummary(job.variables, text);
  const verdict = verdicts[exitCode];
  const marker = `<!-- roundtrip:drift:${environment} -->`;
  if (verdict === undefined || !text.startsWith(`${marker}\n`))
    throw new RoundtripError({
      kind: "refused",
      what: `keep the drift issue of ${environment}`,
      expected: `exit code 0, 2 or 14 of roundtrip drift, and a report that begins with ${marker}`,
      got: `exit code ${exitCode} and ${JSON.stringify(text.slice(0, 60))}`,
      wayOut: "see in the log why roundtrip drift could not look; the issue is as it was",
    });
  const { change, number } = await keepIssue(job.github, {
    ...job.repository,
    author: job.author,
    title: `Drift in ${environment}`,
    body: text,
    labels: ["drift"],
    isOpen: verdict !== "clean",
  });
  process.stdout.write(`${environment}: ${verdict}; issue ${number ? `#${number} ` : ""}${change}\n`);
}
