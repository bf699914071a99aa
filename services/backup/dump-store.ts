import { newestFence } from "../../adapters/state/fences.ts";
import { readJson } from "../../adapters/state/json.ts";
import type { DumpManifest } from "../../core/failback/documents.ts";
import { keysOf } from "../../core/failback/layout.ts";
import type { ObjectStore } from "../../core/ports.ts";

export type DumpSide = DumpManifest["side"];

/** Where one dump lies. */
export function dumpKeys(
  failbackId: string,
  side: DumpSide,
  run: string,
): { archive: string; manifest: string } {
  const folder = `${keysOf(failbackId).dump(side)}${run}/`;
  return { archive: `${folder}dump.archive.gz`, manifest: `${folder}manifest.json` };
}

/**
 * The complete dump of a side: its manifest is there and the archive has the size it says. A dump of DocumentDB
 * counts only when it was begun behind the newest fence: an earlier one lacks writes.
 */
export async function completeDump(
  store: ObjectStore,
  failbackId: string,
  side: DumpSide,
): Promise<DumpManifest | undefined> {
  const fence = side === "documentdb" ? (await newestFence(store, failbackId))?.number : undefined;
  for await (const { key } of store.list(keysOf(failbackId).dump(side))) {
    if (!key.endsWith("/manifest.json")) continue;
    const manifest = (await readJson<DumpManifest>(store, key))?.value;
    if (!manifest || manifest.fence !== fence) continue;
    if ((await store.head(manifest.key))?.size === manifest.bytes) return manifest;
  }
  return undefined;
}
