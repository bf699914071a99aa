import { AwsError } from "../service.ts";
import { byteRange, checkRead } from "./conditions.ts";
import { checksumHeaders, versionHeaders } from "./object-headers.ts";
import type { ObjectVersion } from "./schema.ts";
import type { Store } from "./store.ts";
import type { Target } from "./target.ts";

/** The version a read is about. Throws NoSuchKey, NoSuchVersion, and 405 for a delete marker asked for by version. */
export function findObject(
  store: Store,
  bucket: string,
  key: string,
  version: string | undefined,
): ObjectVersion {
  const object = version === undefined ? store.latest(bucket, key) : store.version(bucket, key, version);
  if (object === undefined && version !== undefined) {
    throw new AwsError("NoSuchVersion", "The specified version does not exist.", 404, {
      Key: key,
      VersionId: version,
    });
  }
  if (object?.marker === true && version !== undefined) {
    throw new AwsError(
      "MethodNotAllowed",
      "The specified method is not allowed against this resource.",
      405,
      { Method: "GET" },
    );
  }
  if (object === undefined || object.marker)
    throw new AwsError("NoSuchKey", "The specified key does not exist.", 404, { Key: key });
  return object;
}

function partRange(object: ObjectVersion, partNumber: string): { from: number; to: number } {
  const index = Number(partNumber) - 1;
  const extent = object.extents[index];
  if (extent === undefined)
    throw new AwsError("InvalidPartNumber", "The requested partnumber is not satisfiable", 416);
  const from = object.extents.slice(0, index).reduce((sum, each) => sum + each.size, 0);
  return { from, to: from + extent.size };
}

const responseOverrides = [
  "content-type",
  "content-language",
  "expires",
  "cache-control",
  "content-disposition",
  "content-encoding",
];

/** GetObject and HeadObject. */
export function getObject(request: Request, { bucket: name, key, query }: Target, store: Store): Response {
  const bucket = store.bucket(name);
  const object = findObject(store, name, key, query.get("versionId"));
  checkRead(request.headers, object);
  const partNumber = query.get("partNumber");
  const range =
    partNumber === undefined
      ? byteRange(request.headers.get("range"), object.size)
      : partRange(object, partNumber);
  const { from, to } = range ?? { from: 0, to: object.size };
  const headers: Record<string, string> = {
    ...object.headers,
    ...versionHeaders(bucket, object),
    etag: `"${object.etag}"`,
    "last-modified": new Date(object.modified).toUTCString(),
    "accept-ranges": "bytes",
    "content-length": String(to - from),
  };
  for (const [metadataName, value] of Object.entries(object.metadata))
    headers[`x-amz-meta-${metadataName}`] = value;
  if (range !== undefined) headers["content-range"] = `bytes ${from}-${to - 1}/${object.size}`;
  if (partNumber !== undefined) headers["x-amz-mp-parts-count"] = String(object.extents.length);
  // A part of the object has another checksum than the whole, so S3 leaves it out with ranges.
  if (range === undefined && request.headers.get("x-amz-checksum-mode") === "ENABLED")
    Object.assign(headers, checksumHeaders(object));
  for (const override of responseOverrides) {
    const value = query.get(`response-${override}`);
    if (value !== undefined) headers[override] = value;
  }
  if (object.tags !== "") headers["x-amz-tagging-count"] = String(object.tags.split("&").length);
  const body = request.method === "HEAD" ? null : store.blobs.read(object.extents, from, to);
  return new Response(body, { status: range === undefined ? 200 : 206, headers });
}
