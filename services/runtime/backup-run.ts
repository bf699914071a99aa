/** What the verbs of backups share: they belong to no failback, and leave how each run ended where monitoring looks. */
import { writeJson } from "../../adapters/state/json.ts";
import type { BackupRun } from "../../core/backup/documents.ts";
import { type RunKind, runKey, statusKey } from "../../core/backup/layout.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { ServiceContext } from "./definition.ts";

/** What of a run stands in its document beside its times and how it ended. */
export type RunOutcome = Pick<BackupRun, "backupId" | "warnings">;

/**
 * Runs `body` and records it in `backups/runs/<kind>.json` when it begins and when it has ended; the verb's status goes to
 * `backups/status/`. What `body` throws is recorded and thrown on. `nextDueAt` is asked when the run has ended: ISO, UTC.
 */
export async function recordRun(
  service: ServiceContext,
  kind: RunKind,
  nextDueAt: () => Promise<string | undefined>,
  body: () => Promise<RunOutcome>,
): Promise<void> {
  const { clock, logger, status, store } = service;
  status.bindTo(statusKey(service.name));
  const begun = { version: 1, kind, startedAt: clock.now().toISOString() } as const;
  const record = (run: BackupRun) => writeJson(store, runKey(kind), run);
  await record({ ...begun, state: "running", ...(await due(nextDueAt)) });
  let outcome: RunOutcome;
  try {
    outcome = await body();
  } catch (error) {
    const finishedAt = clock.now().toISOString();
    const state = error instanceof RoundtripError && error.kind === "refused" ? "refused" : "failed";
    // The failure itself is what counts, and systemd and the status have it, too.
    await due(nextDueAt)
      .then((next) => record({ ...begun, state, finishedAt, error: wordsOf(error), ...next }))
      .catch((lost) => logger.warn({ error: String(lost) }, "the run was not recorded in the bucket"));
    throw error;
  }
  const finishedAt = clock.now().toISOString();
  await record({ ...begun, state: "finished", finishedAt, ...outcome, ...(await due(nextDueAt)) });
}

async function due(nextDueAt: () => Promise<string | undefined>): Promise<Pick<BackupRun, "nextDueAt">> {
  const next = await nextDueAt();
  return next === undefined ? {} : { nextDueAt: next };
}

function wordsOf(error: unknown): BackupRun["error"] {
  if (error instanceof RoundtripError) {
    const { what, expected, got, wayOut } = error;
    return { what, expected, got, wayOut };
  }
  return { what: "run", expected: "no unforeseen error", got: String(error), wayOut: "see the unit's log" };
}

/** Fails `refused` in a failback: MongoDB is down then, or is being restored. */
export async function assertNormalTimes({ phaseStore }: ServiceContext, what: string): Promise<void> {
  const { phase, failbackId } = await phaseStore.read();
  if (phase === "normal") return;
  throw new RoundtripError({
    kind: "refused",
    what,
    expected: "phase normal",
    got: `phase ${phase} of failback ${failbackId}: MongoDB is down or being restored`,
    wayOut: "nothing is to be done: it runs again when the failback has ended",
  });
}
