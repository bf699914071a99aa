import { xmlResponse } from "./documents.ts";
import type { Store } from "./store.ts";
import type { Target } from "./target.ts";
import { findUpload, partsOf, type Upload } from "./upload-rows.ts";

export function listParts(target: Target, store: Store): Response {
  store.bucket(target.bucket);
  const upload = findUpload(store, target);
  const max = Math.min(Number(target.query.get("max-parts") ?? 1000), 1000);
  const after = Number(target.query.get("part-number-marker") ?? 0);
  const rest = partsOf(store, upload.id).filter((part) => part.number > after);
  const page = rest.slice(0, max);
  const truncated = rest.length > page.length;
  return xmlResponse({
    ListPartsResult: {
      Bucket: target.bucket,
      Key: target.key,
      UploadId: upload.id,
      PartNumberMarker: after,
      NextPartNumberMarker: page.at(-1)?.number ?? 0,
      MaxParts: max,
      IsTruncated: truncated,
      ChecksumAlgorithm: upload.checksum === "" ? undefined : upload.checksum.toUpperCase(),
      Part: page.map((part) => ({
        PartNumber: part.number,
        LastModified: new Date(part.modified),
        ETag: `"${part.etag}"`,
        Size: part.size,
        ...Object.fromEntries(
          Object.entries(JSON.parse(part.checksums) as Record<string, string>).map(([name, value]) => [
            `Checksum${name.toUpperCase()}`,
            value,
          ]),
        ),
      })),
    },
  });
}

export function listUploads({ bucket, query }: Target, store: Store): Response {
  store.bucket(bucket);
  const prefix = query.get("prefix") ?? "";
  const max = Math.min(Number(query.get("max-uploads") ?? 1000), 1000);
  const rest = store.db
    .query<Upload, [string, string, string, string]>(
      "SELECT * FROM s3_uploads WHERE bucket = ? AND (key > ? OR (key = ? AND id > ?)) ORDER BY key, id",
    )
    .all(
      bucket,
      query.get("key-marker") ?? "",
      query.get("key-marker") ?? "",
      query.get("upload-id-marker") ?? "",
    )
    .filter((upload) => upload.key.startsWith(prefix));
  const page = rest.slice(0, max);
  const truncated = rest.length > page.length;
  return xmlResponse({
    ListMultipartUploadsResult: {
      Bucket: bucket,
      Prefix: prefix,
      KeyMarker: query.get("key-marker") ?? "",
      UploadIdMarker: query.get("upload-id-marker") ?? "",
      NextKeyMarker: truncated ? page.at(-1)?.key : undefined,
      NextUploadIdMarker: truncated ? page.at(-1)?.id : undefined,
      MaxUploads: max,
      IsTruncated: truncated,
      Upload: page.map((upload) => ({
        Key: upload.key,
        UploadId: upload.id,
        Initiated: new Date(upload.started),
        StorageClass: "STANDARD",
      })),
    },
  });
}
