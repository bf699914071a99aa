import type { RequestContext } from "../service.ts";
import { xmlResponse } from "./documents.ts";
import { checkKey, headersToKeep, metadataOf } from "./object-headers.ts";
import type { Store } from "./store.ts";
import type { Target } from "./target.ts";
import { findUpload, removeUpload } from "./upload-rows.ts";

export function createUpload(
  request: Request,
  target: Target,
  store: Store,
  context: RequestContext,
): Response {
  const bucket = store.bucket(target.bucket);
  checkKey(target.key);
  const id = `${crypto.randomUUID()}${crypto.randomUUID()}`.replaceAll("-", "");
  const headers = headersToKeep(request, store, bucket.name);
  const algorithm = (request.headers.get("x-amz-checksum-algorithm") ?? "").toLowerCase();
  const type =
    request.headers.get("x-amz-checksum-type") ?? (algorithm === "crc64nvme" ? "FULL_OBJECT" : "COMPOSITE");
  store.db.run("INSERT INTO s3_uploads VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [
    id,
    bucket.name,
    target.key,
    context.now().getTime(),
    JSON.stringify(headers),
    JSON.stringify(metadataOf(request)),
    request.headers.get("x-amz-tagging") ?? "",
    algorithm,
    type,
  ]);
  const answer: Record<string, string> =
    algorithm === ""
      ? {}
      : { "x-amz-checksum-algorithm": algorithm.toUpperCase(), "x-amz-checksum-type": type };
  for (const [name, value] of Object.entries(headers))
    if (name.startsWith("x-amz-server-side")) answer[name] = value;
  return xmlResponse(
    { InitiateMultipartUploadResult: { Bucket: bucket.name, Key: target.key, UploadId: id } },
    answer,
  );
}

export function abortUpload(target: Target, store: Store): Response {
  store.bucket(target.bucket);
  const upload = findUpload(store, target);
  store.atomically(() => removeUpload(store, upload.id, () => true));
  return new Response(null, { status: 204 });
}
