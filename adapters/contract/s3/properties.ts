import { expect } from "bun:test";
import * as s3 from "@aws-sdk/client-s3";
import { errorOf, type Scenario } from "../suite.ts";
import type { Bench } from "./bench.ts";

export function properties(scenario: Scenario, bench: Bench): void {
  scenario("encryption is echoed: AES256 by default, aws:kms with its key", async () => {
    const Bucket = await bench.bucket();
    expect((await bench.put(Bucket, "plain", "x")).ServerSideEncryption).toBe("AES256");
    const kms = await bench.put(Bucket, "kms", "x", {
      ServerSideEncryption: "aws:kms",
      SSEKMSKeyId: "alias/roundtrip",
    });
    expect(kms.ServerSideEncryption).toBe("aws:kms");
    const head = await bench.client.send(new s3.HeadObjectCommand({ Bucket, Key: "kms" }));
    expect([head.ServerSideEncryption, head.SSEKMSKeyId]).toEqual(["aws:kms", "alias/roundtrip"]);
  });

  scenario("a copy takes bytes and metadata, or replaces the metadata", async () => {
    const Bucket = await bench.bucket();
    const { ETag } = await bench.put(Bucket, "from here/é", "bytes", {
      Metadata: { a: "1" },
      ContentType: "text/x",
    });
    const CopySource = `${Bucket}/${encodeURIComponent("from here/é")}`;
    await bench.client.send(new s3.CopyObjectCommand({ Bucket, Key: "kept", CopySource }));
    const kept = await bench.client.send(new s3.HeadObjectCommand({ Bucket, Key: "kept" }));
    expect([kept.Metadata, kept.ContentType, kept.ETag]).toEqual([{ a: "1" }, "text/x", ETag]);
    await bench.client.send(
      new s3.CopyObjectCommand({
        Bucket,
        Key: "new",
        CopySource,
        MetadataDirective: "REPLACE",
        Metadata: { b: "2" },
      }),
    );
    const replaced = await bench.client.send(new s3.HeadObjectCommand({ Bucket, Key: "new" }));
    expect(replaced.Metadata).toEqual({ b: "2" });
    await bench.client.send(new s3.DeleteObjectCommand({ Bucket, Key: "from here/é" }));
    expect(await bench.text(Bucket, "kept")).toBe("bytes");
  });

  scenario("tags of an object", async () => {
    const Bucket = await bench.bucket();
    await bench.put(Bucket, "a", "x", { Tagging: "kind=dump&day=1" });
    const tags = async () =>
      (await bench.client.send(new s3.GetObjectTaggingCommand({ Bucket, Key: "a" }))).TagSet;
    expect(await tags()).toEqual([
      { Key: "kind", Value: "dump" },
      { Key: "day", Value: "1" },
    ]);
    const Tagging = { TagSet: [{ Key: "kind", Value: "log/more @ 1" }] };
    await bench.client.send(new s3.PutObjectTaggingCommand({ Bucket, Key: "a", Tagging }));
    expect(await tags()).toEqual(Tagging.TagSet);
    const bad = { TagSet: [{ Key: "kind", Value: "a & b" }] };
    expect(
      await errorOf(bench.client.send(new s3.PutObjectTaggingCommand({ Bucket, Key: "a", Tagging: bad }))),
    ).toBe("InvalidTag 400");
    await bench.client.send(new s3.DeleteObjectTaggingCommand({ Bucket, Key: "a" }));
    expect(await tags()).toEqual([]);
  });
}
