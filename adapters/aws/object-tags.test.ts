import { expect, test } from "bun:test";
import { CreateBucketCommand, GetObjectTaggingCommand, S3Client } from "@aws-sdk/client-s3";
import { startTestAws } from "../../sandbox/aws/test-server.ts";
import { S3ObjectStore } from "./object-store.ts";

test("tags the lifecycle picks an object by are on small objects, on uploads of many parts, and on nothing else", async () => {
  await using _aws = await startTestAws();
  const Bucket = "roundtrip-tags";
  const client = new S3Client({});
  await client.send(new CreateBucketCommand({ Bucket }));
  const store = new S3ObjectStore({ bucket: Bucket });
  const tags = { retention: "dump", "of what": "a & b" };
  const parts = (count: number) =>
    (async function* () {
      for (let part = 0; part < count; part++) yield new Uint8Array(6 * 1024 * 1024);
    })();
  await store.put("put", new Uint8Array(1), { tags });
  await store.upload("small", parts(1), { tags });
  await store.upload("large", parts(3), { tags });
  await store.put("bare", new Uint8Array(1));
  const found: Record<string, unknown> = {};
  for (const Key of ["put", "small", "large", "bare"]) {
    const { TagSet = [] } = await client.send(new GetObjectTaggingCommand({ Bucket, Key }));
    found[Key] = Object.fromEntries(TagSet.map(({ Key: name, Value: value }) => [name, value]));
  }
  expect(found).toEqual({ put: tags, small: tags, large: tags, bare: {} });
});
