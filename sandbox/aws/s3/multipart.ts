import { createHash } from "node:crypto";
import { AwsError, type RequestContext } from "../service.ts";
import { childrenOf, childText } from "../xml.ts";
import type { Extent } from "./blobs.ts";
import { type ChecksumName, checksumNames, startChecksum } from "./checksums.ts";
import { byteRange, writeConditions } from "./conditions.ts";
import { copySource } from "./copy.ts";
import {
  checkKey,
  checksumHeaders,
  headersToKeep,
  metadataOf,
  versionHeaders,
  xmlBody,
  xmlResponse,
} from "./objects.ts";
import { receive } from "./receive.ts";
import type { ObjectVersion, Store } from "./store.ts";
import type { Target } from "./target.ts";

export interface Upload {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly started: number;
  readonly headers: string;
  readonly metadata: string;
  readonly tags: string;
  readonly checksum: string;
  readonly checksumType: string;
}

export interface Part {
  readonly number: number;
  readonly etag: string;
  readonly size: number;
  readonly extents: string;
  readonly checksums: string;
  readonly modified: number;
}

const partBytesMin = 5 << 20;
const partNumberMax = 10_000;

/** Throws NoSuchUpload. */
export function findUpload(store: Store, { bucket, key, query }: Target): Upload {
  const upload = store.db
    .query<Upload, [string, string, string]>(
      "SELECT * FROM s3_uploads WHERE id = ? AND bucket = ? AND key = ?",
    )
    .get(query.get("uploadId") ?? "", bucket, key);
  if (upload === null) {
    throw new AwsError(
      "NoSuchUpload",
      "The specified multipart upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
      404,
    );
  }
  return upload;
}

export function partsOf(store: Store, upload: string): Part[] {
  return store.db
    .query<Part, [string]>("SELECT * FROM s3_parts WHERE upload = ? ORDER BY number")
    .all(upload);
}

export function createUpload(
  request: Request,
  target: Target,
  store: Store,
  context: RequestContext,
): Response {
  const bucket = store.bucket(target.bucket);
  checkKey(target.key);
  const id = `${crypto.randomUUID()}${crypto.randomUUID()}`.replaceAll("-", "");
  const headers = headersToKeep(request, store, bucket.name);
  const algorithm = (request.headers.get("x-amz-checksum-algorithm") ?? "").toLowerCase();
  const type =
    request.headers.get("x-amz-checksum-type") ?? (algorithm === "crc64nvme" ? "FULL_OBJECT" : "COMPOSITE");
  store.db.run("INSERT INTO s3_uploads VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [
    id,
    bucket.name,
    target.key,
    context.now().getTime(),
    JSON.stringify(headers),
    JSON.stringify(metadataOf(request)),
    request.headers.get("x-amz-tagging") ?? "",
    algorithm,
    type,
  ]);
  const answer: Record<string, string> =
    algorithm === ""
      ? {}
      : { "x-amz-checksum-algorithm": algorithm.toUpperCase(), "x-amz-checksum-type": type };
  for (const [name, value] of Object.entries(headers))
    if (name.startsWith("x-amz-server-side")) answer[name] = value;
  return xmlResponse(
    { InitiateMultipartUploadResult: { Bucket: bucket.name, Key: target.key, UploadId: id } },
    answer,
  );
}

function partNumber({ query }: Target): number {
  const number = Number(query.get("partNumber"));
  if (!Number.isInteger(number) || number < 1 || number > partNumberMax) {
    throw new AwsError(
      "InvalidArgument",
      "Part number must be an integer between 1 and 10000, inclusive",
      400,
    );
  }
  return number;
}

