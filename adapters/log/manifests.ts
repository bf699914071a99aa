import { type ChainHead, chainStart, checkChain, parseManifest } from "../../core/changes/manifest-chain.ts";
import { RoundtripError } from "../../core/errors.ts";
import { keysOf } from "../../core/failback/layout.ts";
import type { ObjectStore } from "../../core/ports.ts";
import { sha256Of } from "../../core/sha256.ts";
import type { CommittedManifest, FollowOptions } from "./window.ts";

const defaultConcurrency = 8;
const defaultPollMs = 200;

/**
 * The newest manifest, or `undefined` while there is none. Its own content is checked; the chain before it is not
 * read (`readManifests` does that).
 */
export async function newestManifest(
  store: ObjectStore,
  failbackId: string,
): Promise<CommittedManifest | undefined> {
  const keys = keysOf(failbackId);
  const number = await newestNumber(store, failbackId);
  if (number === 0) return undefined;
  const key = keys.manifest(number);
  const found = await store.get(key);
  if (!found) throw missing(key);
  return { manifest: parseManifest(key, found.body), sha256: sha256Of(found.body) };
}

/**
 * Number of the newest manifest, 0 without any. Manifests are contiguous, so it is searched by doubling and halving
 * instead of listing hours of flushes. Fails `logCorrupt` when one lies behind a hole: a capture that took the hole
 * for the end would write into it.
 */
export async function newestNumber(store: ObjectStore, failbackId: string): Promise<number> {
  const keys = keysOf(failbackId);
  const exists = async (number: number) => (await store.head(keys.manifest(number))) !== undefined;
  let known = 0;
  let missingAt = 1;
  while (await exists(missingAt)) {
    known = missingAt;
    missingAt *= 2;
  }
  while (missingAt - known > 1) {
    const middle = Math.floor((known + missingAt) / 2);
    if (await exists(middle)) known = middle;
    else missingAt = middle;
  }
  for await (const { key } of store.list(keys.manifests, { startAfter: keys.manifest(known) })) {
    if (key !== keys.manifest(known + 1)) throw missing(keys.manifest(known + 1));
    known++;
  }
  return known;
}

/**
 * Manifests 1…`through` in order (default: those there are when it begins), fetched some at a time. Fails
 * `logCorrupt` at a hole, a torn one, or one that doesn't continue the chain.
 */
export async function* readManifests(
  store: ObjectStore,
  failbackId: string,
  options: { through?: number; after?: ChainHead; concurrency?: number; signal?: AbortSignal } = {},
): AsyncGenerator<CommittedManifest> {
  const keys = keysOf(failbackId);
  const through = options.through ?? (await newestNumber(store, failbackId));
  const concurrency = options.concurrency ?? defaultConcurrency;
  let head = options.after ?? chainStart;
  const ahead: Promise<Uint8Array>[] = [];
  let next = head.number + 1;
  try {
    while (head.number < through) {
      options.signal?.throwIfAborted();
      while (ahead.length < concurrency && next <= through)
        ahead.push(quiet(fetchManifest(store, keys.manifest(next++))));
      const key = keys.manifest(head.number + 1);
      const checked = checkChain(key, await ahead.shift()!, failbackId, head);
      head = checked.head;
      yield { manifest: checked.manifest, sha256: head.sha256 };
    }
  } finally {
    await Promise.allSettled(ahead);
  }
}

/** As `readManifests`, and then every further one as soon as it is there, until the signal fires. */
export async function* followManifests(options: FollowOptions): AsyncGenerator<CommittedManifest> {
  const { store, failbackId, clock, signal } = options;
  const keys = keysOf(failbackId);
  let head: ChainHead | undefined;
  if (options.after) head = await headAfter(store, failbackId, options.after);
  for await (const committed of readManifests(store, failbackId, {
    ...(head ? { after: head } : {}),
    ...(signal ? { signal } : {}),
  })) {
    head = headOf(committed);
    yield committed;
  }
  let before = head ?? chainStart;
  while (!signal?.aborted) {
    const key = keys.manifest(before.number + 1);
    const found = await store.get(key);
    if (found) {
      const checked = checkChain(key, found.body, failbackId, before);
      before = checked.head;
      yield { manifest: checked.manifest, sha256: before.sha256 };
    } else {
      await clock.sleep(options.pollMs ?? defaultPollMs, signal).catch(() => {});
    }
  }
}

/** The chain's state after a manifest. */
export function headOf({ manifest, sha256 }: CommittedManifest): ChainHead {
  return { number: manifest.number, sha256, lastSequence: manifest.lastSequence };
}

async function headAfter(
  store: ObjectStore,
  failbackId: string,
  after: { number: number; sha256: string },
): Promise<ChainHead> {
  const key = keysOf(failbackId).manifest(after.number);
  const body = await fetchManifest(store, key);
  if (sha256Of(body) !== after.sha256) throw changed(key, after.sha256, sha256Of(body));
  return { ...after, lastSequence: parseManifest(key, body).lastSequence };
}

async function fetchManifest(store: ObjectStore, key: string): Promise<Uint8Array> {
  const found = await store.get(key);
  if (!found) throw missing(key);
  return found.body;
}

/** A prefetch that fails is reported when its turn comes, not as a stray rejection before. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

function missing(key: string): RoundtripError {
  return new RoundtripError({
    kind: "logCorrupt",
    what: `read the log's manifest ${key}`,
    expected: "manifests without a hole",
    got: "no such object",
    wayOut: "restore the object's version from the bucket; without it the log ends before it",
  });
}

function changed(key: string, expected: string, got: string): RoundtripError {
  return new RoundtripError({
    kind: "logCorrupt",
    what: `go on after the log's manifest ${key}`,
    expected: `the bytes read before, sha256 ${expected}`,
    got: `sha256 ${got}`,
    wayOut: "manifests are never replaced: restore the version that was written first",
  });
}
