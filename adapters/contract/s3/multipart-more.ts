import { expect } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import * as s3 from "@aws-sdk/client-s3";
import { errorOf, type Scenario } from "../suite.ts";
import type { Bench } from "./bench.ts";

const mebibyte = 1 << 20;

export function multipartMore(scenario: Scenario, bench: Bench): void {
  scenario("unknown parts are refused", async () => {
    const upload = await bench.begin(await bench.bucket(), "wrong");
    const [one, two] = [
      await bench.part(upload, 1, randomBytes(5 * mebibyte)),
      await bench.part(upload, 2, randomBytes(5 * mebibyte)),
    ];
    const complete = (Parts: s3.CompletedPart[]) =>
      errorOf(
        bench.client.send(new s3.CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } })),
      );
    expect(await complete([one, { PartNumber: 3, ETag: two.ETag }])).toBe("InvalidPart 400");
    expect(await complete([{ PartNumber: 1, ETag: two.ETag }])).toBe("InvalidPart 400");
  });

  scenario("complete with If-None-Match fails when the object exists", async () => {
    const Bucket = await bench.bucket();
    const upload = await bench.begin(Bucket, "taken");
    const Parts = [await bench.part(upload, 1, randomBytes(10))];
    await bench.put(Bucket, "taken", "first");
    const complete = new s3.CompleteMultipartUploadCommand({
      ...upload,
      MultipartUpload: { Parts },
      IfNoneMatch: "*",
    });
    expect(await errorOf(bench.client.send(complete))).toBe("PreconditionFailed 412");
    expect(await bench.text(Bucket, "taken")).toBe("first");
  });

  scenario("a part sent again replaces the one before; a part can be copied from an object", async () => {
    const Bucket = await bench.bucket();
    await bench.put(Bucket, "source", "0123456789");
    const upload = await bench.begin(Bucket, "copied");
    await bench.part(upload, 1, randomBytes(10));
    const first = randomBytes(5 * mebibyte);
    const one = await bench.part(upload, 1, first);
    const copy = new s3.UploadPartCopyCommand({
      ...upload,
      PartNumber: 2,
      CopySource: `${Bucket}/source`,
      CopySourceRange: "bytes=2-4",
    });
    const two = { PartNumber: 2, ETag: (await bench.client.send(copy)).CopyPartResult?.ETag };
    await bench.client.send(
      new s3.CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: [one, two] } }),
    );
    expect(await bench.text(Bucket, "copied", { Range: "bytes=-3" })).toBe("234");
    expect((await bench.client.send(new s3.HeadObjectCommand({ Bucket, Key: "copied" }))).ContentLength).toBe(
      first.length + 3,
    );
  });

  scenario("the checksum of a multipart object is the checksum of its parts' checksums", async () => {
    const Bucket = await bench.bucket();
    const upload = await bench.begin(Bucket, "summed", { ChecksumAlgorithm: "SHA256" });
    const bodies = [randomBytes(5 * mebibyte), randomBytes(10)];
    const digests = bodies.map((body) => createHash("sha256").update(body).digest());
    const Parts: s3.CompletedPart[] = [];
    for (const [index, Body] of bodies.entries()) {
      const ChecksumSHA256 = digests[index]!.toString("base64");
      const PartNumber = index + 1;
      const { ETag } = await bench.client.send(
        new s3.UploadPartCommand({ ...upload, PartNumber, Body, ChecksumSHA256 }),
      );
      Parts.push({ PartNumber, ETag, ChecksumSHA256 });
    }
    await bench.client.send(new s3.CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
    const head = await bench.client.send(
      new s3.HeadObjectCommand({ Bucket, Key: "summed", ChecksumMode: "ENABLED" }),
    );
    expect(head.ChecksumSHA256).toBe(
      `${createHash("sha256").update(Buffer.concat(digests)).digest("base64")}-2`,
    );
  });
}
