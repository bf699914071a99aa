import { writeVerdict } from "../../adapters/state/verdict-store.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Verdict } from "../../core/failback/documents.ts";
import { assertPhase } from "../../core/failback/phase.ts";
import type { Databases } from "../access/databases.ts";
import type { OpenFailback, ServiceContext } from "../runtime/definition.ts";
import { lostVerdict } from "./lost-verdict.ts";
import { checkGround } from "./preconditions.ts";
import { restoreAndCompare } from "./restore-and-compare.ts";

/**
 * Applies the log to MongoDB, compares both sides, and decides (invariants.md 14–23). Goes on where an earlier run
 * stopped. Moves the phase to `verified` on PROVEN; ends `differs` or `unknown` on the other two.
 */
export async function runRestore(service: ServiceContext, databases: Databases): Promise<void> {
  const failback = await service.failback.open();
  if (failback.phase === "verified") {
    service.logger.info({}, "already verified");
    return;
  }
  assertPhase(failback.phase, ["restoring"], "restore", failback.id);
  const verdict = await verdictOf(service, failback, databases);
  await writeVerdict(service.store, verdict);
  service.status.update({ detail: { stage: "verdict", verdict: verdict.verdict } });
  service.logger.info({ verdict: verdict.verdict, reasons: verdict.reasons }, "verdict");
  if (verdict.verdict !== "PROVEN") throw notProven(verdict);
  await service.phaseStore.move(failback.id, "verified", "restore");
}

/** A log that can't be read to its end is a verdict, too: nobody knows. The failure itself goes on. */
async function verdictOf(
  service: ServiceContext,
  failback: OpenFailback,
  databases: Databases,
): Promise<Verdict> {
  try {
    const [mongodb, documentdb] = await Promise.all([
      databases.open("mongodb"),
      databases.open("documentdb"),
    ]);
    const ground = await checkGround(service, failback, mongodb);
    const namespaces = failback.scope.databases.flatMap(({ name, collections }) =>
      collections.map((collection) => `${name}.${collection}`),
    );
    return await restoreAndCompare(
      { service, failback, mongodb, documentdb, fence: ground.fence, namespaces },
      ground,
    );
  } catch (error) {
    const lost =
      error instanceof RoundtripError ? lostVerdict(failback.id, error, service.clock.now()) : undefined;
    if (lost) await writeVerdict(service.store, lost);
    throw error;
  }
}

function notProven({ verdict, reasons, failbackId }: Verdict): RoundtripError {
  return new RoundtripError({
    kind: verdict === "DIFFERS" ? "differs" : "unknown",
    what: `compare both sides of failback ${failbackId}`,
    expected: "verdict PROVEN",
    got: `${verdict}: ${reasons.slice(0, 5).join("; ")}`,
    wayOut:
      "DocumentDB has everything: failback-reopen gives the applications their writes back; mend what is named, then failback-restore again",
  });
}
