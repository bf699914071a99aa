import { hasUserWriteBlock, setUserWriteBlock } from "../../adapters/mongo/write-block.ts";
import type { Target } from "./target.ts";

/**
 * Closes MongoDB to every writer but the restore, from its version 6.0 on. What they wrote would be lost or mixed in; and
 * what is half restored is nobody's to use, so that after a kill it stays closed until a restore has ended.
 */
export async function closeToWriters(target: Target): Promise<void> {
  await setWriters(target, true);
}

export async function openToWriters(target: Target): Promise<void> {
  await setWriters(target, false);
}

async function setWriters({ kind, client, failure }: Target, blocked: boolean): Promise<void> {
  if (kind !== "in-place") return;
  try {
    if (await hasUserWriteBlock(client)) await setUserWriteBlock(client, blocked);
  } catch (error) {
    throw failure(error, blocked ? "close it to writers" : "open it to writers again");
  }
}
