import { AwsError, type RequestContext } from "../service.ts";
import { parseXml, toXml, type XmlElement } from "../xml.ts";
import { checksumNames } from "./checksums.ts";
import { byteRange, checkRead, writeConditions } from "./conditions.ts";
import { receive } from "./receive.ts";
import type { Bucket, ObjectVersion, Store } from "./store.ts";
import type { Target } from "./target.ts";

const storedHeaders = [
  "content-type",
  "content-encoding",
  "content-language",
  "content-disposition",
  "cache-control",
  "expires",
  "x-amz-storage-class",
  "x-amz-server-side-encryption",
  "x-amz-server-side-encryption-aws-kms-key-id",
  "x-amz-server-side-encryption-bucket-key-enabled",
  "x-amz-website-redirect-location",
];
const metadataBytesMax = 2048;
const keyBytesMax = 1024;

/** An S3 document. */
export function xmlResponse(document: object, headers: Record<string, string> = {}): Response {
  return new Response(`<?xml version="1.0" encoding="UTF-8"?>\n${toXml(document)}`, {
    headers: { "content-type": "application/xml", ...headers },
  });
}

/** Parses a request document; MalformedXML where it isn't one. */
export async function xmlBody(request: Request): Promise<XmlElement> {
  try {
    return parseXml(await request.text());
  } catch {
    throw new AwsError(
      "MalformedXML",
      "The XML you provided was not well-formed or did not validate against our published schema",
      400,
    );
  }
}

/** The system headers to keep with an object; encryption falls back to the bucket's default, then S3's (AES256). */
export function headersToKeep(request: Request, store: Store, bucket: string): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of storedHeaders) {
    const value = request.headers.get(name);
    if (value !== null) kept[name] = value;
  }
  const encoding = kept["content-encoding"]
    ?.split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "aws-chunked")
    .join(",");
  delete kept["content-encoding"];
  if (encoding) kept["content-encoding"] = encoding;
  kept["content-type"] ??= "binary/octet-stream";
  if (kept["x-amz-server-side-encryption"] === undefined) {
    const setting = store.setting(bucket, "encryption")?.body ?? "";
    kept["x-amz-server-side-encryption"] = /<SSEAlgorithm>([^<]+)</.exec(setting)?.[1] ?? "AES256";
    const kmsKey = /<KMSMasterKeyID>([^<]+)</.exec(setting)?.[1];
    if (kmsKey !== undefined) kept["x-amz-server-side-encryption-aws-kms-key-id"] = kmsKey;
  }
  if (!["AES256", "aws:kms", "aws:kms:dsse"].includes(kept["x-amz-server-side-encryption"])) {
    throw new AwsError("InvalidArgument", "The encryption method specified is not supported", 400);
  }
  return kept;
}

export function metadataOf(request: Request): Record<string, string> {
  const metadata: Record<string, string> = {};
  let bytes = 0;
  for (const [name, value] of request.headers) {
    if (!name.startsWith("x-amz-meta-")) continue;
    metadata[name.slice("x-amz-meta-".length)] = value;
    bytes += name.length - "x-amz-meta-".length + Buffer.byteLength(value);
  }
  if (bytes > metadataBytesMax) {
    throw new AwsError(
      "MetadataTooLarge",
      "Your metadata headers exceed the maximum allowed metadata size",
      400,
      { Size: bytes, MaxSizeAllowed: metadataBytesMax },
    );
  }
  return metadata;
}

export function checkKey(key: string): void {
  if (Buffer.byteLength(key) > keyBytesMax) {
    throw new AwsError("KeyTooLongError", "Your key is too long", 400, {
      Size: Buffer.byteLength(key),
      MaxSizeAllowed: keyBytesMax,
    });
  }
}

/** Version and encryption of an object, as every answer about it says. */
export function versionHeaders(bucket: Bucket, object: ObjectVersion): Record<string, string> {
  const headers: Record<string, string> = {};
  if (bucket.versioning !== "") headers["x-amz-version-id"] = object.version;
  for (const [name, value] of Object.entries(object.headers)) {
    if (name.startsWith("x-amz-server-side-encryption")) headers[name] = value;
  }
  return headers;
}

export function checksumHeaders(
  object: Pick<ObjectVersion, "checksums" | "checksumType">,
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of checksumNames) {
    const value = object.checksums[name];
    if (value !== undefined) headers[`x-amz-checksum-${name}`] = value;
  }
  if (Object.keys(headers).length > 0) headers["x-amz-checksum-type"] = object.checksumType;
  return headers;
}

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
