import { RolesStore } from "../../adapters/state/roles-store.ts";
import { RoundtripError } from "../../core/errors.ts";
import { assertPhase } from "../../core/failback/phase.ts";
import type { Databases } from "../access/databases.ts";
import { completeDump } from "../backup/dump-store.ts";
import { readClosing } from "../closing/closing.ts";
import { fenceDependencies } from "../drain/dependencies.ts";
import { raiseFence } from "../drain/raise-fence.ts";
import { startUnit, unitHealth } from "../monitor/unit-health.ts";
import type { OpenFailback, ServiceContext } from "../runtime/definition.ts";
import { awaitDrained, type DrainDependencies, type Drained, stillDrained } from "./await-fence.ts";

const lookEveryMs = 500;
const healthEveryMs = 2000;
/** A backup that was asked for and is not at work yet. */
const backupBeginsMsMax = 120_000;
const waitMsMax = 7 * 24 * 3_600_000;

/**
 * Waits until the log holds the fence and MongoDB's dump is complete, moves the phase to `restoring` and starts
 * restore (invariants.md 12, 16). Capture has to run all the while. Run again in `restoring` it starts restore again.
 */
export async function runMonitorReplication(service: ServiceContext, databases: Databases): Promise<void> {
  const failback = await service.failback.open();
  assertPhase(failback.phase, ["draining", "restoring"], "monitor-replication", failback.id);
  if (failback.phase === "draining") {
    await whileCaptureRuns(service, failback, (signal) => drain(service, databases, failback, signal));
    await service.phaseStore.move(failback.id, "restoring", "monitor-replication");
  }
  await startUnit(service, failback.id, "restore");
  service.logger.info({}, "restore started");
}

async function drain(
  service: ServiceContext,
  databases: Databases,
  failback: OpenFailback,
  signal: AbortSignal,
): Promise<void> {
  const deps = drainDependencies(service, databases, failback, signal);
  for (;;) {
    const drained = await awaitDrained(deps);
    report(service, drained);
    await awaitReady(service, failback, signal);
    // The dump may have taken hours: the fence must have stood all the while.
    if (await stillDrained(deps, drained)) return;
    await deps.raiseAgain(drained.fence.number);
  }
}

function drainDependencies(
  service: ServiceContext,
  databases: Databases,
  failback: OpenFailback,
  signal: AbortSignal,
): DrainDependencies {
  const { store, clock, logger, settings } = service;
  return {
    store,
    failbackId: failback.id,
    roles: new RolesStore(store, failback.id),
    clock,
    logger,
    signal,
    quietSeconds: settings.drain === "quiet" ? settings.quietSeconds : 0,
    report: (detail) => service.status.update({ state: "waiting", detail }),
    async raiseAgain(broken) {
      const server = await databases.open("documentdb");
      const { fence } = await raiseFence(
        await fenceDependencies(service, server, failback.scope, false),
        broken,
      );
      return fence;
    },
  };
}

function report({ status, logger }: ServiceContext, drained: Drained): void {
  const { fence, sentinelSequence, decidedAfterMs, broken } = drained;
  const detail = {
    fence: fence.number,
    sentinelSequence,
    decidedAfterMs,
    brokenFences: broken,
    drained: true,
  };
  logger.info(detail, "drained");
  status.update({ state: "waiting", detail: { ...detail, waitsFor: "" } });
}

/** MongoDB's dump is complete, and MongoDB is closed to writers. A failed backup ends the waiting. */
async function awaitReady(
  service: ServiceContext,
  failback: OpenFailback,
  signal: AbortSignal,
): Promise<void> {
  const { store, clock, status } = service;
  const startedMs = clock.monotonicMs();
  let idleSinceMs: number | undefined;
  while (clock.monotonicMs() - startedMs < waitMsMax) {
    const dump = await completeDump(store, failback.id, "mongodb");
    const closing = await readClosing(store, failback.id);
    const closed = closing?.closedAt !== undefined && closing.reopenedAt === undefined;
    if (dump && closed) return;
    if (!dump) {
      const health = await unitHealth(service, failback.id, "backup");
      idleSinceMs = health === "working" ? undefined : (idleSinceMs ?? clock.monotonicMs());
      if (idleSinceMs !== undefined && clock.monotonicMs() - idleSinceMs > backupBeginsMsMax) break;
    }
    status.update({
      state: "waiting",
      detail: { waitsFor: dump ? "MongoDB closed to writers (close-mongodb)" : "the dump of MongoDB" },
    });
    await clock.sleep(lookEveryMs, signal);
  }
  throw new RoundtripError({
    kind: "unavailable",
    what: `restore failback ${failback.id}`,
    expected: "a complete dump of MongoDB before the first apply",
    got: "no dump, and backup.service is not at work",
    wayOut: "start backup.service (start-service), then monitor-replication.service again",
  });
}

/** Runs the work; fails with capture's own message as soon as capture is down for good. */
async function whileCaptureRuns(
  service: ServiceContext,
  failback: OpenFailback,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const ending = new AbortController();
  const signal = AbortSignal.any([service.signal, ending.signal]);
  const watch = watchCapture(service, failback, signal);
  const working = work(signal);
  try {
    await Promise.race([working, watch]);
  } finally {
    ending.abort(new Error("the other half has ended"));
    await Promise.allSettled([working, watch]);
  }
  service.signal.throwIfAborted();
}

async function watchCapture(
  service: ServiceContext,
  failback: OpenFailback,
  signal: AbortSignal,
): Promise<never> {
  for (;;) {
    if ((await unitHealth(service, failback.id, "replication")) === "ended") {
      throw new RoundtripError({
        kind: "unavailable",
        what: `drain failback ${failback.id}`,
        expected: "replication.service at work until the log is drained",
        got: "it was stopped",
        wayOut: "start replication.service, then monitor-replication.service again",
      });
    }
    service.alive();
    await service.clock.sleep(healthEveryMs, signal);
  }
}
