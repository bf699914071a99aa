import { readJson } from "../../adapters/state/json.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Verdict } from "../../core/failback/documents.ts";
import { keysOf } from "../../core/failback/layout.ts";
import type { ObjectStore } from "../../core/ports.ts";

/** The failback's verdict; fails unless it is PROVEN: `differs`, `unknown`, or `refused` while there is none (27). */
export async function requireProven(store: ObjectStore, failbackId: string, what: string): Promise<Verdict> {
  const verdict = (await readJson<Verdict>(store, keysOf(failbackId).verdict))?.value;
  if (verdict?.verdict === "PROVEN") return verdict;
  throw new RoundtripError({
    kind: verdict?.verdict === "DIFFERS" ? "differs" : verdict ? "unknown" : "refused",
    what: `${what} of failback ${failbackId}`,
    expected: "verdict PROVEN",
    got: verdict
      ? `${verdict.verdict}: ${verdict.reasons.join("; ") || "no reason given"}`
      : "no verdict yet",
    wayOut: verdict
      ? "mend what the verdict names and run failback-restore again, or failback-reopen; nothing was removed"
      : "wait until restore has compared both sides (failback-restore)",
  });
}
