/** What a run came to, in the words that the summary and the terminal share. */
import { RoundtripError } from "../../core/errors.ts";
import type { RunIdentity, RunReport } from "./run.ts";
import type { Procedure, StepContext } from "./runbook.ts";

/** What is said of what was run. */
export type Described = Pick<Procedure<StepContext>, "name" | "next">;

/** The verdict, or what else must not be missed, then what ended how: `✅ PROVEN: failback-restore succeeded`. */
export function headline(runbook: Described, report: RunReport): string {
  const verdict =
    report.steps.find((step) => step.name === "verdict")?.outcome?.data?.verdict ??
    report.steps.findLast(({ outcome }) => outcome?.headline)?.outcome?.headline;
  if (report.succeeded) return `✅ ${verdict ? `${verdict}: ` : ""}${runbook.name} succeeded`;
  const failed = report.steps.find((step) => step.state === "failed");
  const kind = report.error instanceof RoundtripError ? report.error.kind : "internal";
  const word = kind === "differs" ? "DIFFERS: " : kind === "unknown" ? "UNKNOWN: " : "";
  return `❌ ${word}${runbook.name} stopped at step ${failed?.name ?? "?"}`;
}

export function belongsTo({ operationId, failbackId }: RunIdentity): ["operation" | "failback", string] {
  return operationId === undefined ? ["failback", failbackId || "none"] : ["operation", operationId];
}

export function nextOf(runbook: Described, report: RunReport): string {
  return report.succeeded
    ? (report.steps.findLast(({ outcome }) => outcome?.next)?.outcome?.next ?? runbook.next)
    : `mend what is named above and run ${runbook.name} again: it goes on where it stopped`;
}
