import { AwsError } from "../service.ts";
import { uriEncode } from "../signature.ts";
import { xmlResponse } from "./objects.ts";
import type { ObjectVersion, Store } from "./store.ts";
import type { Target } from "./target.ts";

const pageMax = 1000;
/** Above every key that begins with the text before it: the highest code point. */
const last = "\u{10ffff}";

interface Listing {
  readonly objects: ObjectVersion[];
  readonly prefixes: string[];
  readonly truncated: boolean;
  /** The last key or common prefix given. */
  readonly end: string;
}

function maxKeys(query: ReadonlyMap<string, string>, name = "max-keys"): number {
  const value = Number(query.get(name) ?? pageMax);
  if (!Number.isInteger(value) || value < 0)
    throw new AwsError("InvalidArgument", `Provided ${name} not an integer or within integer range`, 400);
  return Math.min(value, pageMax);
}

/** Keys below `prefix` after `after`, rolled up at `delimiter`; whole rolled-up stretches are skipped, not read. */
function walk(
  store: Store,
  bucket: string,
  prefix: string,
  delimiter: string,
  after: string,
  max: number,
): Listing {
  const objects: ObjectVersion[] = [];
  const prefixes: string[] = [];
  let from = after;
  let inclusive = false;
  if (delimiter !== "" && after.startsWith(prefix)) {
    const at = after.indexOf(delimiter, prefix.length);
    if (at >= 0 && after.length === at + delimiter.length) from = after + last;
  }
  if (comparesBelow(from, prefix)) {
    from = prefix;
    inclusive = true;
  }
  let end = "";
  for (;;) {
    const page = store.page(bucket, from, inclusive, pageMax + 1);
    inclusive = false;
    let skipped = false;
    for (const object of page) {
      if (!object.key.startsWith(prefix)) return { objects, prefixes, truncated: false, end };
      if (objects.length + prefixes.length >= max) return { objects, prefixes, truncated: max > 0, end };
      const at = delimiter === "" ? -1 : object.key.indexOf(delimiter, prefix.length);
      if (at < 0) {
        objects.push(object);
        end = object.key;
        from = object.key;
      } else {
        end = object.key.slice(0, at + delimiter.length);
        prefixes.push(end);
        from = end + last;
        skipped = true;
        break;
      }
    }
    if (!skipped && page.length <= pageMax) return { objects, prefixes, truncated: false, end };
  }
}

function comparesBelow(a: string, b: string): boolean {
  return Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0;
}

/** Key encoder of the answer: percent-encoded (slashes kept) with `encoding-type=url`. */
function encoder(query: ReadonlyMap<string, string>): (text: string) => string {
  return query.get("encoding-type") === "url"
    ? (text) => uriEncode(text).replaceAll("%2F", "/")
    : (text) => text;
}

function contents(listing: Listing, encode: (text: string) => string): object[] {
  return listing.objects.map((object) => ({
    Key: encode(object.key),
    LastModified: new Date(object.modified),
    ETag: `"${object.etag}"`,
    ChecksumAlgorithm: Object.keys(object.checksums)[0]?.toUpperCase(),
    ChecksumType: Object.keys(object.checksums).length > 0 ? object.checksumType : undefined,
    Size: object.size,
    StorageClass: object.headers["x-amz-storage-class"] ?? "STANDARD",
  }));
}

export function listObjectsV2({ bucket, query }: Target, store: Store): Response {
  store.bucket(bucket);
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const token = query.get("continuation-token");
  const startAfter = query.get("start-after");
  const after = token === undefined ? (startAfter ?? "") : Buffer.from(token, "base64url").toString();
  const max = maxKeys(query);
  const encode = encoder(query);
  const listing = walk(store, bucket, prefix, delimiter, after, max);
  return xmlResponse({
    ListBucketResult: {
      Name: bucket,
      Prefix: encode(prefix),
      StartAfter: startAfter === undefined ? undefined : encode(startAfter),
      ContinuationToken: token,
      NextContinuationToken: listing.truncated ? Buffer.from(listing.end).toString("base64url") : undefined,
      KeyCount: listing.objects.length + listing.prefixes.length,
      MaxKeys: max,
      Delimiter: delimiter === "" ? undefined : encode(delimiter),
      EncodingType: query.get("encoding-type"),
      IsTruncated: listing.truncated,
      Contents: contents(listing, encode),
      CommonPrefixes: listing.prefixes.map((each) => ({ Prefix: encode(each) })),
    },
  });
}

/** The first version of the listing. */
export function listObjects({ bucket, query }: Target, store: Store): Response {
  store.bucket(bucket);
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const marker = query.get("marker") ?? "";
  const max = maxKeys(query);
  const encode = encoder(query);
  const listing = walk(store, bucket, prefix, delimiter, marker, max);
  return xmlResponse({
    ListBucketResult: {
      Name: bucket,
      Prefix: encode(prefix),
      Marker: encode(marker),
      NextMarker: listing.truncated && delimiter !== "" ? encode(listing.end) : undefined,
      MaxKeys: max,
      Delimiter: delimiter === "" ? undefined : encode(delimiter),
      EncodingType: query.get("encoding-type"),
      IsTruncated: listing.truncated,
      Contents: contents(listing, encode),
      CommonPrefixes: listing.prefixes.map((each) => ({ Prefix: encode(each) })),
    },
  });
}

export function listObjectVersions({ bucket, query }: Target, store: Store): Response {
  store.bucket(bucket);
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const max = maxKeys(query);
  const encode = encoder(query);
  const versions: ObjectVersion[] = [];
  const prefixes: string[] = [];
  let key = query.get("key-marker") ?? "";
  const versionMarker = query.get("version-id-marker");
  let seq = versionMarker === undefined ? 0 : (store.version(bucket, key, versionMarker)?.seq ?? 0);
  if (comparesBelow(key, prefix)) [key, seq] = [prefix, Number.MAX_SAFE_INTEGER];
  let truncated = false;
  for (;;) {
    const [object] = store.versionPage(bucket, key, seq, 1);
    if (object === undefined || !object.key.startsWith(prefix)) break;
    if (versions.length + prefixes.length >= max) {
      truncated = true;
      break;
    }
    const at = delimiter === "" ? -1 : object.key.indexOf(delimiter, prefix.length);
    if (at < 0) {
      versions.push(object);
      [key, seq] = [object.key, object.seq];
    } else {
      const common = object.key.slice(0, at + delimiter.length);
      prefixes.push(common);
      [key, seq] = [common + last, 0];
    }
  }
  const end = versions.at(-1);
  const describe = (object: ObjectVersion) => ({
    Key: encode(object.key),
    VersionId: object.version,
    IsLatest: object.latest,
    LastModified: new Date(object.modified),
    ...(object.marker ? {} : { ETag: `"${object.etag}"`, Size: object.size, StorageClass: "STANDARD" }),
  });
  return xmlResponse({
    ListVersionsResult: {
      Name: bucket,
      Prefix: encode(prefix),
      KeyMarker: encode(query.get("key-marker") ?? ""),
      VersionIdMarker: versionMarker,
      NextKeyMarker: truncated ? encode(key) : undefined,
      NextVersionIdMarker: truncated && seq !== 0 ? end?.version : undefined,
      MaxKeys: max,
      Delimiter: delimiter === "" ? undefined : encode(delimiter),
      EncodingType: query.get("encoding-type"),
      IsTruncated: truncated,
      Version: versions.filter((each) => !each.marker).map(describe),
      DeleteMarker: versions.filter((each) => each.marker).map(describe),
      CommonPrefixes: prefixes.map((each) => ({ Prefix: encode(each) })),
    },
  });
}
