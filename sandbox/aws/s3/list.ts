import { xmlResponse } from "./documents.ts";
import type { Store } from "./store.ts";
import type { Target } from "./target.ts";
import { encoder, type Listing, maxKeys, walk } from "./walk.ts";

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
