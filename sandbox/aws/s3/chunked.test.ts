import { describe, expect, test } from "bun:test";
import { createHash, createHmac } from "node:crypto";
import fc from "fast-check";
import type { Signed } from "../signature.ts";
import { ChunkedDecoder } from "./chunked.ts";

function decode(
  body: Uint8Array,
  cut: number,
  signed?: Signed,
): { data: Buffer; trailers: Map<string, string> } {
  const parts: Buffer[] = [];
  const decoder = new ChunkedDecoder((bytes) => parts.push(Buffer.from(bytes)), signed);
  for (let at = 0; at < body.length; at += cut) decoder.push(body.subarray(at, at + cut));
  decoder.end();
  return { data: Buffer.concat(parts), trailers: decoder.trailers };
}

function encode(chunks: readonly Uint8Array[], trailer: string): Buffer {
  const framed = chunks.flatMap((chunk) => [
    Buffer.from(`${chunk.length.toString(16)}\r\n`),
    chunk,
    Buffer.from("\r\n"),
  ]);
  return Buffer.concat([...framed, Buffer.from(`0\r\n${trailer}\r\n`)]);
}

const signed: Signed = {
  accessKeyId: "k",
  scope: "20260101/us-east-1/s3/aws4_request",
  date: "20260101T000000Z",
  signature: "0".repeat(64),
  key: Buffer.from("key"),
};

function signedBody(chunks: readonly string[]): Buffer {
  let previous = signed.signature;
  const empty = createHash("sha256").digest("hex");
  return Buffer.concat(
    [...chunks, ""].map((chunk) => {
      const hash = createHash("sha256").update(chunk).digest("hex");
      const text = ["AWS4-HMAC-SHA256-PAYLOAD", signed.date, signed.scope, previous, empty, hash].join("\n");
      previous = createHmac("sha256", signed.key).update(text).digest("hex");
      return Buffer.from(`${chunk.length.toString(16)};chunk-signature=${previous}\r\n${chunk}\r\n`);
    }),
  );
}

describe("aws-chunked bodies", () => {
  test("any data in any chunks, arriving in any pieces, comes out whole with its trailer", () => {
    const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { maxLength: 5 });
    fc.assert(
      fc.property(chunks, fc.integer({ min: 1, max: 60 }), (list, cut) => {
        const { data, trailers } = decode(encode(list, "x-amz-checksum-crc32: AAAAAA==\r\n"), cut);
        expect(data.equals(Buffer.concat(list))).toBe(true);
        expect(trailers.get("x-amz-checksum-crc32")).toBe("AAAAAA==");
      }),
    );
  });

  test("a body that ends before its last chunk is incomplete", () => {
    const body = encode([Buffer.from("data")], "");
    for (let length = 0; length < body.length; length += 1)
      expect(() => decode(body.subarray(0, length), 7)).toThrow("ended before");
  });

  test("chunk signatures are checked, each over the one before", () => {
    const body = signedBody(["first", "second"]);
    expect(decode(body, 5, signed).data.toString()).toBe("firstsecond");
    const altered = Buffer.from(body);
    altered.write("S", altered.indexOf("second"));
    expect(() => decode(altered, 5, signed)).toThrow("signature");
    const swapped = signedBody(["second", "first"]).toString("latin1").replace("second", "first ");
    expect(() => decode(Buffer.from(swapped, "latin1"), 5, signed)).toThrow("signature");
  });

  test("what isn't a chunk header is refused", () => {
    expect(() => decode(Buffer.from("zz\r\ndata\r\n"), 100)).toThrow("chunk size");
  });
});
