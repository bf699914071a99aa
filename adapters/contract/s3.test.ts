import { moto, standIn } from "./endpoint.ts";
import { s3Contract } from "./s3.contract.ts";

s3Contract(standIn);
s3Contract(
  moto({
    "a wrong Content-MD5 or checksum is BadDigest and stores nothing": "moto verifies neither",
    "encryption is echoed: AES256 by default, aws:kms with its key":
      "moto has no default encryption; S3 encrypts with AES256 since 2023",
    "encryption settings of a bucket: AES256 until put, then as put, and used by writes":
      "moto has no default encryption; S3 encrypts with AES256 since 2023",
    "parts in a wrong order are refused": "moto sorts them",
    "the checksum of a multipart object is the checksum of its parts' checksums":
      "moto leaves out the number of parts behind the checksum",
  }),
);
