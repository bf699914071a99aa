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

/** The common prefix a key rolls up into, or undefined. */
function commonPrefix(key: string, prefix: string, delimiter: string): string | undefined {
  const at = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : key.slice(0, at + delimiter.length);
}

/** Keys from the start of a listing on, one after the other; `skipTo` leaps over a rolled-up stretch. */
class Walker {
  private page: ObjectVersion[] = [];
  private inclusive: boolean;
  private from: string;

  constructor(
    private readonly store: Store,
    private readonly bucket: string,
    private readonly prefix: string,
    after: string,
  ) {
    this.inclusive = comparesBelow(after, prefix);
    this.from = this.inclusive ? prefix : after;
  }

  /** The next object below the prefix, or undefined at the end. */
  peek(): ObjectVersion | undefined {
    if (this.page.length === 0) {
      this.page = this.store.page(this.bucket, this.from, this.inclusive, pageMax).reverse();
      this.inclusive = false;
    }
    const object = this.page.at(-1);
    return object?.key.startsWith(this.prefix) ? object : undefined;
  }

  take(): void {
    this.from = this.page.pop()!.key;
  }

  skipTo(position: string): void {
    this.page = [];
    this.from = position;
  }
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
  // A page that ended with a common prefix goes on behind all its keys.
  const whole = after.startsWith(prefix) && commonPrefix(after, prefix, delimiter) === after;
  const walker = new Walker(store, bucket, prefix, whole ? after + last : after);
  let end = "";
  for (;;) {
    const object = walker.peek();
    const full = objects.length + prefixes.length >= max;
    if (object === undefined || full) {
      return { objects, prefixes, truncated: object !== undefined && max > 0, end };
    }
    const common = commonPrefix(object.key, prefix, delimiter);
    if (common === undefined) {
      objects.push(object);
      walker.take();
    } else {
      prefixes.push(common);
      walker.skipTo(common + last);
    }
    end = common ?? object.key;
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

interface VersionListing {
  readonly versions: ObjectVersion[];
  readonly prefixes: string[];
  readonly truncated: boolean;
  readonly key: string;
  readonly seq: number;
}

function walkVersions(
  store: Store,
  { bucket, query }: Target,
  prefix: string,
  delimiter: string,
  max: number,
): VersionListing {
  const versions: ObjectVersion[] = [];
  const prefixes: string[] = [];
  let key = query.get("key-marker") ?? "";
  const versionMarker = query.get("version-id-marker");
  let seq = versionMarker === undefined ? 0 : (store.version(bucket, key, versionMarker)?.seq ?? 0);
  if (comparesBelow(key, prefix)) [key, seq] = [prefix, Number.MAX_SAFE_INTEGER];
  for (;;) {
    const [object] = store.versionPage(bucket, key, seq, 1);
    const more = object?.key.startsWith(prefix) === true;
    if (object === undefined || !more || versions.length + prefixes.length >= max) {
      return { versions, prefixes, truncated: more && max > 0, key, seq };
    }
    const common = commonPrefix(object.key, prefix, delimiter);
    if (common === undefined) {
      versions.push(object);
      [key, seq] = [object.key, object.seq];
    } else {
      prefixes.push(common);
      [key, seq] = [common + last, 0];
    }
  }
}

export function listObjectVersions(target: Target, store: Store): Response {
  const { bucket, query } = target;
  store.bucket(bucket);
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const max = maxKeys(query);
  const encode = encoder(query);
  const { versions, prefixes, truncated, key, seq } = walkVersions(store, target, prefix, delimiter, max);
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
      VersionIdMarker: query.get("version-id-marker"),
      NextKeyMarker: truncated ? encode(key) : undefined,
      NextVersionIdMarker: truncated && seq !== 0 ? versions.at(-1)?.version : undefined,
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
