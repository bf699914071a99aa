import type { RoundtripError } from "../../core/errors.ts";
import type { Verdict } from "../../core/failback/documents.ts";

/** UNKNOWN, for a log that can't be read to its end; `undefined` for failures that another try may mend. */
export function lostVerdict(failbackId: string, error: RoundtripError, now: Date): Verdict | undefined {
  if (error.kind !== "logCorrupt" && error.kind !== "historyLost") return undefined;
  return {
    version: 1,
    failbackId,
    verdict: "UNKNOWN",
    reasons: [error.message],
    takenAt: now.toISOString(),
    fence: 0,
    coverage: { firstSequence: 0, lastSequence: 0, manifests: 0 },
    captured: 0,
    applied: 0,
    held: 0,
    tail: 0,
    conflicts: 0,
    collections: [],
    catalog: [],
    normalisations: [],
    durations: { applyMs: 0, compareMs: 0 },
  };
}
