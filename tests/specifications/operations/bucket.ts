/** Operations on GridFS buckets; contents are given and compared as hexadecimal text. */
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { GridFSBucket, ObjectId } from "mongodb";
import type { Table } from "./table.ts";

async function hexOf(stream: Readable): Promise<string> {
  return Buffer.concat(await stream.toArray()).toString("hex");
}

export const bucketOperations: Table<GridFSBucket> = {
  delete: (bucket, { id, timeoutMS }) =>
    bucket.delete(id, timeoutMS === undefined ? undefined : { timeoutMS }),
  download: (bucket, { id, ...options }) => hexOf(bucket.openDownloadStream(id, options)),
  downloadByName: (bucket, { filename, ...options }) =>
    hexOf(bucket.openDownloadStreamByName(filename, options)),
  rename: (bucket, { id, newFilename }) => bucket.rename(id, newFilename),
  upload: async (bucket, { filename, source, ...options }): Promise<ObjectId> => {
    const stream = bucket.openUploadStream(filename, options);
    await pipeline(Readable.from([Buffer.from(source.$$hexBytes, "hex")]), stream);
    return stream.id;
  },
};
