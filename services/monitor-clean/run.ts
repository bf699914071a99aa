import { RoundtripError } from "../../core/errors.ts";
import { assertPhase } from "../../core/failback/phase.ts";
import type { Instances } from "../../core/ports.ts";
import { completeDump } from "../backup/dump-store.ts";
import { unitHealth } from "../monitor/unit-health.ts";
import type { OpenFailback, ServiceContext } from "../runtime/definition.ts";

const lookEveryMs = 1000;
const waitMsMax = 7 * 24 * 3_600_000;
/** clean is started right after this monitor. */
const cleanBeginsMsMax = 120_000;

/**
 * Waits until clean has cleaned and both dumps are complete, then stops this EC2. Stop protection, on since the
 * start, comes off first. Fails loudly, leaving the host on, when clean or backup has failed.
 */
export async function runMonitorClean(service: ServiceContext, instances: Instances): Promise<void> {
  const failback = await service.failback.open();
  assertPhase(failback.phase, ["verified", "cleaned"], "monitor-clean", failback.id);
  await awaitBoth(service, failback);
  const { instanceId } = service.environment;
  service.status.update({ state: "running", detail: { waitsFor: "", stopping: instanceId } });
  await instances.setStopProtection(instanceId, false);
  await instances.stop(instanceId);
  service.logger.info({ instanceId }, "asked EC2 to stop this host");
}

async function awaitBoth(service: ServiceContext, failback: OpenFailback): Promise<void> {
  const { clock, status, signal } = service;
  const startedMs = clock.monotonicMs();
  while (clock.monotonicMs() - startedMs < waitMsMax) {
    const waitsFor = await missing(service, failback, clock.monotonicMs() - startedMs);
    if (!waitsFor) return;
    status.update({ state: "waiting", detail: { waitsFor } });
    await clock.sleep(lookEveryMs, signal);
  }
  throw failure(
    failback,
    "clean and backup done",
    `not after ${waitMsMax / 3_600_000} hours`,
    "see their journals",
  );
}

/** What is still awaited, in words; empty when all is done. */
async function missing(service: ServiceContext, failback: OpenFailback, waitedMs: number): Promise<string> {
  const { store, phaseStore } = service;
  const current = await phaseStore.read();
  if (current.failbackId !== failback.id || current.phase === "normal") {
    throw failure(
      failback,
      "phase verified or cleaned",
      current.phase,
      "the host is no longer this failback's to stop",
    );
  }
  if (current.phase !== "cleaned") {
    const ended = (await unitHealth(service, failback.id, "clean")) === "ended";
    if (ended && waitedMs > cleanBeginsMsMax && (await phaseStore.read()).phase !== "cleaned") {
      throw failure(failback, "clean.service at work", "not at work", "start monitor-restore.service again");
    }
    return "clean";
  }
  for (const side of ["mongodb", "documentdb"] as const) {
    if (await completeDump(store, failback.id, side)) continue;
    if ((await unitHealth(service, failback.id, "backup")) === "ended" && waitedMs > cleanBeginsMsMax) {
      throw failure(
        failback,
        `a complete dump of ${side}`,
        "none, and backup.service is not at work",
        "start backup.service, then monitor-clean.service again",
      );
    }
    return `the dump of ${side}`;
  }
  return "";
}

function failure({ id }: OpenFailback, expected: string, got: string, wayOut: string): RoundtripError {
  return new RoundtripError({
    kind: "unavailable",
    what: `stop the host after failback ${id}`,
    expected,
    got,
    wayOut,
  });
}
