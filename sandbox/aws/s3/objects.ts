import type { RequestContext } from "../service.ts";
import { writeConditions } from "./conditions.ts";
import { checkKey, checksumHeaders, headersToKeep, metadataOf, versionHeaders } from "./object-headers.ts";
import { receive } from "./receive.ts";
import type { ObjectVersion } from "./schema.ts";
import type { Store } from "./store.ts";
import type { Target } from "./target.ts";

export async function putObject(
  request: Request,
  target: Target,
  store: Store,
  context: RequestContext,
): Promise<Response> {
  const bucket = store.bucket(target.bucket);
  checkKey(target.key);
  const conditions = writeConditions(request.headers);
  const headers = headersToKeep(request, store, bucket.name);
  const metadata = metadataOf(request);
  const watcher = store.beginConditional(bucket.name, target.key);
  try {
    const { extent, md5, checksums } = await receive(request, store.blobs, context);
    let object: ObjectVersion;
    try {
      object = store.put(
        bucket,
        {
          key: target.key,
          size: extent.size,
          etag: md5,
          modified: context.now().getTime(),
          extents: [extent],
          headers,
          metadata,
          checksums,
          checksumType: "FULL_OBJECT",
          tags: request.headers.get("x-amz-tagging") ?? "",
        },
        conditions,
        watcher.deleted,
      );
    } catch (error) {
      store.blobs.remove([extent]);
      throw error;
    }
    return new Response(null, {
      headers: { etag: `"${md5}"`, ...versionHeaders(bucket, object), ...checksumHeaders(object) },
    });
  } finally {
    watcher.end();
  }
}

export function deleteObject(
  { bucket: name, key, query }: Target,
  store: Store,
  context: RequestContext,
): Response {
  const bucket = store.bucket(name);
  const { version, marker } = store.delete(bucket, key, query.get("versionId"), context.now().getTime());
  const headers: Record<string, string> = {};
  if (version !== undefined) headers["x-amz-version-id"] = version;
  if (marker) headers["x-amz-delete-marker"] = "true";
  return new Response(null, { status: 204, headers });
}
