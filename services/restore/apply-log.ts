import { readLog } from "../../adapters/log/reader.ts";
import type { LogEvent } from "../../adapters/log/window.ts";
import { MongoTarget } from "../../adapters/mongo/apply.ts";
import type { ConflictLedger } from "../../adapters/state/conflict-ledger.ts";
import type { RestoreCheckpoint, RestoreOrigins } from "../../adapters/state/restore-state.ts";
import { type Change, changeOf } from "../../core/apply/change.ts";
import { prefetched } from "../../core/apply/prefetch.ts";
import { Replay, type ReplayPorts, type ReplayState } from "../../core/apply/replay.ts";
import type { TailRule } from "../../core/apply/step.ts";
import { type Stretch, stepsOf } from "../../core/apply/steps.ts";
import type { Write } from "../../core/apply/target.ts";
import { ttlOff } from "../closing/ttl.ts";
import { copyMarked, type MarkedDocument, retryCopies } from "./copy-marked.ts";
import type { ForeignWrites } from "./foreign-writes.ts";
import { ApplyProgress } from "./progress.ts";
import type { Restore } from "./restore.ts";

/** Bounds memory and what a kill costs; large enough that several connections share the work. */
const stepEventsMax = 10_000;
const stepBytesMax = 6 * 1024 * 1024;
const pendingBytesMax = 32 * 1024 * 1024;
const windowBytes = 2 * 1024 * 1024;
const aheadBytesMax = 8 * 1024 * 1024;
/** Often enough that the oplog can't roll over unseen. */
const lookEveryMs = 30_000;

export interface ApplyParts {
  readonly checkpoint: RestoreCheckpoint;
  readonly origins: RestoreOrigins;
  readonly conflicts: ConflictLedger;
  readonly foreign: ForeignWrites;
  readonly tail: TailRule;
  /** Apply through this manifest, whose last sequence is `lastSequence`. */
  readonly throughManifest: number;
  readonly lastSequence: number;
  readonly marked: readonly MarkedDocument[];
}

/**
 * Applies the log through a manifest, from the checkpoint on (invariants.md 18–20). Every end leaves a checkpoint that
 * a later run goes on from. Fails `logCorrupt` at a hole, `refused` by the policy `stop`, `fenced` when another
 * restore took over, otherwise with what MongoDB said.
 */
export async function applyLog(restore: Restore, parts: ApplyParts): Promise<ReplayState> {
  const { service, mongodb } = restore;
  const { checkpoint, origins, tail } = parts;
  const target = new MongoTarget({
    client: mongodb.client,
    clock: service.clock,
    declare: (namespace, command) => origins.addCommand(namespace, command),
    signal: service.signal,
  });
  try {
    await origins.addSessions(target.sessionIds);
    const replay = new Replay(portsOf(restore, parts, target), { tail, pendingBytesMax }, checkpoint.start);
    await replay.recall();
    await run(restore, parts, replay);
    service.signal.throwIfAborted();
    const copy = { target, tail, conflicts: parts.conflicts, sequence: parts.lastSequence };
    const refused = await copyMarked(restore, parts.marked, copy);
    await replay.finish();
    await retryCopies(refused, copy);
    return replay.state();
  } catch (error) {
    throw mongodb.failure(error, "apply the log");
  }
}

async function run(restore: Restore, parts: ApplyParts, replay: Replay): Promise<void> {
  const { service, failback } = restore;
  const from = replay.state().sequence;
  const progress = new ApplyProgress(service, from, parts.lastSequence);
  const garbage = new Garbage();
  const steps = stepsOf(stretchesOf(restore, parts, from + 1, garbage), {
    scope: scopeOf(failback.scope.databases),
    tail: parts.tail,
    eventsMax: stepEventsMax,
    bytesMax: stepBytesMax,
  });
  let lookedMs = service.clock.monotonicMs();
  for await (const step of prefetched(steps, 1)) {
    await replay.apply(step);
    if (step.kind === "writes") garbage.wrote(step.writes);
    progress.reached(step.lastSequence, { pending: replay.pending.size });
    if (service.signal.aborted) break;
    if (service.clock.monotonicMs() - lookedMs < lookEveryMs) continue;
    await parts.foreign.look();
    await ttlOff(restore.mongodb);
    lookedMs = service.clock.monotonicMs();
  }
  // Whatever comes next, this much need not be done again.
  await parts.checkpoint.save("now", () => replay.state());
}

/**
 * The engine lets what was read and applied pile up to twice of what lives before it collects. Objects of the log, and
 * images copied on their way to the socket, are most of the memory then. Collecting takes some 50 ms, a tenth of
 * applying as much.
 */
class Garbage {
  private bytes = 0;

  /** An object of the log arrived in pieces; they, and the window before this one, are done with. */
  read(events: readonly LogEvent[]): void {
    let bytes = 0;
    for (const { raw } of events) bytes += raw.length;
    this.add(bytes);
  }

  wrote(writes: readonly Write[]): void {
    let bytes = 0;
    for (const { post } of writes) bytes += post?.length ?? 0;
    this.add(bytes);
  }

  private add(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes < collectEveryBytes) return;
    Bun.gc(true);
    this.bytes = 0;
  }
}
const collectEveryBytes = 16 * 1024 * 1024;

async function* stretchesOf(
  restore: Restore,
  parts: ApplyParts,
  fromSequence: number,
  garbage: Garbage,
): AsyncGenerator<Stretch> {
  const { service, failback } = restore;
  const windows = readLog({
    store: service.store,
    failbackId: failback.id,
    fromSequence,
    throughManifest: parts.throughManifest,
    kinds: ["scope"],
    windowBytes,
    aheadBytesMax,
    signal: service.signal,
  });
  for await (const { events, lastSequence } of windows) {
    service.alive();
    garbage.read(events);
    yield { changes: changesOf(events), lastSequence };
  }
}

/** One by one: most are superseded by a later change of the same document before they are written. */
function* changesOf(events: readonly LogEvent[]): Generator<Change> {
  for (const { sequence, header } of events) yield changeOf(sequence, header);
}

function portsOf(restore: Restore, parts: ApplyParts, target: MongoTarget): ReplayPorts {
  const { service, failback } = restore;
  return {
    target,
    save: (urgency, state) => parts.checkpoint.save(urgency, state),
    conflicts: (records) => parts.conflicts.add(records),
    async *reread(sequences) {
      const wanted = new Set(sequences);
      const [first] = sequences;
      const last = sequences.at(-1);
      if (first === undefined || last === undefined) return;
      const windows = readLog({
        store: service.store,
        failbackId: failback.id,
        fromSequence: first,
        throughManifest: parts.throughManifest,
        kinds: ["scope"],
        windowBytes,
        aheadBytesMax,
        signal: service.signal,
      });
      for await (const { events, firstSequence } of windows) {
        service.alive();
        if (firstSequence > last) return;
        for (const { sequence, header } of events) {
          if (wanted.has(sequence)) yield changeOf(sequence, header) satisfies Change;
        }
      }
    },
  };
}

function scopeOf(
  databases: readonly { readonly name: string; readonly collections: readonly string[] }[],
): ReadonlyMap<string, readonly string[]> {
  return new Map(
    databases.map(({ name, collections }) => [name, collections.map((each) => `${name}.${each}`)]),
  );
}
