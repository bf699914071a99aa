import { createHash, createHmac } from "node:crypto";
import { AwsError } from "../service.ts";
import type { Signed } from "../signature.ts";

const lineBytesMax = 16_384;
const emptyHash = createHash("sha256").digest("hex");

/**
 * Decodes an `aws-chunked` body as it arrives: `<hex size>[;chunk-signature=…]\r\n<data>\r\n … 0\r\n<trailers>\r\n`.
 * Hands the data on, collects the trailers, and checks chunk signatures where `signed` is given.
 */
export class ChunkedDecoder {
  readonly trailers = new Map<string, string>();
  private state: "size" | "data" | "after data" | "trailer" | "done" = "size";
  private line: number[] = [];
  private remaining = 0;
  private previousSignature: string;
  private claimedSignature = "";
  private hasher = createHash("sha256");

  constructor(
    private readonly sink: (bytes: Uint8Array) => void,
    private readonly signed: Signed | undefined,
  ) {
    this.previousSignature = signed?.signature ?? "";
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && this.state !== "done") {
      if (this.state === "data") {
        const data = chunk.subarray(at, at + this.remaining);
        if (this.signed !== undefined) this.hasher.update(data);
        this.sink(data);
        this.remaining -= data.length;
        at += data.length;
        if (this.remaining === 0) this.state = "after data";
      } else at = this.readLine(chunk, at);
    }
  }

  /** To be called when the body has ended; throws IncompleteBody if its last chunk never came. */
  end(): void {
    if (this.state !== "done")
      throw new AwsError("IncompleteBody", "the body ended before its last chunk", 400);
  }

  private readLine(chunk: Uint8Array, from: number): number {
    const end = chunk.indexOf(10, from);
    for (const byte of chunk.subarray(from, end < 0 ? chunk.length : end)) this.line.push(byte);
    if (this.line.length > lineBytesMax)
      throw new AwsError("InvalidRequest", "a chunk header is too long", 400);
    if (end < 0) return chunk.length;
    const line = Buffer.from(this.line).toString("latin1").replace(/\r$/, "");
    this.line = [];
    this.takeLine(line);
    return end + 1;
  }

  private takeLine(line: string): void {
    if (this.state === "after data") {
      if (line !== "") throw new AwsError("InvalidRequest", "expected the end of a chunk", 400);
      this.checkChunk();
      this.state = "size";
    } else if (this.state === "size") {
      const match = /^([0-9a-fA-F]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line);
      if (match === null)
        throw new AwsError("InvalidRequest", `expected a chunk size, got "${line.slice(0, 40)}"`, 400);
      this.remaining = Number.parseInt(match[1]!, 16);
      this.claimedSignature = match[2] ?? "";
      this.state = this.remaining === 0 ? "trailer" : "data";
      if (this.remaining === 0) this.checkChunk();
    } else if (line === "") this.state = "done";
    else {
      const colon = line.indexOf(":");
      if (colon > 0) this.trailers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
    }
  }

  private checkChunk(): void {
    if (this.signed === undefined) return;
    const text = [
      "AWS4-HMAC-SHA256-PAYLOAD",
      this.signed.date,
      this.signed.scope,
      this.previousSignature,
      emptyHash,
    ];
    const expected = createHmac("sha256", this.signed.key)
      .update([...text, this.hasher.digest("hex")].join("\n"))
      .digest("hex");
    if (expected !== this.claimedSignature) {
      throw new AwsError("SignatureDoesNotMatch", "a chunk's signature does not match its data", 403);
    }
    this.previousSignature = expected;
    this.hasher = createHash("sha256");
  }
}
