import { AwsError, type RequestContext } from "../service.ts";
import { checkRead, writeConditions } from "./conditions.ts";
import { xmlResponse } from "./documents.ts";
import { checkKey, checksumHeaders, headersToKeep, metadataOf, versionHeaders } from "./object-headers.ts";
import { findObject } from "./read.ts";
import type { ObjectVersion } from "./schema.ts";
import type { Store } from "./store.ts";
import type { Target } from "./target.ts";

/** The object named by x-amz-copy-source, after its own conditions (x-amz-copy-source-if-…). */
export function copySource(request: Request, store: Store): ObjectVersion {
  const header = decodeURIComponent((request.headers.get("x-amz-copy-source") ?? "").replace(/^\//, ""));
  const [path = "", version] = header.split("?versionId=");
  const slash = path.indexOf("/");
  if (slash < 1) throw new AwsError("InvalidArgument", "Invalid copy source object key", 400);
  const bucket = path.slice(0, slash);
  store.bucket(bucket);
  const object = findObject(store, bucket, path.slice(slash + 1), version);
  checkRead(request.headers, object, "x-amz-copy-source-if-");
  return object;
}

/** CopyObject: the bytes are shared, headers and metadata copied or replaced by x-amz-metadata-directive. */
export function copyObject(
  request: Request,
  target: Target,
  store: Store,
  context: RequestContext,
): Response {
  const bucket = store.bucket(target.bucket);
  checkKey(target.key);
  const source = copySource(request, store);
  const replace = request.headers.get("x-amz-metadata-directive") === "REPLACE";
  const given = headersToKeep(request, store, bucket.name);
  const encryption = Object.fromEntries(
    Object.entries(given).filter(([name]) => name.startsWith("x-amz-server-side-encryption")),
  );
  const extents = source.extents.map((extent) => store.blobs.duplicate(extent));
  const object = store.put(
    bucket,
    {
      ...source,
      key: target.key,
      modified: context.now().getTime(),
      extents,
      headers: replace ? given : { ...source.headers, ...encryption },
      metadata: replace ? metadataOf(request) : source.metadata,
      tags:
        request.headers.get("x-amz-tagging-directive") === "REPLACE"
          ? (request.headers.get("x-amz-tagging") ?? "")
          : source.tags,
    },
    writeConditions(request.headers),
    false,
  );
  return xmlResponse(
    { CopyObjectResult: { ETag: `"${object.etag}"`, LastModified: new Date(object.modified) } },
    { ...versionHeaders(bucket, object), ...checksumHeaders(object) },
  );
}
