import { expect } from "bun:test";
import { createHash } from "node:crypto";
import * as s3 from "@aws-sdk/client-s3";
import { errorOf, type Scenario } from "../suite.ts";
import type { Bench } from "./bench.ts";

export function objects(scenario: Scenario, bench: Bench): void {
  scenario("an object keeps bytes, type, encoding, metadata and ETag (MD5)", async () => {
    const Bucket = await bench.bucket();
    const { ETag } = await bench.put(Bucket, "a/b", "hello", {
      ContentType: "application/bson",
      ContentEncoding: "zstd",
      CacheControl: "no-store",
      Metadata: { first: "1", second: "two words" },
    });
    expect(ETag).toBe(`"${createHash("md5").update("hello").digest("hex")}"`);
    const got = await bench.client.send(new s3.GetObjectCommand({ Bucket, Key: "a/b" }));
    expect(await got.Body!.transformToString()).toBe("hello");
    const { ContentType, ContentEncoding, CacheControl, Metadata, ContentLength } = got;
    expect({ ContentType, ContentEncoding, CacheControl, Metadata, ContentLength }).toEqual({
      ContentType: "application/bson",
      ContentEncoding: "zstd",
      CacheControl: "no-store",
      Metadata: { first: "1", second: "two words" },
      ContentLength: 5,
    });
    const head = await bench.client.send(new s3.HeadObjectCommand({ Bucket, Key: "a/b" }));
    expect([head.ContentLength, head.ETag, head.Metadata]).toEqual([5, ETag, Metadata]);
    expect(head.LastModified).toBeInstanceOf(Date);
  });

  scenario("missing keys, buckets and uploads have their own codes", async () => {
    const Bucket = await bench.bucket();
    expect(await errorOf(bench.text(Bucket, "none"))).toBe("NoSuchKey 404");
    expect(await errorOf(bench.client.send(new s3.HeadObjectCommand({ Bucket, Key: "none" })))).toBe(
      "NotFound 404",
    );
    expect(await errorOf(bench.text("contract-nowhere", "a"))).toBe("NoSuchBucket 404");
    expect(await errorOf(bench.client.send(new s3.HeadBucketCommand({ Bucket: "contract-nowhere" })))).toBe(
      "NotFound 404",
    );
    expect(await errorOf(bench.put("contract-nowhere", "a", "x"))).toBe("NoSuchBucket 404");
    const upload = { Bucket, Key: "a", UploadId: "none" };
    expect(await errorOf(bench.client.send(new s3.AbortMultipartUploadCommand(upload)))).toBe(
      "NoSuchUpload 404",
    );
  });

  scenario("ranges: first to last, open, suffix, cut at the end, unsatisfiable", async () => {
    const Bucket = await bench.bucket();
    await bench.put(Bucket, "digits", "0123456789");
    expect(await bench.text(Bucket, "digits", { Range: "bytes=2-4" })).toBe("234");
    expect(await bench.text(Bucket, "digits", { Range: "bytes=7-" })).toBe("789");
    expect(await bench.text(Bucket, "digits", { Range: "bytes=-3" })).toBe("789");
    expect(await bench.text(Bucket, "digits", { Range: "bytes=8-99" })).toBe("89");
    const part = await bench.client.send(
      new s3.GetObjectCommand({ Bucket, Key: "digits", Range: "bytes=2-4" }),
    );
    expect([part.ContentRange, part.ContentLength, part.$metadata.httpStatusCode]).toEqual([
      "bytes 2-4/10",
      3,
      206,
    ]);
    expect(await errorOf(bench.text(Bucket, "digits", { Range: "bytes=10-" }))).toBe("InvalidRange 416");
  });

  scenario("delete is idempotent, for one key and for many", async () => {
    const Bucket = await bench.bucket();
    await bench.put(Bucket, "a", "x");
    await bench.client.send(new s3.DeleteObjectCommand({ Bucket, Key: "a" }));
    await bench.client.send(new s3.DeleteObjectCommand({ Bucket, Key: "a" }));
    const many = await bench.client.send(
      new s3.DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: "a" }, { Key: "never" }] } }),
    );
    expect(many.Deleted?.map(({ Key }) => Key)).toEqual(["a", "never"]);
    expect(many.Errors ?? []).toEqual([]);
  });
}
