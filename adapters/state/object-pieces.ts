import { RoundtripError } from "../../core/errors.ts";
import type { ObjectStore } from "../../core/ports.ts";

const pieceBytes = 8 * 1024 * 1024;

/**
 * An object's bytes in pieces of 8 MiB, one read ahead: memory stays bounded however large it is. Fails `logCorrupt` when
 * the object is replaced or gone in the middle, otherwise as the store does. Gives nothing for an empty object.
 */
export async function* objectPieces(
  store: ObjectStore,
  key: string,
  { size, etag }: { readonly size: number; readonly etag: string },
): AsyncGenerator<Uint8Array> {
  const read = async (start: number): Promise<Uint8Array | undefined> => {
    if (start >= size) return undefined;
    const end = Math.min(start + pieceBytes, size);
    const found = await store.get(key, { range: { start, end } });
    if (found?.etag === etag && found.body.length === end - start) return found.body;
    throw new RoundtripError({
      kind: "logCorrupt",
      what: `read bytes ${start} to ${end} of ${key}`,
      expected: `the object with ETag ${etag}`,
      got: found ? `another one, ${found.etag}` : "no such object",
      wayOut: "nobody may write there: see who did (the bucket keeps versions), then run this again",
    });
  };
  let ahead = read(0);
  for (let start = 0; start < size; start += pieceBytes) {
    const piece = await ahead;
    ahead = read(start + pieceBytes);
    // Reported when its turn comes, not as a stray rejection before.
    ahead.catch(() => {});
    if (piece) yield piece;
  }
}
