import { expect } from "bun:test";
import { createHash } from "node:crypto";
import * as s3 from "@aws-sdk/client-s3";
import { errorOf, type Scenario } from "../suite.ts";
import type { Bench } from "./bench.ts";

export function contents(scenario: Scenario, bench: Bench): void {
  scenario("a wrong Content-MD5 or checksum is BadDigest and stores nothing", async () => {
    const Bucket = await bench.bucket();
    const md5 = createHash("md5").update("other").digest("base64");
    expect(await errorOf(bench.put(Bucket, "a", "x", { ContentMD5: md5 }))).toBe("BadDigest 400");
    const sha256 = createHash("sha256").update("other").digest("base64");
    expect(await errorOf(bench.put(Bucket, "a", "x", { ChecksumSHA256: sha256 }))).toBe("BadDigest 400");
    expect(await errorOf(bench.put(Bucket, "a", "x", { ChecksumCRC32: "AAAAAA==" }))).toBe("BadDigest 400");
    expect(await errorOf(bench.text(Bucket, "a"))).toBe("NoSuchKey 404");
  });

  scenario("checksums are kept and given back with ChecksumMode", async () => {
    const Bucket = await bench.bucket();
    const known = { CRC32: "DUoRhQ==", CRC32C: "yZRlqg==", SHA1: "Kq5sNclPz7QV2+lfQIuc6R7oRu0=" };
    for (const [algorithm, value] of Object.entries(known)) {
      await bench.put(Bucket, algorithm, "hello world", {
        ChecksumAlgorithm: algorithm as s3.ChecksumAlgorithm,
      });
      const head = await bench.client.send(
        new s3.HeadObjectCommand({ Bucket, Key: algorithm, ChecksumMode: "ENABLED" }),
      );
      expect(head[`Checksum${algorithm}` as "ChecksumCRC32"]).toBe(value);
    }
  });

  scenario("keys of any text: percent, plus, space, slashes, quotes, other scripts", async () => {
    const Bucket = await bench.bucket();
    const keys = [
      "a%2Fb",
      "a+b c",
      "a//b",
      "q?x=1&y=2",
      "#hash",
      "'single'",
      '"double"',
      "<&>",
      "日本語",
      "é",
      "😀",
      "a:b;c,d=e@f$g!h*(i)",
      "~tilde",
      "back\\slash",
    ];
    for (const key of keys) await bench.put(Bucket, key, key);
    for (const key of keys) expect(await bench.text(Bucket, key)).toBe(key);
    const listed = await bench.client.send(new s3.ListObjectsV2Command({ Bucket }));
    expect(listed.Contents?.map(({ Key }) => Key).sort()).toEqual([...keys].sort());
    await bench.client.send(
      new s3.DeleteObjectsCommand({ Bucket, Delete: { Objects: keys.map((Key) => ({ Key })) } }),
    );
    expect((await bench.client.send(new s3.ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0);
  });
}
