import { rm } from "node:fs/promises";
import { join } from "node:path";
import { RoundtripError } from "../../core/errors.ts";
import { keysOf } from "../../core/failback/layout.ts";
import type { ObjectStore } from "../../core/ports.ts";

/** As DeleteObjects takes them at once. */
const deletionMax = 1000;
export const tokenFile = "data_resume_token.json";

/** Deletes the log's objects and the resume token, in the bucket and on this host, and sees that they are gone. */
export async function removeLog(
  store: ObjectStore,
  failbackId: string,
  stateDirectory: string,
): Promise<number> {
  const keys = keysOf(failbackId);
  let deleted = 0;
  let batch: string[] = [];
  const flush = async () => {
    if (batch.length > 0) await store.delete(batch);
    deleted += batch.length;
    batch = [];
  };
  for await (const { key } of store.list(keys.log)) {
    batch.push(key);
    if (batch.length === deletionMax) await flush();
  }
  await flush();
  await store.delete([keys.resumeToken]);
  await rm(join(stateDirectory, tokenFile), { force: true });
  for await (const { key } of store.list(keys.log)) throw stillThere(key);
  if (await store.head(keys.resumeToken)) throw stillThere(keys.resumeToken);
  return deleted;
}

function stillThere(key: string): RoundtripError {
  return new RoundtripError({
    kind: "unavailable",
    what: `delete ${key}`,
    expected: "no such object",
    got: "it is still there",
    wayOut: "see that replication.service is stopped everywhere, then start clean again",
  });
}
