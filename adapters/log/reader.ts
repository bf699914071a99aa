import type { ManifestObject } from "../../core/changes/manifest.ts";
import { readManifests } from "./manifests.ts";
import { readLogObject } from "./objects.ts";
import type { CommittedManifest, LogEvent, LogWindow, ReadLogOptions } from "./window.ts";

const defaultWindowBytes = 16 * 1024 * 1024;
const defaultAheadBytesMax = 64 * 1024 * 1024;
const defaultConcurrency = 8;

/** Manifests that become one window, with their objects on the way. */
interface Batch {
  readonly manifests: CommittedManifest[];
  bytes: number;
  objects: Promise<LogEvent[]>[];
  skipped: number;
}

/**
 * Reads the log back, from manifest 1 to the last, as windows of events in sequence order. Fails `logCorrupt`, naming
 * the manifest or object, at a hole, a broken chain, a missing or torn object, or a sequence that is not contiguous:
 * nothing behind it is yielded. Objects are fetched ahead, bounded by `aheadBytesMax` plus one window.
 */
export async function* readLog(options: ReadLogOptions): AsyncGenerator<LogWindow> {
  const aheadBytesMax = options.aheadBytesMax ?? defaultAheadBytesMax;
  const fetch = limited(options);
  const batches = batchesOf(options);
  const ahead: Batch[] = [];
  let aheadBytes = 0;
  let ended = false;
  let broken: { readonly error: unknown } | undefined;
  try {
    while (true) {
      while (!ended && (ahead.length === 0 || aheadBytes < aheadBytesMax)) {
        const next = await batches.next().catch((error: unknown) => {
          // What comes before the break is whole: it is given first.
          broken = { error };
          return { done: true as const, value: undefined };
        });
        if (next.done) {
          ended = true;
          break;
        }
        startFetching(next.value, options, fetch);
        ahead.push(next.value);
        aheadBytes += next.value.bytes;
      }
      const batch = ahead.shift();
      if (!batch && broken) throw broken.error;
      if (!batch) return;
      options.signal?.throwIfAborted();
      yield await windowOf(batch, options.fromSequence ?? 1);
      aheadBytes -= batch.bytes;
    }
  } finally {
    await batches.return(undefined);
    await Promise.allSettled(ahead.flatMap((batch) => batch.objects));
  }
}

/** Groups manifests until their wanted objects hold `windowBytes`. Those before `fromSequence` are only checked. */
async function* batchesOf(options: ReadLogOptions): AsyncGenerator<Batch> {
  const windowBytes = options.windowBytes ?? defaultWindowBytes;
  const from = options.fromSequence ?? 1;
  const { store, failbackId, throughManifest, signal } = options;
  let batch: Batch = { manifests: [], bytes: 0, objects: [], skipped: 0 };
  for await (const committed of readManifests(store, failbackId, {
    ...(throughManifest === undefined ? {} : { through: throughManifest }),
    ...(signal ? { signal } : {}),
  })) {
    if (from > 1 && committed.manifest.lastSequence < from) continue;
    batch.manifests.push(committed);
    for (const object of committed.manifest.objects) {
      if (isWanted(object, options)) batch.bytes += object.rawBytes ?? object.bytes;
      else batch.skipped += object.events;
    }
    if (batch.bytes >= windowBytes) {
      yield batch;
      batch = { manifests: [], bytes: 0, objects: [], skipped: 0 };
    }
  }
  if (batch.manifests.length > 0) yield batch;
}

function isWanted(object: ManifestObject, { kinds }: ReadLogOptions): boolean {
  return kinds === undefined || kinds.includes(object.kind);
}

function startFetching(
  batch: Batch,
  options: ReadLogOptions,
  fetch: (object: ManifestObject) => Promise<LogEvent[]>,
): void {
  batch.objects = batch.manifests
    .flatMap(({ manifest }) => manifest.objects)
    .filter((object) => isWanted(object, options))
    .map((object) => {
      const events = fetch(object);
      // Reported when its window's turn comes, not as a stray rejection before.
      events.catch(() => {});
      return events;
    });
}

async function windowOf(batch: Batch, from: number): Promise<LogWindow> {
  const lists = await Promise.all(batch.objects);
  const first = batch.manifests[0]!.manifest;
  const last = batch.manifests.at(-1)!;
  const events =
    lists.length === 1 ? lists[0]! : lists.flat().sort((left, right) => left.sequence - right.sequence);
  return {
    firstSequence: first.firstSequence,
    lastSequence: last.manifest.lastSequence,
    firstManifest: first.number,
    lastManifest: last.manifest.number,
    lastManifestSha256: last.sha256,
    lastOperationTime: last.manifest.lastOperationTime,
    events: from > first.firstSequence ? events.filter(({ sequence }) => sequence >= from) : events,
    flags: batch.manifests.flatMap(({ manifest }) => manifest.flags),
    signals: batch.manifests.flatMap(({ manifest }) => manifest.signals),
    skipped: batch.skipped,
  };
}

/** Fetches at most `concurrency` objects at a time, in the order asked for. */
function limited({
  store,
  concurrency,
  signal,
}: ReadLogOptions): (object: ManifestObject) => Promise<LogEvent[]> {
  let free = concurrency ?? defaultConcurrency;
  const waiting: (() => void)[] = [];
  return async (object) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      signal?.throwIfAborted();
      return await readLogObject(store, object);
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}
