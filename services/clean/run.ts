import { isClusterStreamOn, setClusterStream } from "../../adapters/mongo/change-stream-scopes.ts";
import { RoundtripError } from "../../core/errors.ts";
import { assertPhase } from "../../core/failback/phase.ts";
import type { Databases } from "../access/databases.ts";
import { readClosing, reopenMongodb } from "../closing/closing.ts";
import { unitHealth } from "../monitor/unit-health.ts";
import type { OpenFailback, ServiceContext } from "../runtime/definition.ts";
import { archiveFailback } from "./archive.ts";
import { refuseUnless, untouchedSince } from "./checks.ts";
import { removeLog } from "./remove.ts";

/**
 * After PROVEN: looks at both sides again, reopens MongoDB, archives, deletes log and token, switches change streams
 * off, and moves the phase to `cleaned` (invariants.md 25, 27). Each step finds out what was done already, so that a
 * kill anywhere costs nothing.
 */
export async function runClean(service: ServiceContext, databases: Databases): Promise<void> {
  const failback = await service.failback.open();
  if (failback.phase === "cleaned") return;
  assertPhase(failback.phase, ["verified"], "clean", failback.id);
  const step = (name: string) => {
    service.logger.info({ step: name }, "clean");
    service.status.update({ state: "running", detail: { step: name } });
  };
  step("check");
  await refuseRunningCapture(service, failback);
  const { checks } = await untouchedSince(service, databases, failback.scope);
  refuseUnless("clean", checks);
  step("reopen MongoDB");
  await reopen(service, databases, failback);
  step("archive");
  const archive = await archiveFailback({
    store: service.store,
    failbackId: failback.id,
    now: () => service.clock.now(),
    signal: service.signal,
    onProgress: reportProgress(service),
  });
  step("delete log and token");
  const deleted = await removeLog(service.store, failback.id, service.stateDirectory);
  step("change streams off");
  await disableChangeStreams(databases);
  await service.phaseStore.move(failback.id, "cleaned", "clean");
  service.status.update({ detail: { step: "cleaned", archived: archive.objects.length, deleted } });
}

/** A capture that runs would go on writing into what is being deleted. */
async function refuseRunningCapture(service: ServiceContext, failback: OpenFailback): Promise<void> {
  const ended = (await unitHealth(service, failback.id, "replication").catch(() => "ended")) === "ended";
  if (ended) return;
  throw new RoundtripError({
    kind: "refused",
    what: `clean failback ${failback.id}`,
    expected: "replication.service stopped",
    got: "at work",
    wayOut: "start monitor-restore.service: it stops capture after the last look, then starts clean",
  });
}

async function reopen(service: ServiceContext, databases: Databases, failback: OpenFailback): Promise<void> {
  const closing = await readClosing(service.store, failback.id);
  if (!closing || closing.reopenedAt) return;
  await reopenMongodb(service, await databases.open("mongodb"), failback.scope);
}

function reportProgress({ clock, status }: ServiceContext): (done: number, total: number) => void {
  const startedMs = clock.monotonicMs();
  return (done, total) => {
    const perSecond = (done * 1000) / Math.max(1, clock.monotonicMs() - startedMs);
    status.update({
      progress: { done, total, unit: "objects", perSecond, etaSeconds: (total - done) / perSecond },
    });
  };
}

async function disableChangeStreams(databases: Databases): Promise<void> {
  const { client, failure } = await databases.open("documentdb");
  let isOn: boolean;
  try {
    await setClusterStream(client, false);
    isOn = await isClusterStreamOn(client);
  } catch (error) {
    throw failure(error, "disable change streams");
  }
  if (!isOn) return;
  throw new RoundtripError({
    kind: "unavailable",
    what: "disable change streams on DocumentDB",
    expected: "$listChangeStreams not to show the cluster",
    got: "still shown",
    wayOut: "start clean again; see who else enables them",
  });
}
