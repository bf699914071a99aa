import { readJson, writeJson } from "../../adapters/state/json.ts";
import { RoundtripError } from "../../core/errors.ts";
import { keysOf } from "../../core/failback/layout.ts";
import type { ObjectStore } from "../../core/ports.ts";
import { sha256Of } from "../../core/sha256.ts";

const copiesAtOnce = 6;

export interface ArchivedObject {
  readonly key: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** `archive/<id>/archive.json`, written last: what was kept, and by which hash. */
export interface ArchiveList {
  readonly version: 1;
  readonly failbackId: string;
  readonly archivedAt: string;
  readonly objects: readonly ArchivedObject[];
}

/** Where the list of an archive lies. */
export function archiveListKey(failbackId: string): string {
  return `${keysOf(failbackId).archive}archive.json`;
}

export interface ArchiveOptions {
  readonly store: ObjectStore;
  readonly failbackId: string;
  readonly now: () => Date;
  readonly onProgress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Copies log, manifests, ledger, verdict, journal and everything else of the failback to its archive, reads each copy
 * back and compares its hash; the list is written last (invariants.md 27). Dumps stay where they are: their lifecycle
 * is their own. With the list there already nothing is copied: what it names may have been deleted since.
 */
export async function archiveFailback(options: ArchiveOptions): Promise<ArchiveList> {
  const { store, failbackId, signal } = options;
  const known = (await readJson<ArchiveList>(store, archiveListKey(failbackId)))?.value;
  if (known) return known;
  const keys = await keysToArchive(store, failbackId);
  const objects: ArchivedObject[] = [];
  let next = 0;
  // Not `next`: that counts what was begun, several at once.
  let done = 0;
  const copyNext = async (): Promise<void> => {
    for (let index = next++; index < keys.length; index = next++) {
      signal.throwIfAborted();
      objects[index] = await copyVerified(store, failbackId, keys[index]!);
      options.onProgress(++done, keys.length);
    }
  };
  await Promise.all(Array.from({ length: copiesAtOnce }, copyNext));
  const list: ArchiveList = { version: 1, failbackId, archivedAt: options.now().toISOString(), objects };
  await writeJson(store, archiveListKey(failbackId), list);
  return list;
}

async function keysToArchive(store: ObjectStore, failbackId: string): Promise<string[]> {
  const { root } = keysOf(failbackId);
  // Status objects change while clean itself works, and say nothing later.
  const left = [`${root}dump/`, `${root}status/`];
  const keys: string[] = [];
  for await (const { key } of store.list(root)) {
    if (!left.some((prefix) => key.startsWith(prefix))) keys.push(key);
  }
  return keys;
}

async function copyVerified(store: ObjectStore, failbackId: string, key: string): Promise<ArchivedObject> {
  const { root, archive } = keysOf(failbackId);
  const found = await store.get(key);
  if (!found) throw vanished(key);
  const sha256 = sha256Of(found.body);
  const copyKey = `${archive}${key.slice(root.length)}`;
  await store.put(copyKey, found.body, { metadata: found.metadata });
  const copy = await store.get(copyKey);
  if (!copy || sha256Of(copy.body) !== sha256) throw notEqual(copyKey, sha256, copy && sha256Of(copy.body));
  return { key: copyKey, bytes: found.body.length, sha256 };
}

function vanished(key: string): RoundtripError {
  return new RoundtripError({
    kind: "unavailable",
    what: `archive ${key}`,
    expected: "the object that was listed just before",
    got: "no such object",
    wayOut: "find what else deletes below this prefix, then start clean again",
  });
}

function notEqual(key: string, expected: string, got: string | undefined): RoundtripError {
  return new RoundtripError({
    kind: "logCorrupt",
    what: `verify the archived copy ${key}`,
    expected: `sha256 ${expected}`,
    got: got ? `sha256 ${got}` : "no such object",
    wayOut: "start clean again: nothing is deleted before every copy is verified",
  });
}
