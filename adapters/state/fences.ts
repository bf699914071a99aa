import type { Fence } from "../../core/failback/documents.ts";
import { keysOf } from "../../core/failback/layout.ts";
import type { ObjectStore } from "../../core/ports.ts";
import { isPrecondition } from "../store-error.ts";
import { readJson, writeJson } from "./json.ts";

/** The fence with the highest number; `undefined` while none was raised. */
export async function newestFence(store: ObjectStore, failbackId: string): Promise<Fence | undefined> {
  let newest: string | undefined;
  // At most a handful: each is one drain, or one breach of it.
  for await (const { key } of store.list(keysOf(failbackId).fences)) newest = key;
  return newest ? (await readJson<Fence>(store, newest))?.value : undefined;
}

/** Keeps a fence; false when another one took its number meanwhile. */
export async function addFence(store: ObjectStore, fence: Fence): Promise<boolean> {
  try {
    await writeJson(store, keysOf(fence.failbackId).fence(fence.number), fence, { ifNoneMatch: true });
    return true;
  } catch (error) {
    if (isPrecondition(error)) return false;
    throw error;
  }
}
