import { expect } from "bun:test";
import * as s3 from "@aws-sdk/client-s3";
import { errorOf, type Scenario } from "../suite.ts";
import type { Bench } from "./bench.ts";

export function versions(scenario: Scenario, bench: Bench): void {
  scenario("versions: each write is kept, a delete is a marker that can be taken back", async () => {
    const Bucket = await bench.versionedBucket();
    const one = await bench.put(Bucket, "a", "one");
    const two = await bench.put(Bucket, "a", "two");
    expect(await bench.text(Bucket, "a")).toBe("two");
    expect(await bench.text(Bucket, "a", { VersionId: one.VersionId })).toBe("one");
    const deleted = await bench.client.send(new s3.DeleteObjectCommand({ Bucket, Key: "a" }));
    expect(deleted.DeleteMarker).toBe(true);
    expect(await errorOf(bench.text(Bucket, "a"))).toBe("NoSuchKey 404");
    expect((await bench.client.send(new s3.ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0);
    const all = await bench.client.send(new s3.ListObjectVersionsCommand({ Bucket }));
    expect(all.Versions?.map(({ VersionId, IsLatest }) => [VersionId, IsLatest])).toEqual([
      [two.VersionId, false],
      [one.VersionId, false],
    ]);
    expect(all.DeleteMarkers?.map(({ VersionId, IsLatest }) => [VersionId, IsLatest])).toEqual([
      [deleted.VersionId, true],
    ]);
    await bench.client.send(new s3.DeleteObjectCommand({ Bucket, Key: "a", VersionId: deleted.VersionId }));
    expect(await bench.text(Bucket, "a")).toBe("two");
    await bench.client.send(new s3.DeleteObjectCommand({ Bucket, Key: "a", VersionId: two.VersionId }));
    expect(await bench.text(Bucket, "a")).toBe("one");
  });

  scenario("If-None-Match counts a delete marker as absent", async () => {
    const Bucket = await bench.versionedBucket();
    await bench.put(Bucket, "a", "one", { IfNoneMatch: "*" });
    expect(await errorOf(bench.put(Bucket, "a", "two", { IfNoneMatch: "*" }))).toBe("PreconditionFailed 412");
    await bench.client.send(new s3.DeleteObjectCommand({ Bucket, Key: "a" }));
    await bench.put(Bucket, "a", "three", { IfNoneMatch: "*" });
    expect(await bench.text(Bucket, "a")).toBe("three");
  });

  scenario("versions are listed page by page, and a bucket that has any can't be deleted", async () => {
    const Bucket = await bench.versionedBucket();
    for (const key of ["a", "a", "b", "b", "c"]) await bench.put(Bucket, key, key);
    await bench.client.send(new s3.DeleteObjectCommand({ Bucket, Key: "b" }));
    const seen: string[] = [];
    let markers: { KeyMarker?: string; VersionIdMarker?: string } = {};
    for (let pages = 0; pages < 10; pages += 1) {
      const page = await bench.client.send(
        new s3.ListObjectVersionsCommand({ Bucket, MaxKeys: 2, ...markers }),
      );
      seen.push(
        ...[...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])].map(
          ({ Key, VersionId }) => `${Key} ${VersionId}`,
        ),
      );
      if (page.IsTruncated !== true) break;
      markers = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
    }
    expect(seen.length).toBe(6);
    expect(new Set(seen).size).toBe(6);
    expect(await errorOf(bench.client.send(new s3.DeleteBucketCommand({ Bucket })))).toBe(
      "BucketNotEmpty 409",
    );
  });
}
