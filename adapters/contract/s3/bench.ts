import { randomBytes } from "node:crypto";
import * as s3 from "@aws-sdk/client-s3";

/** An S3 client and the calls most scenarios begin with. */
export class Bench {
  private opened: s3.S3Client | undefined;

  /** Made on first use: the AWS variables are set by then. */
  get client(): s3.S3Client {
    this.opened ??= new s3.S3Client({ forcePathStyle: true });
    return this.opened;
  }

  async bucket(): Promise<string> {
    const Bucket = `contract-${randomBytes(6).toString("hex")}`;
    await this.client.send(new s3.CreateBucketCommand({ Bucket }));
    return Bucket;
  }

  async put(
    Bucket: string,
    Key: string,
    Body: string | Uint8Array,
    more: Partial<s3.PutObjectCommandInput> = {},
  ) {
    return this.client.send(new s3.PutObjectCommand({ Bucket, Key, Body, ...more }));
  }

  async text(Bucket: string, Key: string, more: Partial<s3.GetObjectCommandInput> = {}): Promise<string> {
    const answer = await this.client.send(new s3.GetObjectCommand({ Bucket, Key, ...more }));
    return answer.Body!.transformToString();
  }

  async versionedBucket(): Promise<string> {
    const Bucket = await this.bucket();
    const VersioningConfiguration = { Status: "Enabled" } as const;
    await this.client.send(new s3.PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
    return Bucket;
  }

  async begin(
    Bucket: string,
    Key: string,
    more: Partial<s3.CreateMultipartUploadCommandInput> = {},
  ): Promise<Upload> {
    const { UploadId } = await this.client.send(
      new s3.CreateMultipartUploadCommand({ Bucket, Key, ...more }),
    );
    return { Bucket, Key, UploadId: UploadId! };
  }

  async part(upload: Upload, PartNumber: number, Body: Uint8Array): Promise<s3.CompletedPart> {
    const { ETag } = await this.client.send(new s3.UploadPartCommand({ ...upload, PartNumber, Body }));
    return { PartNumber, ETag };
  }

  complete(
    upload: Upload,
    Parts: s3.CompletedPart[],
    more: Partial<s3.CompleteMultipartUploadCommandInput> = {},
  ) {
    return this.client.send(
      new s3.CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts }, ...more }),
    );
  }
}

export interface Upload {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string;
}
