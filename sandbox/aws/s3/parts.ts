import { createHash } from "node:crypto";
import { AwsError, type RequestContext } from "../service.ts";
import type { Extent } from "./blobs.ts";
import { byteRange } from "./conditions.ts";
import { copySource } from "./copy.ts";
import { xmlResponse } from "./documents.ts";
import { checksumHeaders } from "./object-headers.ts";
import { receive } from "./receive.ts";
import type { Store } from "./store.ts";
import type { Target } from "./target.ts";
import { findUpload, type Part, type Upload } from "./upload-rows.ts";

const partNumberMax = 10_000;

function partNumber({ query }: Target): number {
  const number = Number(query.get("partNumber"));
  if (!Number.isInteger(number) || number < 1 || number > partNumberMax) {
    throw new AwsError(
      "InvalidArgument",
      "Part number must be an integer between 1 and 10000, inclusive",
      400,
    );
  }
  return number;
}

function savePart(store: Store, upload: Upload, part: Part): void {
  store.atomically(() => {
    // The upload may have been completed or aborted while the bytes came in.
    if (store.db.query("SELECT id FROM s3_uploads WHERE id = ?").get(upload.id) === null) {
      store.blobs.remove(JSON.parse(part.extents) as Extent[]);
      throw new AwsError("NoSuchUpload", "The specified multipart upload does not exist.", 404);
    }
    const old = store.db
      .query<{ extents: string }, [string, number]>(
        "SELECT extents FROM s3_parts WHERE upload = ? AND number = ?",
      )
      .get(upload.id, part.number);
    store.db.run("INSERT OR REPLACE INTO s3_parts VALUES (?, ?, ?, ?, ?, ?, ?)", [
      upload.id,
      part.number,
      part.etag,
      part.size,
      part.extents,
      part.checksums,
      part.modified,
    ]);
    if (old !== null) store.removeAfterCommit(JSON.parse(old.extents) as Extent[]);
  });
}

export async function uploadPart(
  request: Request,
  target: Target,
  store: Store,
  context: RequestContext,
): Promise<Response> {
  store.bucket(target.bucket);
  const upload = findUpload(store, target);
  const number = partNumber(target);
  const { extent, md5, checksums } = await receive(request, store.blobs, context);
  savePart(store, upload, {
    number,
    etag: md5,
    size: extent.size,
    extents: JSON.stringify([extent]),
    checksums: JSON.stringify(checksums),
    modified: context.now().getTime(),
  });
  const headers = checksumHeaders({ checksums, checksumType: "" });
  delete headers["x-amz-checksum-type"];
  return new Response(null, { headers: { etag: `"${md5}"`, ...headers } });
}

export async function uploadPartCopy(
  request: Request,
  target: Target,
  store: Store,
  context: RequestContext,
): Promise<Response> {
  store.bucket(target.bucket);
  const upload = findUpload(store, target);
  const number = partNumber(target);
  const source = copySource(request, store);
  const { from, to } = byteRange(request.headers.get("x-amz-copy-source-range"), source.size) ?? {
    from: 0,
    to: source.size,
  };
  const writer = store.blobs.create();
  const md5 = createHash("md5");
  for await (const chunk of new Response(store.blobs.read(source.extents, from, to)).body ?? []) {
    md5.update(chunk);
    writer.write(chunk);
  }
  const extent = writer.close();
  const etag = md5.digest("hex");
  const modified = context.now().getTime();
  savePart(store, upload, {
    number,
    etag,
    size: extent.size,
    extents: JSON.stringify([extent]),
    checksums: "{}",
    modified,
  });
  return xmlResponse({ CopyPartResult: { ETag: `"${etag}"`, LastModified: new Date(modified) } });
}