function savePart(store: Store, upload: Upload, part: Part): void {
  store.atomically(() => {
    // The upload may have been completed or aborted while the bytes came in.
    if (store.db.query("SELECT id FROM s3_uploads WHERE id = ?").get(upload.id) === null) {
      store.blobs.remove(JSON.parse(part.extents) as Extent[]);
      throw new AwsError("NoSuchUpload", "The specified multipart upload does not exist.", 404);
    }
    const old = store.db
      .query<{ extents: string }, [string, number]>(
        "SELECT extents FROM s3_parts WHERE upload = ? AND number = ?",
      )
      .get(upload.id, part.number);
    store.db.run("INSERT OR REPLACE INTO s3_parts VALUES (?, ?, ?, ?, ?, ?, ?)", [
      upload.id,
      part.number,
      part.etag,
      part.size,
      part.extents,
      part.checksums,
      part.modified,
    ]);
    if (old !== null) store.removeAfterCommit(JSON.parse(old.extents) as Extent[]);
  });
}

export async function uploadPart(
  request: Request,
  target: Target,
  store: Store,
  context: RequestContext,
): Promise<Response> {
  store.bucket(target.bucket);
  const upload = findUpload(store, target);
  const number = partNumber(target);
  const { extent, md5, checksums } = await receive(request, store.blobs, context);
  savePart(store, upload, {
    number,
    etag: md5,
    size: extent.size,
    extents: JSON.stringify([extent]),
    checksums: JSON.stringify(checksums),
    modified: context.now().getTime(),
  });
  const headers = checksumHeaders({ checksums, checksumType: "" });
  delete headers["x-amz-checksum-type"];
  return new Response(null, { headers: { etag: `"${md5}"`, ...headers } });
}

export async function uploadPartCopy(
  request: Request,
  target: Target,
  store: Store,
  context: RequestContext,
): Promise<Response> {
  store.bucket(target.bucket);
  const upload = findUpload(store, target);
  const number = partNumber(target);
  const source = copySource(request, store);
  const { from, to } = byteRange(request.headers.get("x-amz-copy-source-range"), source.size) ?? {
    from: 0,
    to: source.size,
  };
  const writer = store.blobs.create();
  const md5 = createHash("md5");
  for await (const chunk of new Response(store.blobs.read(source.extents, from, to)).body ?? []) {
    md5.update(chunk);
    writer.write(chunk);
  }
  const extent = writer.close();
  const etag = md5.digest("hex");
  const modified = context.now().getTime();
  savePart(store, upload, {
    number,
    etag,
    size: extent.size,
    extents: JSON.stringify([extent]),
    checksums: "{}",
    modified,
  });
  return xmlResponse({ CopyPartResult: { ETag: `"${etag}"`, LastModified: new Date(modified) } });
}

async function chosenParts(request: Request, store: Store, upload: Upload): Promise<Part[]> {
  const uploaded = new Map(partsOf(store, upload.id).map((part) => [part.number, part]));
  const requested = childrenOf(await xmlBody(request), "Part");
  if (requested.length === 0) throw new AwsError("MalformedXML", "You must specify at least one part", 400);
  let previous = 0;
  const chosen = requested.map((element) => {
    const number = Number(childText(element, "PartNumber"));
    const etag = (childText(element, "ETag") ?? "").replaceAll('"', "");
    if (number <= previous)
      throw new AwsError("InvalidPartOrder", "The list of parts was not in ascending order.", 400);
    previous = number;
    const part = uploaded.get(number);
    const checksums = JSON.parse(part?.checksums ?? "{}") as Record<string, string>;
    const differs = checksumNames.some((name) => {
      const claimed = childText(element, `Checksum${name.toUpperCase()}`);
      return claimed !== undefined && claimed !== checksums[name];
    });
    if (part === undefined || part.etag !== etag || differs) {
      throw new AwsError(
        "InvalidPart",
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
        400,
        {
          PartNumber: number,
        },
      );
    }
    return part;
  });
  const small = chosen.slice(0, -1).find((part) => part.size < partBytesMin);
  if (small !== undefined) {
    throw new AwsError(
      "EntityTooSmall",
      "Your proposed upload is smaller than the minimum allowed size",
      400,
      {
        ProposedSize: small.size,
        MinSizeAllowed: partBytesMin,
        PartNumber: small.number,
      },
    );
  }
  return chosen;
}

