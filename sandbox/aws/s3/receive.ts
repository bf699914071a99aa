import { AwsError, type RequestContext } from "../service.ts";
import type { Blobs, BlobWriter, Extent } from "./blobs.ts";
import { type ChecksumName, checksumNames, type RunningChecksum, startChecksum } from "./checksums.ts";
import { ChunkedDecoder } from "./chunked.ts";

/** A body that arrived whole and matched everything its request claimed about it. */
export interface Received {
  readonly extent: Extent;
  /** MD5 in hex: the ETag of a plain object or a part. */
  readonly md5: string;
  /** The checksums the client sent, base64 by name. */
  readonly checksums: Readonly<Partial<Record<ChecksumName, string>>>;
}

const wholeBytesMax = 4 << 20;

interface Claims {
  readonly length: number | undefined;
  readonly md5: string | null;
  readonly sha256: string | undefined;
  readonly checksums: Map<ChecksumName, string | undefined>;
  readonly chunked: boolean;
  readonly chunkSigned: boolean;
}

function claimsOf(request: Request): Claims {
  const { headers } = request;
  const content = headers.get("x-amz-content-sha256") ?? "UNSIGNED-PAYLOAD";
  const chunked =
    content.startsWith("STREAMING-") || (headers.get("content-encoding") ?? "").includes("aws-chunked");
  const length = headers.get(chunked ? "x-amz-decoded-content-length" : "content-length");
  if (length === null && !chunked)
    throw new AwsError("MissingContentLength", "You must provide the Content-Length HTTP header.", 411);
  const trailers = (headers.get("x-amz-trailer") ?? "")
    .toLowerCase()
    .split(",")
    .map((name) => name.trim());
  const checksums = new Map<ChecksumName, string | undefined>();
  for (const name of checksumNames) {
    const value = headers.get(`x-amz-checksum-${name}`);
    if (value !== null) checksums.set(name, value);
    else if (trailers.includes(`x-amz-checksum-${name}`)) checksums.set(name, undefined);
  }
  return {
    length: length === null ? undefined : Number(length),
    md5: headers.get("content-md5"),
    sha256: /^[0-9a-f]{64}$/.test(content) ? content : undefined,
    checksums,
    chunked,
    chunkSigned: content.startsWith("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
  };
}

function badDigest(name: string): AwsError {
  return new AwsError("BadDigest", `The ${name} you specified did not match the calculated checksum.`, 400);
}

class Receiver {
  private readonly running = new Map<ChecksumName | "md5", RunningChecksum>();
  private readonly decoder: ChunkedDecoder | undefined;

  constructor(
    private readonly claims: Claims,
    private readonly writer: BlobWriter,
    context: RequestContext,
  ) {
    this.running.set("md5", startChecksum("md5"));
    for (const name of claims.checksums.keys()) this.running.set(name, startChecksum(name));
    if (claims.sha256 !== undefined && !this.running.has("sha256"))
      this.running.set("sha256", startChecksum("sha256"));
    if (claims.chunked)
      this.decoder = new ChunkedDecoder(
        (bytes) => this.take(bytes),
        claims.chunkSigned ? context.signed : undefined,
      );
  }

  push(chunk: Uint8Array): void {
    if (this.decoder === undefined) this.take(chunk);
    else this.decoder.push(chunk);
  }

  private take(bytes: Uint8Array): void {
    this.writer.write(bytes);
    for (const checksum of this.running.values()) checksum.update(bytes);
  }

  finish(): Omit<Received, "extent"> {
    const { claims, writer } = this;
    this.decoder?.end();
    if (claims.length !== undefined && claims.length !== writer.size) {
      throw new AwsError("IncompleteBody", `expected ${claims.length} bytes, got ${writer.size}`, 400);
    }
    const digests = new Map([...this.running].map(([name, checksum]) => [name, checksum.digest()]));
    const md5 = digests.get("md5")!;
    if (claims.md5 !== null) {
      const claimed = Buffer.from(claims.md5, "base64");
      if (claimed.length !== 16)
        throw new AwsError("InvalidDigest", "The Content-MD5 you specified is not valid.", 400);
      if (!claimed.equals(md5)) throw badDigest("Content-MD5");
    }
    if (claims.sha256 !== undefined && digests.get("sha256")!.toString("hex") !== claims.sha256) {
      throw new AwsError(
        "XAmzContentSHA256Mismatch",
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
        400,
      );
    }
    const checksums: Partial<Record<ChecksumName, string>> = {};
    for (const [name, header] of claims.checksums) {
      const claimed = header ?? this.decoder?.trailers.get(`x-amz-checksum-${name}`);
      const actual = digests.get(name)!.toString("base64");
      if (claimed === undefined)
        throw new AwsError("MalformedTrailerError", `expected trailer x-amz-checksum-${name}`, 400);
      if (claimed !== actual) throw badDigest(name.toUpperCase());
      checksums[name] = actual;
    }
    return { md5: md5.toString("hex"), checksums };
  }
}

/** Writes a request's body to a new blob while checking length, MD5, payload hash and checksums. Leaves no file on failure. */
export async function receive(request: Request, blobs: Blobs, context: RequestContext): Promise<Received> {
  const claims = claimsOf(request);
  const writer = blobs.create();
  try {
    const receiver = new Receiver(claims, writer, context);
    if (claims.length !== undefined && claims.length <= wholeBytesMax)
      receiver.push(new Uint8Array(await request.arrayBuffer()));
    else if (request.body !== null) for await (const chunk of request.body) receiver.push(chunk);
    const result = receiver.finish();
    return { extent: writer.close(), ...result };
  } catch (error) {
    writer.discard();
    if (error instanceof AwsError) throw error;
    throw new AwsError(
      "IncompleteBody",
      `the body ended early: ${error instanceof Error ? error.message : String(error)}`,
      400,
    );
  }
}
