import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { startTestAws } from "../../sandbox/aws/test-server.ts";
import { objectStoreContract } from "../contract/object-store.contract.ts";
import { S3ObjectStore } from "./object-store.ts";

const bucket = "roundtrip-contract";

objectStoreContract("S3 adapter on the stand-in", async () => {
  const aws = await startTestAws();
  await new S3Client({}).send(new CreateBucketCommand({ Bucket: bucket }));
  return { store: new S3ObjectStore({ bucket }), [Symbol.asyncDispose]: () => aws[Symbol.asyncDispose]() };
});
