import { createHash } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { awsFailure, storeFailure } from "./store-failure.ts";

export interface Conditions {
  readonly IfNoneMatch?: string;
  readonly IfMatch?: string;
}

/** Where an upload goes, and what is asked of it. */
export interface MultipartTarget {
  readonly client: S3Client;
  readonly bucket: string;
  readonly key: string;
  readonly description: Readonly<Record<string, unknown>>;
  readonly conditions: Conditions;
  /** Stores a body that fits into one part as a plain object. */
  putSmall(body: Uint8Array): Promise<{ etag: string }>;
  /** What is stored under the key now; for an answer that was lost. */
  stored(what: string): Promise<{ checksum?: string; size?: number; etag?: string }>;
}

const partBytesFirst = 8 << 20;
/** Parts double in size every so many, so that 10,000 of them hold 496 GB while small dumps need little memory. */
const partsOfOneSize = 2000;
const partsMax = 10_000;
const partsInFlightMax = 2;

function partBytes(number: number): number {
  return partBytesFirst * 2 ** Math.floor((number - 1) / partsOfOneSize);
}

/** Cuts a stream into parts without copying more than once. The last one may be short, and is there even when empty. */
async function* partsOf(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ number: number; bytes: Uint8Array; last: boolean }> {
  let number = 1;
  let part = new Uint8Array(partBytes(number));
  let filled = 0;
  for await (const chunk of body) {
    for (let at = 0; at < chunk.length; ) {
      // A full part goes out only when more is to come: the last one has to be known as such.
      if (filled === part.length) {
        yield { number, bytes: part, last: false };
        number += 1;
        part = new Uint8Array(partBytes(number));
        filled = 0;
      }
      const count = Math.min(part.length - filled, chunk.length - at);
      part.set(chunk.subarray(at, at + count), filled);
      filled += count;
      at += count;
    }
  }
  yield { number, bytes: part.subarray(0, filled), last: true };
}

class MultipartUpload {
  readonly completed: CompletedPart[] = [];
  private readonly inFlight = new Set<Promise<void>>();
  private failure: unknown;

  constructor(
    private readonly target: MultipartTarget,
    private readonly id: string,
  ) {}

  private get location() {
    return { Bucket: this.target.bucket, Key: this.target.key, UploadId: this.id };
  }

  /** Starts a part, first waiting while too many are under way; throws what an earlier one failed with. */
  async add(number: number, bytes: Uint8Array): Promise<void> {
    if (number > partsMax) throw new RangeError(`expected at most ${partsMax} parts, got more`);
    while (this.inFlight.size >= partsInFlightMax) await Promise.race(this.inFlight);
    if (this.failure !== undefined) throw this.failure;
    const sending = this.send(number, bytes)
      .catch((error: unknown) => {
        this.failure ??= error;
      })
      .finally(() => this.inFlight.delete(sending));
    this.inFlight.add(sending);
  }

  private async send(number: number, bytes: Uint8Array): Promise<void> {
    const checksum = createHash("sha256").update(bytes).digest("base64");
    const { ETag: etag } = await this.target.client.send(
      new UploadPartCommand({
        ...this.location,
        PartNumber: number,
        Body: bytes,
        ContentLength: bytes.length,
        ChecksumSHA256: checksum,
      }),
    );
    if (etag === undefined) throw new Error(`part ${number}: an answer with status 200 but without an ETag`);
    this.completed.push({ PartNumber: number, ETag: etag, ChecksumSHA256: checksum });
  }

  async complete(bytes: number, what: string): Promise<string> {
    await Promise.all(this.inFlight);
    if (this.failure !== undefined) throw this.failure;
    const parts = this.completed.sort((a, b) => a.PartNumber! - b.PartNumber!);
    const command = new CompleteMultipartUploadCommand({
      ...this.location,
      ...this.target.conditions,
      MultipartUpload: { Parts: parts },
    });
    try {
      const { ETag: etag } = await this.target.client.send(command);
      if (etag === undefined) throw new Error("an answer with status 200 but without an ETag");
      return etag;
    } catch (error) {
      // 404: a try whose answer was lost had completed it. 412, 409: the same, or another writer.
      if (![404, 409, 412].includes(awsFailure(error).status ?? 0)) throw error;
      const there = await this.target.stored(`${what}: compare after ${awsFailure(error).name}`);
      if (there.etag !== undefined && there.size === bytes && there.checksum === checksumOfParts(parts))
        return there.etag;
      throw error;
    }
  }

  async abort(): Promise<void> {
    await Promise.all(this.inFlight);
    // Best effort: what is left behind falls to the bucket's AbortIncompleteMultipartUpload rule.
    await this.target.client.send(new AbortMultipartUploadCommand(this.location)).catch(() => undefined);
  }
}

/** S3's composite checksum: the SHA-256 of the parts' SHA-256s, and their number. */
function checksumOfParts(parts: readonly CompletedPart[]): string {
  const whole = createHash("sha256");
  for (const part of parts) whole.update(Buffer.from(part.ChecksumSHA256!, "base64"));
  return `${whole.digest("base64")}-${parts.length}`;
}

async function begin(target: MultipartTarget): Promise<MultipartUpload> {
  const { UploadId: id } = await target.client.send(
    new CreateMultipartUploadCommand({
      Bucket: target.bucket,
      Key: target.key,
      ChecksumAlgorithm: "SHA256",
      ...target.description,
    }),
  );
  if (id === undefined) throw new Error("an answer with status 200 but without an upload id");
  return new MultipartUpload(target, id);
}

/**
 * Uploads a stream whose length isn't known, holding at most four parts in memory (32 MiB up to 16 GB). Nothing is
 * visible before the last byte is there; on failure, of the stream too, the parts are removed. Throws StoreError, or
 * what the stream threw.
 */
export async function uploadMultipart(
  target: MultipartTarget,
  body: AsyncIterable<Uint8Array>,
): Promise<{ bytes: number; sha256: string; etag: string }> {
  const what = `upload s3://${target.bucket}/${target.key}`;
  const sha256 = createHash("sha256");
  let bytes = 0;
  let upload: MultipartUpload | undefined;
  const guarded = <Result>(step: Promise<Result>) =>
    step.catch((error: unknown) => {
      throw storeFailure(error, what, "every part stored");
    });
  try {
    for await (const part of partsOf(body)) {
      sha256.update(part.bytes);
      bytes += part.bytes.length;
      if (upload === undefined && part.last) {
        const { etag } = await target.putSmall(part.bytes);
        return { bytes, sha256: sha256.digest("hex"), etag };
      }
      upload ??= await guarded(begin(target));
      await guarded(upload.add(part.number, part.bytes));
    }
    if (upload === undefined) throw new Error(`${what}: expected at least one part`);
    const etag = await guarded(upload.complete(bytes, what));
    return { bytes, sha256: sha256.digest("hex"), etag };
  } catch (error) {
    await upload?.abort();
    throw error;
  }
}
