import { DeleteObjectsCommand, type S3Client } from "@aws-sdk/client-s3";
import type { Clock } from "../../core/ports.ts";
import { pause, triesMax } from "./retry.ts";
import { storeFailure } from "./store-failure.ts";

interface Bucket {
  readonly client: S3Client;
  readonly bucket: string;
  readonly clock: Clock;
}

const batchMax = 1000;

/** Passing failures inside an answer with status 200, which the SDK's retries don't see. */
const passing = new Set(["InternalError", "SlowDown", "ServiceUnavailable", "RequestTimeout"]);

/** Deletes all keys in batches; a key that isn't there counts as deleted. Throws StoreError at the first that can't be. */
export async function deleteObjects(bucket: Bucket, keys: readonly string[]): Promise<void> {
  for (let start = 0; start < keys.length; start += batchMax) {
    let rest: readonly string[] = keys.slice(start, start + batchMax);
    for (let attempt = 1; rest.length > 0; attempt += 1) rest = await deleteOnce(bucket, rest, attempt);
  }
}

/** Gives the keys to try again: those whose deletion failed for a passing reason. */
async function deleteOnce(target: Bucket, keys: readonly string[], attempt: number): Promise<string[]> {
  const { client, bucket, clock } = target;
  const what = `delete ${keys.length} objects of s3://${bucket} from ${keys[0]}`;
  const command = new DeleteObjectsCommand({
    Bucket: bucket,
    Delete: { Quiet: true, Objects: keys.map((key) => ({ Key: key })) },
  });
  const answer = await client.send(command).catch((error: unknown) => {
    throw storeFailure(error, what, "every object deleted");
  });
  const errors = answer.Errors ?? [];
  const final = errors.find((error) => !passing.has(error.Code ?? ""));
  const first = final ?? errors[0];
  if (first === undefined) return [];
  if (final !== undefined || attempt >= triesMax) {
    const cause = Object.assign(new Error(`${first.Key}: ${first.Message}`), {
      name: first.Code ?? "Error",
      ...(first.Code === "AccessDenied" ? { $metadata: { httpStatusCode: 403 } } : {}),
    });
    throw storeFailure(cause, what, `every object deleted (${errors.length} failed)`);
  }
  await pause(clock, attempt);
  return errors.map((error) => error.Key ?? "");
}
