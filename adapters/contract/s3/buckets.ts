import { expect } from "bun:test";
import * as s3 from "@aws-sdk/client-s3";
import { errorOf, type Scenario } from "../suite.ts";
import type { Bench } from "./bench.ts";

export function buckets(scenario: Scenario, bench: Bench): void {
  scenario("a bucket is made, listed, located and deleted", async () => {
    const Bucket = await bench.bucket();
    const names = (await bench.client.send(new s3.ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name);
    expect(names).toContain(Bucket);
    expect(
      (await bench.client.send(new s3.GetBucketLocationCommand({ Bucket }))).LocationConstraint ?? "",
    ).toBe("");
    await bench.client.send(new s3.DeleteBucketCommand({ Bucket }));
    expect(await errorOf(bench.client.send(new s3.HeadBucketCommand({ Bucket })))).toBe("NotFound 404");
  });

  scenario("settings of a bucket are stored and returned, and missing ones have their codes", async () => {
    const Bucket = await bench.bucket();
    const get = {
      lifecycle: () => bench.client.send(new s3.GetBucketLifecycleConfigurationCommand({ Bucket })),
      policy: () => bench.client.send(new s3.GetBucketPolicyCommand({ Bucket })),
      block: () => bench.client.send(new s3.GetPublicAccessBlockCommand({ Bucket })),
      tags: () => bench.client.send(new s3.GetBucketTaggingCommand({ Bucket })),
      versioning: () => bench.client.send(new s3.GetBucketVersioningCommand({ Bucket })),
    };
    expect(await errorOf(get.lifecycle())).toBe("NoSuchLifecycleConfiguration 404");
    expect(await errorOf(get.policy())).toBe("NoSuchBucketPolicy 404");
    expect(await errorOf(get.block())).toBe("NoSuchPublicAccessBlockConfiguration 404");
    expect(await errorOf(get.tags())).toBe("NoSuchTagSet 404");
    expect((await get.versioning()).Status).toBeUndefined();

    const Rules = [
      {
        ID: "dumps",
        Status: "Enabled",
        Filter: { Prefix: "dump/" },
        Expiration: { Days: 30 },
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
      },
    ] satisfies s3.LifecycleRule[];
    await bench.client.send(
      new s3.PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }),
    );
    expect((await get.lifecycle()).Rules).toEqual(Rules);
    const Policy = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Deny", Principal: "*", Action: "s3:*", Resource: "*" }],
    });
    await bench.client.send(new s3.PutBucketPolicyCommand({ Bucket, Policy }));
    expect(JSON.parse((await get.policy()).Policy!)).toEqual(JSON.parse(Policy));
    await bench.client.send(new s3.DeleteBucketPolicyCommand({ Bucket }));
    const block = {
      BlockPublicAcls: true,
      IgnorePublicAcls: true,
      BlockPublicPolicy: true,
      RestrictPublicBuckets: true,
    };
    await bench.client.send(
      new s3.PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: block }),
    );
    expect((await get.block()).PublicAccessBlockConfiguration).toEqual(block);
    const TagSet = [{ Key: "owner", Value: "data/more" }];
    await bench.client.send(new s3.PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } }));
    expect((await get.tags()).TagSet).toEqual(TagSet);
    await bench.client.send(
      new s3.PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Suspended" } }),
    );
    expect((await get.versioning()).Status).toBe("Suspended");
  });

  scenario("encryption settings of a bucket: AES256 until put, then as put, and used by writes", async () => {
    const Bucket = await bench.bucket();
    const rule = async () =>
      (await bench.client.send(new s3.GetBucketEncryptionCommand({ Bucket })))
        .ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault;
    expect((await rule())?.SSEAlgorithm).toBe("AES256");
    const byDefault = { SSEAlgorithm: "aws:kms", KMSMasterKeyID: "alias/roundtrip" } as const;
    await bench.client.send(
      new s3.PutBucketEncryptionCommand({
        Bucket,
        ServerSideEncryptionConfiguration: { Rules: [{ ApplyServerSideEncryptionByDefault: byDefault }] },
      }),
    );
    expect(await rule()).toEqual(byDefault);
    expect((await bench.put(Bucket, "a", "x")).ServerSideEncryption).toBe("aws:kms");
  });
}
