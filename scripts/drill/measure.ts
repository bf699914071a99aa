import { deserialize } from "bson";
import type { Manifest } from "../../core/changes/manifest.ts";
import { keysOf } from "../../core/failback/layout.ts";
import type { ObjectStore } from "../../core/ports.ts";
import type { Sample } from "./types.ts";

export interface Measured {
  readonly p50: number;
  readonly p99: number;
  readonly rpo: readonly Sample[];
  readonly perSecond: readonly Sample[];
  readonly captured: number;
}

interface JournalRow {
  readonly time: string | number;
  readonly operation: string;
  readonly key: string;
  readonly status: number;
}

/**
 * RPO as it was: from the reply the application got to the moment the manifest that commits the change was in S3, by
 * the stand-in's own request journal. Updates are found by the `rev` they set, so late lookups do not blur it.
 */
export async function measure(
  store: ObjectStore,
  failbackId: string,
  aws: string,
  acknowledged: ReadonlyMap<number, number>,
  origin: number,
): Promise<Measured> {
  const durableAt = await manifestTimes(aws);
  const delays: { at: number; ms: number }[] = [];
  const perSecond = new Map<number, number>();
  let captured = 0;
  for await (const { key } of store.list(keysOf(failbackId).manifests)) {
    const manifest = JSON.parse(new TextDecoder().decode((await store.get(key))?.body)) as Manifest;
    const time = durableAt.get(key) ?? Date.parse(manifest.writtenAt);
    for (const object of manifest.objects.filter(({ kind }) => kind === "scope")) {
      captured += object.events;
      const second = Math.floor((time - origin) / 1000);
      perSecond.set(second, (perSecond.get(second) ?? 0) + object.events);
      for (const rev of await revisionsOf(store, object)) {
        const at = acknowledged.get(rev);
        if (at !== undefined) delays.push({ at: (at - origin) / 1000, ms: Math.max(0, time - at) });
      }
    }
  }
  const sorted = delays.map(({ ms }) => ms).sort((a, b) => a - b);
  return {
    p50: Math.round(percentile(sorted, 0.5)),
    p99: Math.round(percentile(sorted, 0.99)),
    rpo: thin(delays.map(({ at, ms }) => ({ at, value: ms })).sort((a, b) => a.at - b.at)),
    perSecond: [...perSecond].sort((a, b) => a[0] - b[0]).map(([at, value]) => ({ at, value })),
    captured,
  };
}

async function manifestTimes(aws: string): Promise<Map<string, number>> {
  const reply = await fetch(`${aws}/_sandbox/journal`);
  const body = (await reply.json()) as JournalRow[] | { entries: JournalRow[] };
  const rows = Array.isArray(body) ? body : body.entries;
  const times = new Map<string, number>();
  for (const row of rows) {
    if (row.operation !== "PutObject" || row.status >= 300) continue;
    const at = row.key.indexOf("failback/");
    if (at >= 0) times.set(row.key.slice(at), typeof row.time === "number" ? row.time : Date.parse(row.time));
  }
  return times;
}

async function revisionsOf(store: ObjectStore, object: Manifest["objects"][number]): Promise<number[]> {
  const stored = (await store.get(object.key))?.body ?? new Uint8Array();
  const bytes = object.compression === "zstd" ? Bun.zstdDecompressSync(stored) : stored;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const revisions: number[] = [];
  for (let offset = 0; offset < bytes.length; offset += view.getInt32(offset, true)) {
    const event = deserialize(bytes.subarray(offset, offset + view.getInt32(offset, true)));
    const source =
      event.operationType === "update" ? event.updateDescription?.updatedFields : event.fullDocument;
    if (event.operationType !== "delete" && typeof source?.rev === "number") revisions.push(source.rev);
  }
  return revisions;
}

function percentile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

const samplesMax = 600;

/** Keeps the highest of each stretch, so that a peak is never drawn away. */
function thin(samples: readonly Sample[]): Sample[] {
  const stretch = Math.ceil(samples.length / samplesMax);
  const kept: Sample[] = [];
  for (let from = 0; from < samples.length; from += stretch) {
    kept.push(
      samples
        .slice(from, from + stretch)
        .reduce((high, sample) => (sample.value > high.value ? sample : high)),
    );
  }
  return kept;
}
