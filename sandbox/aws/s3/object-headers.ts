import { AwsError } from "../service.ts";
import { checksumNames } from "./checksums.ts";
import type { Bucket, ObjectVersion } from "./schema.ts";
import type { Store } from "./store.ts";

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
