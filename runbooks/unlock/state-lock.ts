/** The lock of Terraform's state: freed when a run of ours left it behind and is proved dead, refused otherwise. */
import type { LockHolders } from "../../adapters/state/lock-holders.ts";
import {
  type LockHolder,
  livingProcesses,
  type StateLockInfo,
  thisMachine,
} from "../../adapters/terraform/lock-holder.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { OperationContext } from "../engine/runbook.ts";
import type { OperationStep } from "../steps/selected-tasks.ts";

export interface StateLocks {
  stateLock(signal?: AbortSignal): Promise<StateLockInfo | undefined>;
  freeStateLock(id: string, signal?: AbortSignal): Promise<void>;
}

export interface StateLockOptions {
  readonly locks: StateLocks;
  readonly holders: Pick<LockHolders, "startedBetween">;
  /** How long a Terraform on another machine may still live once its run has lost the environment's lease. */
  readonly silenceSeconds: number;
}

/** Beside its lock timeout: the time Terraform takes from its start to its lock. */
const lockDelaySeconds = 60;
/** A holder is looked for among those that started at most so long before the lock was made: longer than any timeout. */
const lookBackSeconds = 600;

/** Runs under the environment's lease: every run of ours that is written down has ended, lost the lease, or was killed. */
export function freeStateLock({ locks, holders, silenceSeconds }: StateLockOptions): OperationStep {
  return {
    name: "state-lock-freed",
    what: "see who holds the lock of Terraform's state, and free it when a run left it behind that is proved dead",
    undo: "nothing to undo: the next Terraform takes the lock anew",
    every: true,
    plan: () => [
      { call: "terraform plan -refresh=false -lock-timeout=0s", target: "the state" },
      { call: "terraform force-unlock", target: "the lock of a dead run of ours, no other" },
    ],
    run: async (context) => {
      const lock = await locks.stateLock(context.signal);
      if (!lock) return outcome("none", "Terraform's state is not locked");
      const holder = await holderOf(lock, holders);
      if (!holder) throw notOurs(lock);
      const proof = await proveDead(lock, holder, { locks, silenceSeconds, context });
      await locks.freeStateLock(lock.id, context.signal);
      const after = await locks.stateLock(context.signal);
      if (after) throw stillLocked(after);
      return outcome(proof, `freed: lock ${words(lock)}; ${proof}`);
    },
  };
}

function outcome(got: string, note: string) {
  return {
    checks: [{ name: "holder of the state's lock", ok: true, expected: "proved dead, or none", got }],
    note,
  };
}

/** Who made a lock, of those that were written down; undefined when it was nobody of them. */
export async function holderOf(
  lock: StateLockInfo,
  holders: StateLockOptions["holders"],
): Promise<LockHolder | undefined> {
  const created = createdMs(lock);
  if (Number.isNaN(created)) return undefined;
  const from = new Date(created - lookBackSeconds * 1000);
  return maker(lock, await holders.startedBetween(from, new Date(created)));
}

/**
 * The run that made a lock: its host, its user and its command, and the lock is as old as that command's start. Both
 * times are of the holder's own clock. One that was refused the lock did not make it.
 */
export function maker(lock: StateLockInfo, holders: readonly LockHolder[]): LockHolder | undefined {
  const created = createdMs(lock);
  return holders.findLast((holder) => {
    const started = Date.parse(holder.startedAt);
    const latest = holder.endedAt
      ? Date.parse(holder.endedAt)
      : started + (holder.lockTimeoutSeconds + lockDelaySeconds) * 1000;
    const isSame = holder.who === lock.who && holder.operation === lock.operation;
    return isSame && holder.wasRefused !== true && started <= created && created <= latest;
  });
}

/** Terraform words it like `2026-11-21 13:20:00.123456789 +0000 UTC`. */
function createdMs({ created }: StateLockInfo): number {
  const [, day, time, fraction = ""] =
    /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d{1,3})?\d* \+0000 UTC/.exec(created) ?? [];
  return Date.parse(`${day}T${time}${fraction}Z`);
}

/** Gives the proof in words, or fails `refused`. */
async function proveDead(
  lock: StateLockInfo,
  holder: LockHolder,
  at: { locks: StateLocks; silenceSeconds: number; context: OperationContext },
): Promise<string> {
  if (holder.endedAt) return `its Terraform ended at ${holder.endedAt}`;
  const machine = thisMachine();
  if (machine !== undefined && holder.machine === machine) {
    const living = livingProcesses(holder);
    if (living.length > 0) throw mayLive(lock, living.join("; "));
    return `no process of it lives on this machine, and its run does not hold the environment's lease`;
  }
  if (!holder.isBound)
    throw mayLive(lock, "a run on another machine, whose Terraform may go on after it was killed");
  const { context, silenceSeconds } = at;
  context.say(
    `lock ${words(lock)} was made on another machine; holding the environment's lease for ${silenceSeconds} s, after which none of its processes can live`,
  );
  await context.clock.sleep(silenceSeconds * 1000, context.signal);
  const after = await at.locks.stateLock(context.signal);
  if (after?.id !== lock.id)
    throw mayLive(lock, after ? `meanwhile it is lock ${words(after)}` : "it let go of the lock meanwhile");
  return `its run has been without the environment's lease for ${silenceSeconds} s`;
}

function words({ id, who, created, operation }: StateLockInfo): string {
  return `${id} of ${who} since ${created} for ${operation}`;
}

function notOurs(lock: StateLockInfo): RoundtripError {
  return refused(lock, {
    expected: "one that a run of Roundtrip in this environment made",
    got: `lock ${words(lock)}: no such run is written down`,
    wayOut: `ask ${lock.who} whether that Terraform still runs; only where it does not: terraform force-unlock ${lock.id}`,
  });
}

function mayLive(lock: StateLockInfo, got: string): RoundtripError {
  return refused(lock, {
    expected: `its holder, ${lock.who} since ${lock.created}, to be dead`,
    got,
    wayOut: "wait until it has ended, or end it where it runs, and run this again",
  });
}

function refused(
  lock: StateLockInfo,
  more: { readonly expected: string; readonly got: string; readonly wayOut: string },
): RoundtripError {
  return new RoundtripError({ kind: "refused", what: `free the state's lock ${lock.id}`, ...more });
}

function stillLocked(lock: StateLockInfo): RoundtripError {
  return new RoundtripError({
    kind: "unknown",
    what: "see that the state's lock is gone",
    expected: "a free state",
    got: `lock ${words(lock)}`,
    wayOut: "run this again: it looks at that lock anew",
  });
}
