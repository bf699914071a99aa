import { expect } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import * as s3 from "@aws-sdk/client-s3";
import { errorOf, type Scenario } from "../suite.ts";
import type { Bench } from "./bench.ts";

const mebibyte = 1 << 20;

export function multipart(scenario: Scenario, bench: Bench): void {
  scenario("parts in any order become one object, with an ETag of ETags", async () => {
    const Bucket = await bench.bucket();
    const upload = await bench.begin(Bucket, "dump", {
      ContentType: "application/x-dump",
      Metadata: { a: "1" },
    });
    const [one, two] = [randomBytes(5 * mebibyte), randomBytes(1000)];
    const second = await bench.part(upload, 2, two);
    const first = await bench.part(upload, 1, one);
    const listed = await bench.client.send(new s3.ListPartsCommand(upload));
    expect(listed.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
      [1, 5 * mebibyte],
      [2, 1000],
    ]);
    const open = await bench.client.send(new s3.ListMultipartUploadsCommand({ Bucket }));
    expect(open.Uploads?.map(({ Key, UploadId }) => [Key, UploadId])).toEqual([["dump", upload.UploadId]]);
    expect(await errorOf(bench.text(Bucket, "dump"))).toBe("NoSuchKey 404");
    const done = await bench.client.send(
      new s3.CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: [first, second] } }),
    );
    const md5 = (bytes: Uint8Array) => createHash("md5").update(bytes).digest();
    expect(done.ETag).toBe(`"${md5(Buffer.concat([md5(one), md5(two)])).toString("hex")}-2"`);
    const got = await bench.client.send(new s3.GetObjectCommand({ Bucket, Key: "dump" }));
    expect(Buffer.from(await got.Body!.transformToByteArray()).equals(Buffer.concat([one, two]))).toBe(true);
    expect([got.ContentType, got.Metadata]).toEqual(["application/x-dump", { a: "1" }]);
    const across = await bench.client.send(
      new s3.GetObjectCommand({
        Bucket,
        Key: "dump",
        Range: `bytes=${5 * mebibyte - 2}-${5 * mebibyte + 1}`,
      }),
    );
    expect(Buffer.from(await across.Body!.transformToByteArray())).toEqual(
      Buffer.concat([one.subarray(-2), two.subarray(0, 2)]),
    );
    expect(await errorOf(bench.client.send(new s3.ListPartsCommand(upload)))).toBe("NoSuchUpload 404");
  });

  scenario("a part under 5 MiB that isn't the last is EntityTooSmall", async () => {
    const upload = await bench.begin(await bench.bucket(), "small");
    const Parts = [
      await bench.part(upload, 1, randomBytes(10)),
      await bench.part(upload, 2, randomBytes(10)),
    ];
    const complete = new s3.CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } });
    expect(await errorOf(bench.client.send(complete))).toBe("EntityTooSmall 400");
  });

  scenario("parts in a wrong order are refused", async () => {
    const upload = await bench.begin(await bench.bucket(), "wrong");
    const [one, two] = [
      await bench.part(upload, 1, randomBytes(5 * mebibyte)),
      await bench.part(upload, 2, randomBytes(5 * mebibyte)),
    ];
    const complete = (Parts: s3.CompletedPart[]) =>
      errorOf(
        bench.client.send(new s3.CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } })),
      );
    expect(await complete([two, one])).toBe("InvalidPartOrder 400");
  });

  scenario("an aborted upload is gone, with its parts", async () => {
    const Bucket = await bench.bucket();
    const upload = await bench.begin(Bucket, "aborted");
    await bench.part(upload, 1, randomBytes(5 * mebibyte));
    await bench.client.send(new s3.AbortMultipartUploadCommand(upload));
    expect(await errorOf(bench.client.send(new s3.ListPartsCommand(upload)))).toBe("NoSuchUpload 404");
    expect((await bench.client.send(new s3.ListMultipartUploadsCommand({ Bucket }))).Uploads ?? []).toEqual(
      [],
    );
  });
}
