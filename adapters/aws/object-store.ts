import { createHash } from "node:crypto";
import {
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import type { Clock, ObjectStore, ObjectSummary, PutOptions, StoredObject } from "../../core/ports.ts";
import { systemClock } from "../clock.ts";
import { StoreError } from "../store-error.ts";
import { type ClientSettings, clientOptions } from "./client-options.ts";
import { deleteObjects } from "./delete-objects.ts";
import { signKnownHash } from "./known-hash.ts";
import { type Conditions, type MultipartTarget, uploadMultipart } from "./multipart-upload.ts";
import { pause, triesMax } from "./retry.ts";
import { awsFailure, storeFailure } from "./store-failure.ts";

export interface ObjectStoreOptions extends ClientSettings {
  readonly bucket: string;
  readonly clock?: Clock;
  /** Asks for SSE-KMS with this key; without it the bucket's own default encryption applies. */
  readonly kmsKeyId?: string;
}

/** The headers of a conditional write. */
function conditionsOf(options: PutOptions | undefined): Conditions {
  return {
    ...(options?.ifNoneMatch === true ? { IfNoneMatch: "*" } : {}),
    ...(options?.ifMatch === undefined ? {} : { IfMatch: options.ifMatch }),
  };
}

/**
 * One S3 bucket as an ObjectStore. Every body goes with its SHA-256, checked by S3 and kept with the object, so that a
 * conditional write whose reply was lost can tell its own bytes from another writer's. Fails with StoreError only.
 */
export class S3ObjectStore implements ObjectStore {
  private readonly client: S3Client;
  private readonly bucket: string;
  private readonly clock: Clock;
  private readonly encryption: { ServerSideEncryption?: "aws:kms"; SSEKMSKeyId?: string };
  private bucketSeen = false;

  constructor(options: ObjectStoreOptions) {
    this.bucket = options.bucket;
    this.clock = options.clock ?? systemClock;
    this.encryption =
      options.kmsKeyId === undefined
        ? {}
        : { ServerSideEncryption: "aws:kms", SSEKMSKeyId: options.kmsKeyId };
    this.client = new S3Client(clientOptions(options));
    signKnownHash(this.client);
  }

  async put(key: string, body: Uint8Array, options?: PutOptions): Promise<{ etag: string }> {
    const checksum =
      options?.sha256 === undefined
        ? createHash("sha256").update(body).digest("base64")
        : Buffer.from(options.sha256, "hex").toString("base64");
    const command = new PutObjectCommand({
      Bucket: this.bucket,
      Key: key,
      Body: body,
      ContentLength: body.length,
      ChecksumSHA256: checksum,
      ...this.described(options),
      ...conditionsOf(options),
    });
    const what = `put s3://${this.bucket}/${key} (${body.length} bytes)`;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const { ETag: etag } = await this.client.send(command);
        this.bucketSeen = true;
        if (etag === undefined) throw unanswered(what, "an ETag");
        return { etag };
      } catch (error) {
        const own = await this.ownAfterLostReply(key, body.length, checksum, options, error, what);
        if (own !== undefined) return own;
        await this.again(error, attempt, what, expectedOfPut(options));
      }
    }
  }

  async get(
    key: string,
    options?: { range?: { start: number; end: number } },
  ): Promise<StoredObject | undefined> {
    const what = `get s3://${this.bucket}/${key}`;
    const range = options?.range;
    if (range !== undefined && range.end <= range.start) {
      throw new RangeError(`${what}: expected range.start < range.end, got ${range.start} and ${range.end}`);
    }
    const command = new GetObjectCommand({
      Bucket: this.bucket,
      Key: key,
      ChecksumMode: "ENABLED",
      ...(range === undefined ? {} : { Range: `bytes=${range.start}-${range.end - 1}` }),
    });
    for (let attempt = 1; ; attempt += 1) {
      try {
        const answer = await this.client.send(command);
        if (answer.ETag === undefined || answer.Body === undefined)
          throw unanswered(what, "an ETag and a body");
        const body = await bytesOf(answer.Body as AsyncIterable<Uint8Array>, answer.ContentLength, what);
        this.bucketSeen = true;
        return { body, etag: answer.ETag, metadata: answer.Metadata ?? {} };
      } catch (error) {
        if (awsFailure(error).name === "NoSuchKey") return undefined;
        await this.again(error, attempt, what, "the object's bytes");
      }
    }
  }

  async head(
    key: string,
  ): Promise<{ size: number; etag: string; metadata: Readonly<Record<string, string>> } | undefined> {
    const answer = await this.headObject(key, `head s3://${this.bucket}/${key}`);
    if (answer === undefined) return undefined;
    return { size: answer.ContentLength ?? 0, etag: answer.ETag ?? "", metadata: answer.Metadata ?? {} };
  }

  async *list(prefix: string, options?: { startAfter?: string }): AsyncIterable<ObjectSummary> {
    const what = `list s3://${this.bucket}/${prefix}`;
    let token: string | undefined;
    do {
      const command: ListObjectsV2Command = new ListObjectsV2Command({
        Bucket: this.bucket,
        Prefix: prefix,
        ...(token === undefined ? { StartAfter: options?.startAfter } : { ContinuationToken: token }),
      });
      const page = await this.client.send(command).catch((error: unknown) => {
        throw storeFailure(error, what, "a page of keys");
      });
      this.bucketSeen = true;
      for (const { Key: key, Size: size, ETag: etag, LastModified: lastModified } of page.Contents ?? []) {
        if (key === undefined || size === undefined || etag === undefined || lastModified === undefined) {
          throw unanswered(what, "key, size, ETag and date of every object");
        }
        yield { key, size, etag, lastModified };
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
      if (page.IsTruncated === true && token === undefined) throw unanswered(what, "a continuation token");
    } while (token !== undefined);
  }

  delete(keys: readonly string[]): Promise<void> {
    return deleteObjects({ client: this.client, bucket: this.bucket, clock: this.clock }, keys);
  }

  async upload(
    key: string,
    body: AsyncIterable<Uint8Array>,
    options?: PutOptions,
  ): Promise<{ bytes: number; sha256: string; etag: string }> {
    const target: MultipartTarget = {
      client: this.client,
      bucket: this.bucket,
      key,
      description: this.described(options),
      conditions: conditionsOf(options),
      putSmall: (small) => this.put(key, small, options),
      stored: async (what) => {
        const answer = await this.headObject(key, what);
        return { checksum: answer?.ChecksumSHA256, size: answer?.ContentLength, etag: answer?.ETag };
      },
    };
    return uploadMultipart(target, body);
  }

  private described(options: PutOptions | undefined) {
    return {
      ...this.encryption,
      ...(options?.contentType === undefined ? {} : { ContentType: options.contentType }),
      ...(options?.contentEncoding === undefined ? {} : { ContentEncoding: options.contentEncoding }),
      ...(options?.metadata === undefined ? {} : { Metadata: { ...options.metadata } }),
      ...(options?.tags === undefined ? {} : { Tagging: new URLSearchParams(options.tags).toString() }),
    };
  }

  /** After a 412 or 409: the object's ETag where it holds exactly our bytes, because an earlier try had got through. */
  private async ownAfterLostReply(
    key: string,
    size: number,
    checksum: string,
    options: PutOptions | undefined,
    error: unknown,
    what: string,
  ): Promise<{ etag: string } | undefined> {
    const conditional = options?.ifNoneMatch === true || options?.ifMatch !== undefined;
    if (!conditional || storeFailure(error, what, "").storeKind !== "precondition") return undefined;
    const there = await this.headObject(key, `${what}: compare after a failed condition`);
    if (there?.ETag === undefined || there.ContentLength !== size || there.ChecksumSHA256 !== checksum)
      return undefined;
    return { etag: there.ETag };
  }

  private async headObject(key: string, what: string): Promise<HeadObjectCommandOutput | undefined> {
    try {
      const answer = await this.client.send(
        new HeadObjectCommand({ Bucket: this.bucket, Key: key, ChecksumMode: "ENABLED" }),
      );
      this.bucketSeen = true;
      return answer;
    } catch (error) {
      if (awsFailure(error).status !== 404) throw storeFailure(error, what, "the object's description");
    }
    await this.checkBucket(what);
    return undefined;
  }

  /** A HEAD answer has no body, so its 404 doesn't say whether the key or the whole bucket is missing. */
  private async checkBucket(what: string): Promise<void> {
    if (this.bucketSeen) return;
    try {
      await this.client.send(new HeadBucketCommand({ Bucket: this.bucket }));
      this.bucketSeen = true;
    } catch (error) {
      if (awsFailure(error).status !== 404) throw storeFailure(error, what, "the bucket's description");
      throw storeFailure(
        Object.assign(new Error("no such bucket"), { name: "NoSuchBucket" }),
        what,
        `bucket ${this.bucket}`,
      );
    }
  }

  /** Pauses before another try, or throws what is final. The SDK has retried what it knows; this is for the rest. */
  private async again(error: unknown, attempt: number, what: string, expected: string): Promise<void> {
    const failure = storeFailure(error, what, expected);
    const conflict = awsFailure(error).status === 409;
    const damaged = failure.storeKind === "corrupt" && awsFailure(error).status !== 416;
    const unheard =
      failure.storeKind === "unavailable" && awsFailure(error).status === undefined && !exhausted(error);
    if (attempt >= triesMax || !(conflict || unheard || damaged)) throw failure;
    await pause(this.clock, attempt);
  }
}

