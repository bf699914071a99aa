import { mongodumpVersion } from "../../adapters/dump/mongodump.ts";
import { newestFence } from "../../adapters/state/fences.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Phase } from "../../core/failback/phase.ts";
import type { Databases } from "../access/databases.ts";
import { dataBytes } from "../dump/data-bytes.ts";
import type { OpenFailback, ServiceContext } from "../runtime/definition.ts";
import { dumpSide } from "./dump.ts";
import { completeDump, type DumpSide } from "./dump-store.ts";

const lookEveryMs = 1000;
const waitHoursMax = 7 * 24;
/** From here on nobody writes to DocumentDB any more: a dump begun now lacks nothing. */
const drained: readonly Phase[] = ["restoring", "verified", "cleaned"];

export interface BackupOptions {
  readonly service: ServiceContext;
  readonly databases: Databases;
  readonly executable: string;
  readonly directory: string;
}

/**
 * Dumps MongoDB before anything is applied to it (invariants.md 16), and DocumentDB once it has drained. A complete
 * dump is kept by a rerun. Ends when both are complete.
 */
export async function runBackup(options: BackupOptions): Promise<void> {
  const { service } = options;
  const failback = await service.failback.open();
  service.status.update({ state: "running", detail: { mongodb: "begins", documentdb: "waits" } });
  await ensureDump(options, failback, "mongodb");
  service.status.update({ state: "waiting", detail: { mongodb: "complete", waitsFor: "the drain" } });
  await awaitDrained(service, failback);
  await ensureDump(options, failback, "documentdb");
  service.status.update({ detail: { documentdb: "complete", waitsFor: "" } });
}

async function ensureDump(options: BackupOptions, failback: OpenFailback, side: DumpSide): Promise<void> {
  const { service, databases, executable, directory } = options;
  const complete = await completeDump(service.store, failback.id, side);
  if (complete) {
    service.logger.info({ side, key: complete.key }, "a complete dump is there already");
    return;
  }
  if (side === "mongodb") await refuseAfterApply(service, failback);
  const fence = side === "documentdb" ? (await newestFence(service.store, failback.id))?.number : undefined;
  await dumpSide(service, {
    side,
    failbackId: failback.id,
    secretName: service.environment[side].secret,
    executable,
    toolVersion: await mongodumpVersion(executable),
    directory,
    bytesExpected: await dataBytes(await databases.open(side)),
    ...(fence === undefined ? {} : { fence }),
  });
}

/** A dump of MongoDB taken after the first apply is not the one to go back to. */
async function refuseAfterApply({ store }: ServiceContext, { id, keys }: OpenFailback): Promise<void> {
  if (!(await store.head(keys.restoreCheckpoint))) return;
  throw new RoundtripError({
    kind: "refused",
    what: `dump MongoDB for failback ${id}`,
    expected: "a complete dump from before the first apply",
    got: "none, and restore has applied changes already",
    wayOut:
      "look for the dump's versions in the bucket; without it there is no way back to MongoDB as it was",
  });
}

async function awaitDrained(service: ServiceContext, failback: OpenFailback): Promise<void> {
  const { clock, signal, phaseStore } = service;
  const startedMs = clock.monotonicMs();
  while (clock.monotonicMs() - startedMs < waitHoursMax * 3_600_000) {
    const current = await phaseStore.read();
    if (current.failbackId !== failback.id || current.phase === "normal")
      throw ended(failback, current.phase);
    if (drained.includes(current.phase)) return;
    service.alive();
    await clock.sleep(lookEveryMs, signal);
  }
  throw ended(failback, `nothing in ${waitHoursMax} hours`);
}

function ended({ id }: OpenFailback, got: string): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what: `dump DocumentDB for failback ${id}`,
    expected: `phase ${drained.join(" or ")}`,
    got,
    wayOut: "start backup.service again when DocumentDB has drained; the dump of MongoDB is kept",
  });
}
