/** Decides that capture has drained: the fence's sentinel is in the log, and nothing of the scope behind it (12). */
import { followManifests, headOf, readManifests } from "../../adapters/log/manifests.ts";
import { newestFence } from "../../adapters/state/fences.ts";
import type { RolesStore } from "../../adapters/state/roles-store.ts";
import { fencesVoidThrough } from "../../core/access/roles-record.ts";
import type { ChainHead } from "../../core/changes/manifest-chain.ts";
import { FenceWatch } from "../../core/drain/fence-watch.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Fence } from "../../core/failback/documents.ts";
import type { Clock, Logger, ObjectStore } from "../../core/ports.ts";

const lookEveryMs = 100;
/** A fence that breaks means a session that outlived its rights; each further one waits longer for it. */
const fencesMax = 8;
const settleFirstMs = 250;
const waitMsMax = 7 * 24 * 3_600_000;

export interface DrainDependencies {
  readonly store: ObjectStore;
  readonly failbackId: string;
  readonly roles: RolesStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Raises another fence after one was broken. */
  raiseAgain(broken: number): Promise<Fence>;
  /** Seconds of silence wanted on top of the fence (setting `drain: quiet`, as the seeds have it); 0 for none. */
  readonly quietSeconds: number;
  report(detail: Readonly<Record<string, string | number | boolean>>): void;
}

export interface Drained {
  readonly fence: Fence;
  readonly sentinelSequence: number;
  /** From the writing of the fence to the decision. */
  readonly decidedAfterMs: number;
  /** Fences that were broken before this one stood. */
  readonly broken: number;
  /** Looks at what was committed since, and fails over to another fence when a write is behind this one. */
  readonly watch: FenceWatch;
  readonly head: ChainHead;
}

/** Waits for a fence and for the log to hold it whole; a broken one is followed by another, a bounded number of times. */
export async function awaitDrained(deps: DrainDependencies): Promise<Drained> {
  let fence = await awaitFence(deps);
  for (let broken = 0; broken < fencesMax; broken++) {
    const drained = await watchFence(deps, fence, broken);
    if (drained) return drained;
    const settleMs = settleFirstMs * 2 ** broken;
    deps.report({ fence: fence.number, brokenFences: broken + 1 });
    await deps.clock.sleep(settleMs, deps.signal);
    fence = await deps.raiseAgain(fence.number);
  }
  throw new RoundtripError({
    kind: "unavailable",
    what: `drain failback ${deps.failbackId}`,
    expected: "no application write behind the fence",
    got: `${fencesMax} fences, each broken by a later write`,
    wayOut:
      "find the session that still writes (show-access, currentOp), end it, then run failback-restore again",
  });
}

/** True when what was committed since the decision is not behind the fence either. */
export async function stillDrained(
  deps: DrainDependencies,
  { watch, head, fence }: Drained,
): Promise<boolean> {
  await catchUp(deps, watch, head);
  if (watch.breach) logBreach(deps, fence, watch);
  return watch.drained;
}

async function awaitFence(deps: DrainDependencies): Promise<Fence> {
  const { clock, store, failbackId, signal } = deps;
  const voidThrough = fencesVoidThrough(await deps.roles.read());
  const startedMs = clock.monotonicMs();
  while (clock.monotonicMs() - startedMs < waitMsMax) {
    const fence = await newestFence(store, failbackId);
    if (fence && fence.number > voidThrough) return fence;
    deps.report({ waitsFor: "a fence (drain)" });
    await clock.sleep(lookEveryMs, signal);
  }
  throw new RoundtripError({
    kind: "unavailable",
    what: `drain failback ${failbackId}`,
    expected: "a fence",
    got: "none",
    wayOut: "run failback-restore: its step drain raises the fence",
  });
}

/** `undefined` when the fence was broken. */
async function watchFence(
  deps: DrainDependencies,
  fence: Fence,
  broken: number,
): Promise<Drained | undefined> {
  const { store, failbackId, clock, signal } = deps;
  const watch = new FenceWatch(fence.sentinelId);
  deps.report({ fence: fence.number, waitsFor: "the sentinel in the log" });
  let head: ChainHead | undefined;
  const from = fence.afterManifest ? { after: fence.afterManifest } : {};
  for await (const committed of followManifests({
    store,
    failbackId,
    clock,
    signal,
    pollMs: lookEveryMs,
    ...from,
  })) {
    watch.take(committed.manifest);
    head = headOf(committed);
    if (watch.sentinelSequence !== undefined) break;
  }
  signal.throwIfAborted();
  // The sentinel is there; whatever else is committed by now counts, too.
  head = await catchUp(deps, watch, head!);
  if (deps.quietSeconds > 0 && watch.drained) head = await awaitQuiet(deps, watch, head);
  if (watch.breach) {
    logBreach(deps, fence, watch);
    return undefined;
  }
  const decidedAfterMs = clock.now().getTime() - Date.parse(fence.writtenAt);
  return { fence, sentinelSequence: watch.sentinelSequence!, decidedAfterMs, broken, watch, head };
}

async function catchUp({ store, failbackId, signal }: DrainDependencies, watch: FenceWatch, from: ChainHead) {
  let head = from;
  for await (const committed of readManifests(store, failbackId, { after: from, signal })) {
    watch.take(committed.manifest);
    head = headOf(committed);
  }
  return head;
}

async function awaitQuiet(deps: DrainDependencies, watch: FenceWatch, from: ChainHead): Promise<ChainHead> {
  const { clock, quietSeconds, signal } = deps;
  const startedMs = clock.monotonicMs();
  let head = from;
  while (watch.drained && clock.monotonicMs() - startedMs < quietSeconds * 1000) {
    deps.report({ waitsFor: `${quietSeconds} s of silence` });
    await clock.sleep(1000, signal);
    head = await catchUp(deps, watch, head);
  }
  return head;
}

function logBreach({ logger }: DrainDependencies, fence: Fence, { breach }: FenceWatch): void {
  logger.warn(
    { fence: fence.number, ...breach },
    "the fence is broken: an application write lies behind its sentinel",
  );
}
