import { AwsError } from "../service.ts";
import type { Extent } from "./blobs.ts";
import type { Store } from "./store.ts";
import type { Target } from "./target.ts";

export interface Upload {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly started: number;
  readonly headers: string;
  readonly metadata: string;
  readonly tags: string;
  readonly checksum: string;
  readonly checksumType: string;
}

export interface Part {
  readonly number: number;
  readonly etag: string;
  readonly size: number;
  readonly extents: string;
  readonly checksums: string;
  readonly modified: number;
}

/** Throws NoSuchUpload. */
export function findUpload(store: Store, { bucket, key, query }: Target): Upload {
  const upload = store.db
    .query<Upload, [string, string, string]>(
      "SELECT * FROM s3_uploads WHERE id = ? AND bucket = ? AND key = ?",
    )
    .get(query.get("uploadId") ?? "", bucket, key);
  if (upload === null) {
    throw new AwsError(
      "NoSuchUpload",
      "The specified multipart upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
      404,
    );
  }
  return upload;
}

export function partsOf(store: Store, upload: string): Part[] {
  return store.db
    .query<Part, [string]>("SELECT * FROM s3_parts WHERE upload = ? ORDER BY number")
    .all(upload);
}

export function removeUpload(store: Store, id: string, discard: (part: Part) => boolean): void {
  for (const part of partsOf(store, id))
    if (discard(part)) store.removeAfterCommit(JSON.parse(part.extents) as Extent[]);
  store.db.run("DELETE FROM s3_parts WHERE upload = ?", [id]);
  store.db.run("DELETE FROM s3_uploads WHERE id = ?", [id]);
}
