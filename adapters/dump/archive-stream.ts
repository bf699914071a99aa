import { Duplex, pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import type { Compression } from "../../core/backup/layout.ts";

/** mongodump's archive out of its stored bytes, as it comes. Fails with what reading them or the decompressor threw. */
export function archiveStream(stored: AsyncIterable<Uint8Array>, compression: Compression): Readable {
  const archive = compression === "gzip" ? createGunzip() : Duplex.fromWeb(new DecompressionStream("zstd"));
  // The error of either end reaches whoever reads the archive.
  pipeline(Readable.from(stored, { objectMode: false }), archive, () => {});
  return archive;
}