/** True when the SDK itself has used up its tries: repeating those would multiply the bound. */
function exhausted(error: unknown): boolean {
  const metadata = (error as { $metadata?: { attempts?: number } } | undefined)?.$metadata;
  return (metadata?.attempts ?? 0) > 1;
}

function expectedOfPut(options: PutOptions | undefined): string {
  if (options?.ifNoneMatch === true) return "no object of that name";
  return options?.ifMatch === undefined ? "the object stored" : `the version with ETag ${options.ifMatch}`;
}

function unanswered(what: string, expected: string): StoreError {
  const got = "an answer with status 200 but without it";
  const wayOut = "S3 answered with an error inside a success: run it again";
  return new StoreError("unavailable", { what, expected, got, wayOut });
}

/** The bucket of an environment. The clients connect on first use. */
export function createObjectStore(options: ObjectStoreOptions): ObjectStore {
  return new S3ObjectStore(options);
}

/** A body of known length is put where it stays: gathering its pieces first would take its memory twice. */
async function bytesOf(
  body: AsyncIterable<Uint8Array>,
  length: number | undefined,
  what: string,
): Promise<Uint8Array> {
  if (length === undefined) return Buffer.concat(await Array.fromAsync(body));
  const bytes = new Uint8Array(length);
  let filled = 0;
  for await (const piece of body) {
    if (filled + piece.length <= length) bytes.set(piece, filled);
    filled += piece.length;
  }
  if (filled !== length) throw unanswered(what, `${length} bytes, not ${filled}`);
  return bytes;
}
