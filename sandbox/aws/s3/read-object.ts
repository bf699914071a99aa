import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ServiceContext } from "../service.ts";
import type { Extent } from "./blobs.ts";

/** An object's bytes, for services of the stand-in that take their input from S3; undefined where there is none. */
export function readObject(
  { db, dir }: Pick<ServiceContext, "db" | "dir">,
  bucket: string,
  key: string,
  version?: string,
): Buffer | undefined {
  const row = db
    .query<{ extents: string }, [string, string, string | null, string | null]>(
      "SELECT extents FROM s3_objects WHERE bucket = ? AND key = ? AND marker = 0 AND (version = ? OR (? IS NULL AND latest = 1))",
    )
    .get(bucket, key, version ?? null, version ?? null);
  if (row === null) return undefined;
  const extents = JSON.parse(row.extents) as Extent[];
  return Buffer.concat(extents.map(({ blob }) => readFileSync(join(dir, "s3", blob.slice(0, 2), blob))));
}
