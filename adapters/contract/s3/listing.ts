import { expect } from "bun:test";
import * as s3 from "@aws-sdk/client-s3";
import type { Scenario } from "../suite.ts";
import type { Bench } from "./bench.ts";

export function listing(scenario: Scenario, bench: Bench): void {
  const keysOf = (answer: s3.ListObjectsV2CommandOutput) => (answer.Contents ?? []).map(({ Key }) => Key);

  scenario("listing goes page by page in UTF-8 order, from startAfter", async () => {
    const Bucket = await bench.bucket();
    const keys = ["A", "a", "a/1", "a/2", "b", "z", "é", "日", "\uffee", "😀"];
    for (const key of [...keys].reverse()) await bench.put(Bucket, key, key);
    const seen: (string | undefined)[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page: s3.ListObjectsV2CommandOutput = await bench.client.send(
        new s3.ListObjectsV2Command({ Bucket, MaxKeys: 3, ContinuationToken }),
      );
      seen.push(...keysOf(page));
      expect(page.KeyCount).toBe(keysOf(page).length);
      ContinuationToken = page.NextContinuationToken;
      expect(page.IsTruncated).toBe(ContinuationToken !== undefined);
    } while (ContinuationToken !== undefined);
    expect(seen).toEqual(keys);
    const after = await bench.client.send(new s3.ListObjectsV2Command({ Bucket, StartAfter: "a/1" }));
    expect(keysOf(after)).toEqual(keys.slice(3));
    const below = await bench.client.send(
      new s3.ListObjectsV2Command({ Bucket, Prefix: "a", StartAfter: "a" }),
    );
    expect(keysOf(below)).toEqual(["a/1", "a/2"]);
  });

  scenario("a delimiter rolls keys up, counted with the keys, also across pages", async () => {
    const Bucket = await bench.bucket();
    for (const key of ["a/1", "a/2", "b", "c/x/1", "c/y", "d"]) await bench.put(Bucket, key, "x");
    const all = await bench.client.send(new s3.ListObjectsV2Command({ Bucket, Delimiter: "/" }));
    expect(keysOf(all)).toEqual(["b", "d"]);
    expect(all.CommonPrefixes?.map(({ Prefix }) => Prefix)).toEqual(["a/", "c/"]);
    expect(all.KeyCount).toBe(4);
    const below = await bench.client.send(
      new s3.ListObjectsV2Command({ Bucket, Delimiter: "/", Prefix: "c/" }),
    );
    expect([keysOf(below), below.CommonPrefixes?.map(({ Prefix }) => Prefix)]).toEqual([["c/y"], ["c/x/"]]);
    const seen: (string | undefined)[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page: s3.ListObjectsV2CommandOutput = await bench.client.send(
        new s3.ListObjectsV2Command({ Bucket, Delimiter: "/", MaxKeys: 1, ContinuationToken }),
      );
      seen.push(...keysOf(page), ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined && seen.length < 10);
    expect(seen).toEqual(["a/", "b", "c/", "d"]);
  });

  scenario("encoding-type url percent-encodes keys in the answer", async () => {
    const Bucket = await bench.bucket();
    await bench.put(Bucket, "a b/ü+", "x");
    const answer = await bench.client.send(new s3.ListObjectsV2Command({ Bucket, EncodingType: "url" }));
    expect(decodeURIComponent(answer.Contents![0]!.Key!.replaceAll("+", " "))).toBe("a b/ü+");
    expect(answer.Contents![0]!.Key).not.toContain("ü");
  });

  scenario("the first version of the listing goes on from its marker", async () => {
    const Bucket = await bench.bucket();
    for (const key of ["a", "b", "c"]) await bench.put(Bucket, key, "x");
    const first = await bench.client.send(new s3.ListObjectsCommand({ Bucket, MaxKeys: 2 }));
    expect([first.Contents?.map(({ Key }) => Key), first.IsTruncated]).toEqual([["a", "b"], true]);
    const next = await bench.client.send(new s3.ListObjectsCommand({ Bucket, Marker: "b" }));
    expect(next.Contents?.map(({ Key }) => Key)).toEqual(["c"]);
  });

  scenario("an empty page: max-keys 0, and a prefix nobody has", async () => {
    const Bucket = await bench.bucket();
    await bench.put(Bucket, "a", "x");
    const none = await bench.client.send(new s3.ListObjectsV2Command({ Bucket, MaxKeys: 0 }));
    expect([none.KeyCount, none.IsTruncated]).toEqual([0, false]);
    expect((await bench.client.send(new s3.ListObjectsV2Command({ Bucket, Prefix: "zzz" }))).KeyCount).toBe(
      0,
    );
  });
}