/** Checksum of the whole: of the parts' checksums (COMPOSITE, `-N`), or of all bytes (FULL_OBJECT). */
async function wholeChecksums(
  store: Store,
  upload: Upload,
  parts: readonly Part[],
  extents: Extent[],
): Promise<Partial<Record<ChecksumName, string>>> {
  if (upload.checksum === "") return {};
  const name = upload.checksum as ChecksumName;
  const running = startChecksum(name);
  if (upload.checksumType === "COMPOSITE") {
    for (const part of parts) {
      const value = (JSON.parse(part.checksums) as Record<string, string>)[name];
      if (value === undefined)
        throw new AwsError(
          "InvalidRequest",
          `The upload was created using a ${name} checksum. The complete request must include the checksum for each part.`,
          400,
        );
      running.update(Buffer.from(value, "base64"));
    }
    return { [name]: `${running.digest().toString("base64")}-${parts.length}` };
  }
  const size = extents.reduce((sum, extent) => sum + extent.size, 0);
  for await (const chunk of new Response(store.blobs.read(extents, 0, size)).body ?? [])
    running.update(chunk);
  return { [name]: running.digest().toString("base64") };
}

export async function completeUpload(
  request: Request,
  target: Target,
  store: Store,
  context: RequestContext,
): Promise<Response> {
  const bucket = store.bucket(target.bucket);
  const upload = findUpload(store, target);
  const watcher = store.beginConditional(bucket.name, target.key);
  try {
    const parts = await chosenParts(request, store, upload);
    const extents = parts.flatMap((part) => JSON.parse(part.extents) as Extent[]);
    const checksums = await wholeChecksums(store, upload, parts, extents);
    const md5 = createHash("md5");
    for (const part of parts) md5.update(Buffer.from(part.etag, "hex"));
    const object: ObjectVersion = store.atomically(() => {
      findUpload(store, target);
      const created = store.put(
        bucket,
        {
          key: target.key,
          size: extents.reduce((sum, extent) => sum + extent.size, 0),
          etag: `${md5.digest("hex")}-${parts.length}`,
          modified: context.now().getTime(),
          extents,
          headers: JSON.parse(upload.headers) as Record<string, string>,
          metadata: JSON.parse(upload.metadata) as Record<string, string>,
          checksums,
          checksumType: upload.checksumType,
          tags: upload.tags,
        },
        writeConditions(request.headers),
        watcher.deleted,
      );
      const kept = new Set(parts.map((part) => part.number));
      removeUpload(store, upload.id, (part) => !kept.has(part.number));
      return created;
    });
    return xmlResponse(
      {
        CompleteMultipartUploadResult: {
          Location: `${context.url()}/${bucket.name}/${target.key}`,
          Bucket: bucket.name,
          Key: target.key,
          ETag: `"${object.etag}"`,
          ChecksumType: Object.keys(checksums).length > 0 ? upload.checksumType : undefined,
          ...Object.fromEntries(
            Object.entries(checksums).map(([name, value]) => [`Checksum${name.toUpperCase()}`, value]),
          ),
        },
      },
      versionHeaders(bucket, object),
    );
  } finally {
    watcher.end();
  }
}

function removeUpload(store: Store, id: string, discard: (part: Part) => boolean): void {
  for (const part of partsOf(store, id))
    if (discard(part)) store.removeAfterCommit(JSON.parse(part.extents) as Extent[]);
  store.db.run("DELETE FROM s3_parts WHERE upload = ?", [id]);
  store.db.run("DELETE FROM s3_uploads WHERE id = ?", [id]);
}

export function abortUpload(target: Target, store: Store): Response {
  store.bucket(target.bucket);
  const upload = findUpload(store, target);
  store.atomically(() => removeUpload(store, upload.id, () => true));
  return new Response(null, { status: 204 });
}
