import type { ObjectStore } from "../../core/ports.ts";
import { sha256Of } from "../../core/sha256.ts";

/** Leaves a document in the bucket for the runner: SSM's own output is cut at 24,000 characters. Gives what to read. */
export async function keepDocument(
  store: ObjectStore,
  key: string,
  document: object,
): Promise<{ key: string; sha256: string; bytes: number }> {
  const body = new TextEncoder().encode(`${JSON.stringify(document)}\n`);
  const sha256 = sha256Of(body);
  await store.put(key, body, { ifNoneMatch: true, sha256, contentType: "application/json" });
  return { key, sha256, bytes: body.length };
}
