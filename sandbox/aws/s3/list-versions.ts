import { xmlResponse } from "./documents.ts";
import type { ObjectVersion } from "./schema.ts";
import type { Store } from "./store.ts";
import type { Target } from "./target.ts";
import { commonPrefix, comparesBelow, encoder, last, maxKeys } from "./walk.ts";

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
