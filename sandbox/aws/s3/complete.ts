import { createHash } from "node:crypto";
import { AwsError, type RequestContext } from "../service.ts";
import { childrenOf, childText } from "../xml.ts";
import type { Extent } from "./blobs.ts";
import { type ChecksumName, checksumNames, startChecksum } from "./checksums.ts";
import { writeConditions } from "./conditions.ts";
import { xmlBody, xmlResponse } from "./documents.ts";
import { versionHeaders } from "./object-headers.ts";
import type { ObjectVersion } from "./schema.ts";
import type { Store } from "./store.ts";
import type { Target } from "./target.ts";
import { findUpload, type Part, partsOf, removeUpload, type Upload } from "./upload-rows.ts";

const partBytesMin = 5 << 20;

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
