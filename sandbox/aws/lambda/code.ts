import { createHash } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { type Input, optionalText } from "../input.ts";
import { readObject } from "../s3/read-object.ts";
import { AwsError, type RequestContext } from "../service.ts";
import { unzip } from "./zip.ts";

/** `S3Bucket` of code that lies in a directory of this machine, named by `S3Key`: run as it is, never copied. */
export const localDirectory = "local-directory";

export interface Code {
  readonly root: string;
  readonly codeSha256: string;
  readonly codeSize: number;
}

async function archiveOf(code: Input, context: RequestContext): Promise<Buffer> {
  const zipFile = optionalText(code, "ZipFile");
  if (zipFile !== undefined) return Buffer.from(zipFile, "base64");
  const bucket = optionalText(code, "S3Bucket");
  const key = optionalText(code, "S3Key");
  if (bucket === undefined || key === undefined) {
    throw new AwsError("InvalidParameterValueException", "expected ZipFile, or S3Bucket and S3Key", 400);
  }
  const bytes = readObject(context, bucket, key, optionalText(code, "S3ObjectVersion"));
  if (bytes === undefined) {
    throw new AwsError(
      "InvalidParameterValueException",
      `Error occurred while GetObject. S3 Error Code: NoSuchKey. ${bucket}/${key}`,
      400,
    );
  }
  return bytes;
}

/** Unpacks a function's code from a zip in the request or in S3, or takes a directory as it is. */
export async function takeCode(code: Input, context: RequestContext): Promise<Code> {
  if (code.S3Bucket === localDirectory) {
    const root = optionalText(code, "S3Key") ?? "";
    if (!isAbsolute(root) || !existsSync(root)) {
      throw new AwsError(
        "InvalidParameterValueException",
        `expected S3Key to be an existing directory, got ${root}`,
        400,
      );
    }
    return { root, codeSha256: createHash("sha256").update(root).digest("base64"), codeSize: 0 };
  }
  const archive = await archiveOf(code, context);
  const digest = createHash("sha256").update(archive).digest();
  const root = join(context.dir, "lambda", digest.toString("hex"));
  if (!existsSync(root)) {
    // Unpacked beside and renamed: a directory that is there is complete.
    const unfinished = `${root}.${process.pid}.unfinished`;
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(unfinished, { recursive: true });
    unzip(archive, unfinished);
    renameSync(unfinished, root);
  }
  return { root, codeSha256: digest.toString("base64"), codeSize: archive.length };
}
