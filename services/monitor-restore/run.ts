import { readJson, writeJson } from "../../adapters/state/json.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Verdict } from "../../core/failback/documents.ts";
import { assertPhase } from "../../core/failback/phase.ts";
import type { Databases } from "../access/databases.ts";
import { refuseUnless, untouchedSince } from "../clean/checks.ts";
import { requireProven } from "../clean/verdict.ts";
import { startUnit, unitHealth } from "../monitor/unit-health.ts";
import type { OpenFailback, ServiceContext } from "../runtime/definition.ts";

const lookEveryMs = 500;
const waitMsMax = 7 * 24 * 3_600_000;

/**
 * Waits for restore's verdict; after PROVEN, and a second look at both sides, stops capture and starts clean and
 * monitor-clean. DIFFERS and UNKNOWN end it with their own exit codes: a failed verdict blocks cleaning.
 */
export async function runMonitorRestore(service: ServiceContext, databases: Databases): Promise<void> {
  const failback = await service.failback.open();
  assertPhase(failback.phase, ["restoring", "verified", "cleaned"], "monitor-restore", failback.id);
  await awaitVerdict(service, failback);
  if ((await service.phaseStore.read()).phase === "verified") await stopCapture(service, databases, failback);
  await startUnit(service, failback.id, "monitor-clean");
  await startUnit(service, failback.id, "clean");
  service.logger.info({}, "clean and monitor-clean started");
}

async function awaitVerdict(service: ServiceContext, failback: OpenFailback): Promise<void> {
  const { store, clock, signal, status, phaseStore } = service;
  const startedMs = clock.monotonicMs();
  while (clock.monotonicMs() - startedMs < waitMsMax) {
    const { phase } = await phaseStore.read();
    if (phase !== "restoring") {
      assertPhase(phase, ["verified", "cleaned"], "monitor-restore", failback.id);
      await requireProven(store, failback.id, "clean");
      return;
    }
    const health = await unitHealth(service, failback.id, "restore");
    if (health === "ended") await refuseWithoutRestore(service, failback);
    status.update({ state: "waiting", detail: { waitsFor: "the verdict" } });
    await clock.sleep(lookEveryMs, signal);
  }
  throw stillNone(failback, `none after ${waitMsMax / 3_600_000} hours`);
}

/** Restore has ended and the phase is still `restoring`: its verdict, if any, is not PROVEN. */
async function refuseWithoutRestore(
  { store, phaseStore }: ServiceContext,
  failback: OpenFailback,
): Promise<void> {
  if ((await phaseStore.read()).phase !== "restoring") return;
  const verdict = (await readJson<Verdict>(store, failback.keys.verdict))?.value;
  if (verdict && verdict.verdict !== "PROVEN") await requireProven(store, failback.id, "clean");
  throw stillNone(failback, "restore.service is not at work");
}

function stillNone({ id }: OpenFailback, got: string): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what: `clean failback ${id}`,
    expected: "restore to end with a verdict",
    got,
    wayOut: "run failback-restore (it goes on where it stopped), then failback-clean",
  });
}

/** The last moment at which the log could show a write on DocumentDB: look, note it, then end capture. */
async function stopCapture(
  service: ServiceContext,
  databases: Databases,
  failback: OpenFailback,
): Promise<void> {
  const { store, clock, units } = service;
  const { checks } = await untouchedSince(service, databases, failback.scope);
  refuseUnless("clean", checks);
  const stopped = await store.head(failback.keys.captureStopped);
  if (!stopped) {
    if ((await unitHealth(service, failback.id, "replication")) === "ended") {
      throw new RoundtripError({
        kind: "refused",
        what: `clean failback ${failback.id}`,
        expected: "replication.service at work until now, so that the log shows every write",
        got: "it was stopped by somebody else",
        wayOut: "start replication.service, see that it catches up, then run failback-clean again",
      });
    }
    await writeJson(store, failback.keys.captureStopped, { version: 1, at: clock.now().toISOString() });
  }
  await units.stop("replication.service");
}
