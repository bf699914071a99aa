import { readLog } from "../../adapters/log/reader.ts";
import type { LogEvent } from "../../adapters/log/window.ts";
import type { Manifest } from "../../core/changes/manifest.ts";
import type { ObjectStore } from "../../core/ports.ts";

/** Every event of the log, read as restore reads it. */
export async function eventsOf(store: ObjectStore, failbackId = "fb-1"): Promise<LogEvent[]> {
  const events: LogEvent[] = [];
  for await (const window of readLog({ store, failbackId })) events.push(...window.events);
  return events;
}

/** The manifests as they are stored, in order. */
export async function manifestsOf(store: ObjectStore, failbackId = "fb-1"): Promise<Manifest[]> {
  const manifests: Manifest[] = [];
  for await (const { key } of store.list(`failback/${failbackId}/manifests/`)) {
    const found = await store.get(key);
    if (found) manifests.push(JSON.parse(new TextDecoder().decode(found.body)));
  }
  return manifests;
}

/** Sequence of the last event that is committed. */
export async function lastSequence(store: ObjectStore, failbackId = "fb-1"): Promise<number> {
  return (await manifestsOf(store, failbackId)).at(-1)?.lastSequence ?? 0;
}

/** Buffers, so that a difference is shown as bytes. */
export function buffers(raws: readonly Uint8Array[]): Buffer[] {
  return raws.map((raw) => Buffer.from(raw));
}
