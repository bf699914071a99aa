import type { S3Client } from "@aws-sdk/client-s3";

/**
 * Signs a body by the SHA-256 that goes with it as its checksum, instead of hashing all bytes a second time.
 * SigV4 takes the payload hash from `x-amz-content-sha256` where a request already carries it.
 */
export function signKnownHash(client: S3Client): void {
  client.middlewareStack.add(
    (next) => (parameters) => {
      const { ChecksumSHA256: checksum, Body: body } = parameters.input as {
        ChecksumSHA256?: string;
        Body?: unknown;
      };
      const request = parameters.request as { headers: Record<string, string> };
      if (checksum !== undefined && body !== undefined) {
        request.headers["x-amz-content-sha256"] = Buffer.from(checksum, "base64").toString("hex");
      }
      return next(parameters);
    },
    { step: "build", name: "signKnownHash" },
  );
}
