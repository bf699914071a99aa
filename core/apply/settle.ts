import type { Pending, PendingEntry } from "./pending.ts";
import type { ReplayPorts } from "./replay.ts";
import type { TailRule } from "./step.ts";
import { stoppedByIndex } from "./stopped.ts";
import type { Blocker, Collision, Write } from "./target.ts";

/** Pending writes brought into memory at a time. */
const chunkMax = 1000;

/**
 * The end of the log is reached: every pending write is its document's last change (invariants.md 19).
 * First they are tried as long as that helps. What is left waits in circles, as two documents that swap their values:
 * a blocker that is itself pending is deleted, because its own write brings it back. A blocker that is not pending is
 * a conflict, settled by policy. The state saved before names all of it, so a kill on the way loses nothing.
 */
export async function settle(pending: Pending, ports: ReplayPorts, tail: TailRule): Promise<void> {
  while (pending.size > 0) {
    if (await tryEach(pending, ports)) continue;
    if (await breakCircles(pending, ports)) continue;
    await settleConflicts(pending, ports, tail);
    return;
  }
}

/** True when at least one write went in. */
async function tryEach(pending: Pending, ports: ReplayPorts): Promise<boolean> {
  const before = pending.size;
  for await (const writes of chunksOf(pending.all(), ports)) await tryWrites(writes, pending, ports);
  return pending.size < before;
}

async function tryWrites(
  writes: readonly Write[],
  pending: Pending,
  ports: ReplayPorts,
): Promise<readonly Collision[]> {
  const collisions = await ports.target.write(writes);
  const left = new Set(collisions.map(({ write }) => write));
  for (const write of writes) if (!left.has(write)) pending.remove(write.namespace, write.key);
  return collisions;
}

/** True when at least one write went in after its blockers, all of them pending, were deleted. */
async function breakCircles(pending: Pending, ports: ReplayPorts): Promise<boolean> {
  const before = pending.size;
  for await (const writes of chunksOf(pending.all(), ports)) {
    for (const collision of await tryWrites(writes, pending, ports)) {
      await freeOne(collision, pending, ports);
    }
  }
  return pending.size < before;
}

/** A write may be blocked by several unique indexes, one after the other. */
const indexesMax = 64;

async function freeOne(collision: Collision, pending: Pending, ports: ReplayPorts): Promise<void> {
  const { namespace } = collision.write;
  let current: Collision | undefined = collision;
  for (let tries = 0; current && tries < indexesMax; tries++) {
    const { write } = current;
    const blockers = await ports.target.blockers(current);
    if (blockers.length === 0 || !blockers.every(({ key }) => pending.has(namespace, key))) return;
    await ports.target.write(blockers.map((blocker) => deletionOf(blocker, write)));
    [current] = await tryWrites([write], pending, ports);
  }
}

function deletionOf({ key, id }: Blocker, { namespace, sequence }: Write): Write {
  return { namespace, key, id, sequence, post: null, recreate: false };
}

/**
 * What still collides does so with a document that no pending write will move. Only one that the tail explains may
 * give way; any other is in the log's final state itself, so that the index and DocumentDB's data contradict each
 * other: the conflict stays open and the verdict names it.
 */
async function settleConflicts(pending: Pending, ports: ReplayPorts, tail: TailRule): Promise<void> {
  for await (const writes of chunksOf(pending.all(), ports)) {
    for (const { write } of await tryWrites(writes, pending, ports)) {
      // An open conflict stays pending: once a person has mended what is in its way, the next run brings it in.
      if (await settleOne(write, pending, ports, tail)) pending.remove(write.namespace, write.key);
    }
  }
}

/** True when it is decided: the write is in, or MongoDB's document stays by policy. */
async function settleOne(
  write: Write,
  pending: Pending,
  ports: ReplayPorts,
  tail: TailRule,
): Promise<boolean> {
  const { namespace } = write;
  const { policy } = tail;
  for (let tries = 0; tries < indexesMax; tries++) {
    const [collision] = await ports.target.write([write]);
    if (!collision) return true;
    const blockers = await ports.target.blockers(collision);
    const movable = ({ key, image }: Blocker) =>
      pending.has(namespace, key) || tail.holds(namespace, key, image);
    const settled = policy !== "stop" && blockers.length > 0 && blockers.every(movable);
    const { message } = collision;
    await ports.conflicts([{ kind: "unique", policy, settled, write, blockers, message }]);
    if (policy === "stop") throw stoppedByIndex(namespace, write.sequence, message);
    if (!settled || policy === "mongodb") return settled;
    await ports.target.write(blockers.map((blocker) => deletionOf(blocker, write)));
  }
  return false;
}

/** The writes of these entries, a bounded number at a time; bytes that were let go come from the log again. */
async function* chunksOf(
  entries: readonly PendingEntry[],
  ports: ReplayPorts,
): AsyncGenerator<readonly Write[]> {
  for (let start = 0; start < entries.length; start += chunkMax) {
    yield await materialise(entries.slice(start, start + chunkMax), ports);
  }
}

async function materialise(entries: readonly PendingEntry[], ports: ReplayPorts): Promise<readonly Write[]> {
  const writes = entries.flatMap(({ write }) => (write ? [write] : []));
  const cold = new Map(entries.flatMap((entry) => (entry.write ? [] : [[entry.sequence, entry] as const])));
  const sequences = [...cold.keys()].sort((a, b) => a - b);
  if (sequences.length === 0) return writes;
  for await (const { sequence, id, key, post } of ports.reread(sequences)) {
    const entry = cold.get(sequence);
    if (!entry || !id || key === undefined) continue;
    // Whether the document was deleted on the way is not known any more: as if it had been.
    const { namespace } = entry;
    writes.push({ namespace, key, id, sequence, post: post ? post.slice() : null, recreate: true });
  }
  return writes;
}
