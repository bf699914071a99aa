import { RoundtripError } from "../../core/errors.ts";
import type { Check, Scope, Verdict } from "../../core/failback/documents.ts";
import type { Databases } from "../access/databases.ts";
import { passed } from "../actions/action.ts";
import { readClosing } from "../closing/closing.ts";
import type { ServiceContext } from "../runtime/definition.ts";
import { logCheck, oplogCheck, writersCheck } from "./untouched.ts";
import { requireProven } from "./verdict.ts";

/**
 * PROVEN, and nothing was written on either side since (invariants.md 22, 27). Fails `differs`, `unknown` or `refused`
 * without PROVEN. Whether capture runs, so that the log can show a write at all, is the caller's question.
 */
export async function untouchedSince(
  service: ServiceContext,
  databases: Databases,
  scope: Scope,
): Promise<{ verdict: Verdict; checks: Check[] }> {
  const verdict = await requireProven(service.store, scope.failbackId, "clean");
  const closing = await readClosing(service.store, scope.failbackId);
  return {
    verdict,
    checks: [
      passed("verdict", "PROVEN", `PROVEN at ${verdict.takenAt}`),
      await logCheck(service.store, scope, verdict),
      ...(await writersCheck(service, databases, scope)),
      // Once it was reopened its own applications write to it.
      ...(closing?.reopenedAt ? [] : [await oplogCheck(service.store, databases, scope)]),
    ],
  };
}

/** Fails `refused` with everything that does not hold. */
export function refuseUnless(what: string, checks: readonly Check[]): void {
  const failed = checks.filter(({ ok }) => !ok);
  if (failed.length === 0) return;
  throw new RoundtripError({
    kind: "refused",
    what: `${what}: ${failed.map(({ name }) => name).join("; ")}`,
    expected: failed.map(({ expected }) => expected).join("; "),
    got: failed.map(({ got }) => got).join("; "),
    wayOut: failed.map(({ wayOut }) => wayOut ?? "see the runbook's page").join("; "),
  });
}
