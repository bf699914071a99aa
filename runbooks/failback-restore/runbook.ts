import { readJson } from "../../adapters/state/json.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Verdict } from "../../core/failback/documents.ts";
import { keysOf } from "../../core/failback/layout.ts";
import type { Runbook, RunbookContext, Step } from "../engine/runbook.ts";
import { actionStep, startUnitStep } from "../steps/action-step.ts";
import { follow } from "../steps/await-service.ts";
import { hostReady } from "../steps/host.ts";
import { phaseStep } from "../steps/phase.ts";
import { tasksStopped } from "../steps/replication-tasks.ts";

const backupBeginsSeconds = 300;
/** A runner has 6 hours; a laptop may wait as long as the host works. */
const watchSeconds = 5.5 * 3600;

const backupBegun: Step = {
  name: "backup-begun",
  what: "see that the dump of MongoDB has begun before the users lose their writes",
  undo: "nothing was changed",
  plan: ({ failbackId }) => [{ call: "S3 GetObject", target: keysOf(failbackId).status("backup") }],
  run: async (context) => {
    const state = await follow(context, ["backup"], backupBeginsSeconds, async (statuses) => {
      const backup = statuses.get("backup");
      // `waiting`: MongoDB's dump is there already, DocumentDB's waits for the fence.
      return backup && ["running", "waiting", "finished"].includes(backup.state) ? backup.state : undefined;
    });
    return { note: `backup ${state}` };
  },
};

/** Draining is decided by monitor-replication; after a stop in restoring only restore itself is started again. */
const startMonitor: Step = {
  name: "start-monitor",
  what: "start the monitor that waits for the fence and the dump, then starts restore",
  undo: "failback-reopen stops it",
  every: true,
  plan: (context) => [
    {
      call: `SSM ${context.environment.documentPrefix}-start-service`,
      target: context.environment.instanceId,
      parameters: { unit: "monitor-replication.service" },
    },
  ],
  run: async (context) => {
    const { phase } = await context.phases.read();
    if (phase === "verified") return { note: "already verified" };
    const unit = phase === "restoring" ? "restore.service" : "monitor-replication.service";
    await context.action("start-service", { unit });
    return { note: `${unit} started` };
  },
};

const awaitVerdict: Step = {
  name: "verdict",
  what: "follow drain and restore on the host until there is a verdict",
  undo: "failback-reopen gives DocumentDB its writers back",
  every: true,
  plan: ({ failbackId }) => [{ call: "S3 GetObject", target: keysOf(failbackId).verdict }],
  run: async (context) => {
    const since = context.clock.now().toISOString();
    const verdict = await follow(
      context,
      ["replication", "backup", "monitor-replication", "restore"],
      watchSeconds,
      async () => verdictFor(context, since),
    );
    throwUnlessProven(verdict);
    return {
      data: {
        verdict: verdict.verdict,
        applied: verdict.applied,
        tail: verdict.tail,
        conflicts: verdict.conflicts,
      },
      note: `${verdict.verdict}: ${verdict.applied} changes applied, tail ${verdict.tail}, conflicts ${verdict.conflicts}`,
    };
  },
};

/** The verdict of this round: one that moved the phase, or one taken since this step began. */
async function verdictFor(context: RunbookContext, since: string): Promise<Verdict | undefined> {
  const found = await readJson<Verdict>(context.store, keysOf(context.failbackId).verdict);
  if (!found) return undefined;
  const { phase } = await context.phases.read();
  if (found.value.verdict === "PROVEN") return phase === "verified" ? found.value : undefined;
  return found.value.takenAt >= since ? found.value : undefined;
}

function throwUnlessProven(verdict: Verdict): void {
  if (verdict.verdict === "PROVEN") return;
  throw new RoundtripError({
    kind: verdict.verdict === "DIFFERS" ? "differs" : "unknown",
    what: `restore of failback ${verdict.failbackId}`,
    expected: "verdict PROVEN",
    got: `${verdict.verdict}: ${verdict.reasons.join("; ") || "no reason given"}`,
    wayOut:
      "DocumentDB still has everything: failback-reopen gives the applications their writes back; look at the named documents, mend, and run failback-restore again",
  });
}

export const failbackRestore: Runbook = {
  name: "failback-restore",
  summary: "MongoDB is back: take the writes from DocumentDB, carry everything over, compare both sides.",
  phases: ["capturing", "draining", "restoring", "verified"],
  inputs: [],
  steps: [
    hostReady,
    tasksStopped,
    actionStep({
      name: "check-restore",
      what: "check that MongoDB is the one that failed, its oplog, privileges, disk and that capture runs",
      undo: "nothing was changed",
      action: "check-restore",
    }),
    actionStep({
      name: "close-mongodb",
      what: "close MongoDB to writers and prove it; TTL deletion off",
      undo: "failback-clean reopens it after PROVEN",
      action: "close-mongodb",
    }),
    startUnitStep({
      name: "start-backup",
      what: "start the dumps of MongoDB and DocumentDB",
      undo: "nothing to undo: a dump",
      unit: "backup.service",
    }),
    backupBegun,
    phaseStep("draining", "enter phase draining", "failback-reopen"),
    actionStep({
      name: "drain",
      what: "take the application users' writes, prove it on open connections, write the fence",
      undo: "failback-reopen gives the rights back",
      action: "drain",
    }),
    startMonitor,
    awaitVerdict,
  ],
  next: "failback-clean: reopens MongoDB to the applications, archives, stops the host",
};
