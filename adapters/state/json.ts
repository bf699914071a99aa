import { RoundtripError } from "../../core/errors.ts";
import type { ObjectStore, PutOptions } from "../../core/ports.ts";

/** Reads a JSON object from the bucket; `undefined` when there is none. A torn one is `logCorrupt`. */
export async function readJson<T>(
  store: Pick<ObjectStore, "get">,
  key: string,
): Promise<{ value: T; etag: string } | undefined> {
  const found = await store.get(key);
  if (!found) return undefined;
  try {
    return { value: JSON.parse(new TextDecoder().decode(found.body)) as T, etag: found.etag };
  } catch (cause) {
    throw new RoundtripError(
      {
        kind: "logCorrupt",
        what: `read ${key}`,
        expected: "a JSON document",
        got: `${found.body.length} bytes that do not parse`,
        wayOut: "look at the object's versions in the bucket and restore the last whole one",
      },
      { cause },
    );
  }
}

/** Writes a JSON object; see ObjectStore for what the options refuse. */
export async function writeJson(
  store: ObjectStore,
  key: string,
  value: unknown,
  options: PutOptions = {},
): Promise<{ etag: string }> {
  const body = new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
  return store.put(key, body, { contentType: "application/json", ...options });
}
