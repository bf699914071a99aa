import { ConflictLedger } from "../../adapters/state/conflict-ledger.ts";
import { RestoreCheckpoint, RestoreOrigins } from "../../adapters/state/restore-state.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Verdict } from "../../core/failback/documents.ts";
import { decide, type Quiet } from "../../core/verdict/decide.ts";
import { applyLog } from "./apply-log.ts";
import { catalogDifferences, readAccepted } from "./catalogs.ts";
import { compareScope } from "./comparison.ts";
import { evidenceOf } from "./evidence.ts";
import { ForeignWrites } from "./foreign-writes.ts";
import { type LogSeen, LogWatch } from "./log-watch.ts";
import type { Ground } from "./preconditions.ts";
import type { Restore } from "./restore.ts";
import { openTail, tailRuleOf } from "./tail.ts";

/**
 * The tail's ledger, the log applied, both sides compared, and everything looked at before and behind the comparison,
 * so that the verdict speaks of one instant (invariants.md 17–23).
 */
export async function restoreAndCompare(restore: Restore, ground: Ground): Promise<Verdict> {
  const { service, failback } = restore;
  const { store, clock, settings } = service;
  const policy = settings.conflictPolicy;
  const watch = new LogWatch(restore);
  const log = await watch.look();
  if (log?.sentinelSequence === undefined) throw notInLog(restore, log);
  const tail = await openTail(restore, ground.blockTime);
  const checkpoint = await RestoreCheckpoint.open(store, clock, failback.id, policy);
  const origins = await RestoreOrigins.open(store, failback.id);
  const conflicts = new ConflictLedger(store, failback.id);
  const foreign = new ForeignWrites(restore, origins, ground.blockTime);
  const state = await applyLog(restore, {
    checkpoint,
    origins,
    conflicts,
    foreign,
    tail: tailRuleOf(tail, policy),
    throughManifest: log.lastManifest,
    lastSequence: log.captured,
    marked: log.marked,
  });
  const { applyMs } = checkpoint;
  const before: Quiet = { ...(await foreign.look()), writesBehindFence: log.writesBehindFence };
  const startedMs = clock.monotonicMs();
  const known = await conflicts.read();
  const compared = await compareScope(restore, tail.images, known);
  const accepted = await readAccepted(restore);
  const catalog = await catalogDifferences(restore, ground, accepted);
  const compareMs = Math.round(clock.monotonicMs() - startedMs);
  const logAfter = await watch.look();
  const after = quietAfter(await foreign.look(), logAfter);
  return decide({
    ...evidenceOf(restore, { log, logAfter, state, tail, known, compared }),
    catalog,
    accepted,
    before,
    after,
    durations: { applyMs, compareMs },
  });
}

function quietAfter(oplog: Pick<Quiet, "foreignWrites" | "blind">, log: LogSeen | undefined): Quiet {
  if (log) return { ...oplog, writesBehindFence: log.writesBehindFence };
  const blind = "a canary written to DocumentDB did not come into the log: capture does not run";
  return { ...oplog, blind: [...oplog.blind, blind], writesBehindFence: [] };
}

function notInLog({ failback, fence }: Restore, log: LogSeen | undefined): RoundtripError {
  return new RoundtripError({
    kind: log ? "refused" : "unavailable",
    what: `restore failback ${failback.id}`,
    expected: log
      ? `sentinel ${fence.sentinelId} of fence ${fence.number} in the log`
      : "a canary written now in the log",
    got: log ? `events 1…${log.captured} without it` : "nothing within two minutes: capture does not run",
    wayOut: log
      ? "run failback-restore: its drain step raises the fence"
      : "start replication.service, then restore again",
  });
}
